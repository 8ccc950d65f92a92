// Channels over the API: an address and its key are proven before they are kept, and no answer shows a key.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';

const API_KEY = 'the API key';
const WEBHOOK_KEY = 'the key of the webhooks';
let api: AdminApi;
let server: Server;
let url: string;
const paths: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    const given = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
    if (given !== `nanomdm:${API_KEY}`) return response.writeHead(401).end();
    const isUnknown = request.url?.includes('UNKNOWN') === true;
    return response
      .writeHead(isUnknown ? 500 : 200)
      .end(JSON.stringify(isUnknown ? { command_error: 'pq: violates foreign key constraint' } : {}));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { publicUrl: 'https://odette.example' };
  api = await openAdminApi({ allowedPrivateHosts: ['127.0.0.1'], settings });
}, 60_000);
afterAll(async () => {
  await api.close();
  await new Promise((closed) => server.close(closed));
});

const wish = (changes: object = {}) => ({
  kind: 'nanomdm',
  name: 'Berlin',
  url,
  apiKey: API_KEY,
  webhookKey: WEBHOOK_KEY,
  ...changes,
});

test.each([
  [{ apiKey: 'wrong' }, 422, 'channel.key_refused', 'apiKey'],
  [{ url: 'http://127.0.0.1:9' }, 502, 'channel.unreachable', 'url'],
  [{ url: 'https://mdm.example.com' }, 422, 'channel.host_not_allowed', 'url'],
  [{ url: 'http://mdm.example.com' }, 422, 'channel.host_not_allowed', 'url'],
  [{ blueprintId: crypto.randomUUID() }, 404, 'request.not_found', 'blueprintId'],
  [{ webhookKey: 'short' }, 400, 'request.invalid', 'webhookKey'],
  [{ webhokKey: 'x' }, 400, 'request.invalid', 'webhokKey'],
])('%j is refused with %i, and nothing is kept', async (changes, status, code, field) => {
  const refused = await api.call('POST', '/api/channels', wish(changes));
  expect(refused.status).toBe(status);
  expect(refused.body).toMatchObject({ code, errors: [{ field }] });
  expect((await api.call('GET', '/api/channels')).body).toEqual({ items: [] });
  const secrets = await api.database.query(`select 1 from secrets where kind like 'channel_%'`);
  expect(secrets).toEqual([]);
});

test('a channel is added, changed and removed; its keys are shown nowhere', async () => {
  const made = await api.call('POST', '/api/channels', wish());
  expect(made.status).toBe(201);
  const { id } = made.body as { id: string };
  expect(made.body).toMatchObject({
    name: 'Berlin',
    url,
    devices: 0,
    lastWebhookAt: null,
    webhookUrl: `https://odette.example/channels/${id}/webhook`,
  });
  expect((await api.call('POST', '/api/channels', wish())).status).toBe(409);

  const elsewhere = `${url}/behind/a/proxy`;
  const moved = await api.call('PATCH', `/api/channels/${id}`, { url: elsewhere });
  expect([moved.status, moved.body.errors?.[0]?.field]).toEqual([400, 'apiKey']);
  const wrong = await api.call('PATCH', `/api/channels/${id}`, { url: elsewhere, apiKey: 'wrong' });
  expect(wrong.status).toBe(422);
  const renamed = await api.call('PATCH', `/api/channels/${id}`, {
    url: elsewhere,
    apiKey: API_KEY,
    name: 'B',
  });
  expect(renamed.body).toMatchObject({ name: 'B', url: elsewhere });
  expect(paths.at(-1)).toMatch(/^\/behind\/a\/proxy\/v1\/push\//);

  const shown = await api.call('GET', `/api/channels/${id}`);
  for (const key of [API_KEY, WEBHOOK_KEY]) expect(shown.text).not.toContain(key);
  const audited = await api.database.query<{ action: string }>(
    `select action from audit_entries where subject = $1 order by at`,
    [`channel:${id}`],
  );
  expect(audited.map(({ action }) => action)).toEqual(['channel.added', 'channel.changed']);

  expect((await api.call('DELETE', `/api/channels/${id}`)).status).toBe(204);
  expect((await api.call('GET', `/api/channels/${id}`)).status).toBe(404);
  expect(await api.database.query(`select 1 from secrets where kind like 'channel_%'`)).toEqual([]);
});

test('devices are asked once; one that the server does not have is named', async () => {
  const { id } = (await api.call('POST', '/api/channels', wish())).body as { id: string };
  const ask = (udids: string[]) => api.call('POST', `/api/channels/${id}/devices`, { udids });
  expect((await ask(['A-1', 'A-2', 'UNKNOWN'])).body).toEqual({
    asked: 2,
    taken: 0,
    known: 0,
    refused: ['UNKNOWN'],
  });
  expect((await ask(['A-1', 'A-2', 'UNKNOWN'])).body).toEqual({
    asked: 0,
    taken: 0,
    known: 2,
    refused: ['UNKNOWN'],
  });
  expect((await ask(['A-1,A-2'])).status).toBe(400);
  expect((await api.call('GET', `/api/channels/${id}`)).body).toMatchObject({ asked: 2 });
});

test('a channel with a device stays', async () => {
  const { items } = (await api.call('GET', '/api/channels')).body as { items: { id: string }[] };
  const id = items[0]?.id ?? '';
  await api.database.query(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, channel_id)
     values ('Mac', 'macOS', 'A-1', 'enrolled', gen_random_uuid(), $1)`,
    [id],
  );
  expect((await api.call('DELETE', `/api/channels/${id}`)).status).toBe(409);
});
