// Whoever opens much and ends nothing: event streams, uploads that never end, connections. Each party gets its share, the others are served.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startListener } from '../../workers/listeners.ts';
import { endlessUpload, type EndlessUpload } from '../harness/endless-upload.ts';
import { openAdminApi, type AdminApi, sessionOf } from '../harness/admin-api.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
});
afterAll(() => api.close());

const upload = (at: string, headers: Record<string, string> = {}): EndlessUpload =>
  endlessUpload(`${api.url}${at}`, { 'content-type': 'application/json', ...headers });

test('one person or token has twenty event streams; the next is told to wait, others get theirs', async () => {
  const one = await api.call('POST', '/api/tokens', { name: 'one', role: 'viewer' });
  const open = (token: string) =>
    fetch(`${api.url}/api/events`, { headers: { authorization: `Bearer ${token}` } });
  const token = one.body.token as string;
  const streams = await Promise.all(Array.from({ length: 20 }, () => open(token)));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await open(token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
  expect(await refused.json()).toMatchObject({ code: 'request.too_many' });
  const other = await open(api.token);
  expect(other.status).toBe(200);

  await streams[0]?.body?.cancel();
  await expect.poll(async () => (await open(token)).status).toBe(200);
  for (const stream of [...streams.slice(1), other]) await stream.body?.cancel();
});

test('the tokens of one person share them', async () => {
  const eve = { name: 'eve', role: 'admin', password: 'correct horse battery staple' };
  await api.call('POST', '/api/people', eve);
  const signedIn = await api.call(
    'POST',
    '/api/session',
    { name: eve.name, password: eve.password },
    { authorization: '' },
  );
  const session = sessionOf(signedIn);
  const newToken = async (name: string): Promise<string> =>
    (await api.call('POST', '/api/tokens', { name, role: 'viewer' }, session)).body.token as string;
  const tokens = [await newToken('one'), await newToken('two')];
  const streams = await Promise.all(
    Array.from({ length: 21 }, (_, index) =>
      fetch(`${api.url}/api/events`, {
        headers: { authorization: `Bearer ${tokens[index % 2] ?? ''}` },
      }),
    ),
  );
  expect(streams.map(({ status }) => status).sort()).toEqual([...Array<number>(20).fill(200), 429]);
  for (const stream of streams) await stream.body?.cancel();
});

test('of one address fifty bodies are read at once; the rest are refused unread, and requests without a body are served', async () => {
  const uploads = Array.from({ length: 300 }, () => upload('/api/session'));
  await expect.poll(() => uploads.filter(({ status }) => status() === 429)).toHaveLength(250);
  expect((await api.call('GET', '/healthz')).status).toBe(200);
  for (const { sent } of uploads) sent.destroy();
  await expect
    .poll(async () => (await api.call('POST', '/api/session', { name: 'x', password: 'y' })).status)
    .toBe(401);
});

test('one address has 2,500 connections, a trusted proxy as many as there are', async () => {
  for (const [isTrustedProxy, expected] of [
    [() => false, 2500],
    [() => true, 2600],
  ] as const) {
    const listener = await startListener(
      'test',
      (_request, response) => void response.end('ok'),
      { host: '127.0.0.1', port: 0 },
      { isTrustedProxy },
    );
    const closed: Socket[] = [];
    const sockets: Socket[] = [];
    for (let count = 0; count < 2600; count += 1) {
      const socket = connect(listener.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => closed.push(socket));
      socket.resume();
      sockets.push(socket);
      await once(socket, 'connect');
    }
    await expect.poll(() => sockets.length - closed.length).toBe(expected);
    for (const socket of sockets) socket.destroy();
    await listener.stop(0);
  }
}, 60_000);

test('all addresses together have so many connections; one that ends makes room', async () => {
  const listener = await startListener(
    'test',
    (_request, response) => void response.end('ok'),
    { host: '127.0.0.1', port: 0 },
    { isTrustedProxy: () => true, maxConnections: 40 },
  );
  const open = async (): Promise<{ socket: Socket; isClosed: () => boolean }> => {
    const socket = connect(listener.port, '127.0.0.1');
    let isClosed = false;
    socket.on('error', () => undefined).on('close', () => (isClosed = true));
    socket.resume();
    await once(socket, 'connect');
    return { socket, isClosed: () => isClosed };
  };
  const connections = await Promise.all(Array.from({ length: 60 }, open));
  await expect.poll(() => connections.filter(({ isClosed }) => isClosed())).toHaveLength(20);
  connections.find(({ isClosed }) => !isClosed())?.socket.destroy();
  const served = async () =>
    fetch(`http://127.0.0.1:${listener.port}/`).then(
      (response) => response.text(),
      () => 'refused',
    );
  await expect.poll(served).toBe('ok');
  for (const { socket } of connections) socket.destroy();
  await listener.stop(0);
});
