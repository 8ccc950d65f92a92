// What NanoMDM's answers mean for a command and for a push, whichever storage it has: each answer as its sources write it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { NanoMdmClient } from './nanomdm-client.ts';

const UDID = 'AAAAAAAA-0000-4000-8000-000000000001';
let server: Server;
let url: string;
/** What the next request is answered; undefined: nothing. */
let answer: { status: number; body: string } | undefined;
const asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    if (answer !== undefined) response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  vi.restoreAllMocks();
  asked.splice(0);
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((closed) => server.close(closed));
});

const client = () => new NanoMdmClient({ url: `${url}/`, apiKey: 'hidden-key', allowedHosts: ['127.0.0.1'] });
const enqueue = (status: number, body: object | string) => {
  answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
  return client().enqueue(UDID, Buffer.from('plist'));
};
const push = (status: number, body: object) => {
  answer = { status, body: JSON.stringify(body) };
  return client().push(UDID);
};
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

test.each([
  ['PostgreSQL', 'ERROR: duplicate key value violates unique constraint "commands_pkey" (SQLSTATE 23505)'],
  ['MySQL', "Error 1062 (23000): Duplicate entry 'A' for key 'commands.PRIMARY'"],
  ['a key-value storage', 'command already exists: A'],
])('a UUID that the server has had is known, on %s', async (_storage, command_error) => {
  expect(await enqueue(500, { command_error })).toEqual({ kind: 'known' });
  expect(await enqueue(500, { status: { [UDID]: { command_error } } })).toEqual({ kind: 'known' });
});

test('whether a command was queued is what the answer says of it, not its status, and not its push', async () => {
  expect(await enqueue(200, { command_uuid: 'A', request_type: 'ProfileList', no_push: true })).toEqual({
    kind: 'queued',
  });
  expect(await enqueue(500, { push_error: 'no push certificate' })).toEqual({ kind: 'queued' });
  const refused = { kind: 'refused', failureCode: 'channel.command_refused' };
  expect(await enqueue(207, { status: { [UDID]: { command_error: 'foreign key' } } })).toEqual(refused);
  expect(asked).toEqual(Array<string>(3).fill(`PUT /v1/enqueue/${UDID}?nopush=1`));
});

test.each<[number, string]>([
  [200, 'Welcome to nginx!'],
  [200, '[]'],
  [200, '{"status": "ok"}'],
  [502, '{}'],
  [404, '{}'],
  [301, '{}'],
])('%i with %s is no answer of NanoMDM: nobody knows whether it has the command', async (status, body) => {
  expect(await failure(enqueue(status, body))).toMatchObject({
    code: 'channel.unexpected_response',
    facts: { status },
  });
  expect(asked).toHaveLength(1);
});

test('a server that does not answer in time is not reached, and no error carries the key', async () => {
  answer = undefined;
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort(new Error('too late')));
  const error = await failure(client().enqueue(UDID, Buffer.from('plist')));
  expect(error).toMatchObject({ code: 'channel.unreachable', facts: { reason: 'no response' } });
  expect(JSON.stringify(error) + String(error)).not.toContain('hidden-key');
});

test('a push that Apple refuses for good is told apart from one that failed', async () => {
  expect(await push(200, { status: { [UDID]: { push_result: 'id' } } })).toBeNull();
  for (const push_error of ['Unregistered', '410', 'BadDeviceToken', 'ExpiredToken'])
    expect(await push(500, { status: { [UDID]: { push_error } } }), push_error).toBe('apns.token_gone');
  for (const push_error of ['TooManyRequests', 'context deadline exceeded', 'port 4100'])
    expect(await push(500, { status: { [UDID]: { push_error } } }), push_error).toBe('channel.push_failed');
  expect(await push(500, { push_error: 'no push certificate' })).toBe('channel.push_failed');
});
