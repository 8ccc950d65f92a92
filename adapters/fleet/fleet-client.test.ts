// The client against the sandbox's Fleet server: what its statuses mean for a command, and what it says of hosts and of itself.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startFleetServer, type TestFleet } from '../../test/harness/fleet-server.ts';
import { LABEL } from '../../test/harness/fleet-channel.ts';
import type { ProtocolDevice } from '../../test/harness/protocol-device.ts';
import { buildCommand } from '../mdm/command.ts';
import { FleetClient } from './fleet-client.ts';

let fleet: TestFleet;
let device: ProtocolDevice;
beforeAll(async () => {
  fleet = await startFleetServer();
  device = await fleet.enroll();
}, 60_000);
afterAll(() => fleet?.close());

const clientOf = (options: { url?: string; apiToken?: string; allowedHosts?: string[] } = {}) =>
  new FleetClient({ url: fleet.url, apiToken: fleet.token, allowedHosts: ['127.0.0.1'], ...options });
const list = (uuid: string) => buildCommand(uuid, { requestType: 'ProfileList' });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  );

test('a command is queued once; what the device answered comes as it was sent', async () => {
  const client = clientOf();
  const uuid = randomUUID();
  expect(await client.commandResult(uuid, device.udid)).toEqual({ kind: 'unknown' });
  expect(await client.run(device.udid, list(uuid))).toEqual({ kind: 'queued' });
  expect(await client.run(device.udid, list(uuid))).toEqual({ kind: 'known' });
  expect(await client.commandResult(uuid, device.udid)).toEqual({ kind: 'waits' });
  expect(await device.idle()).toBe(uuid);
  await device.notNow(uuid);
  const busy = await client.commandResult(uuid, device.udid);
  expect(busy.kind === 'responded' && busy.body.toString()).toContain('<string>NotNow</string>');
  expect(await device.idle()).toBe(uuid);
  await device.acknowledge(uuid, { ProfileList: [] });
  const answer = await client.commandResult(uuid, device.udid);
  expect(answer.kind === 'responded' && answer.body.toString()).toContain('<string>Acknowledged</string>');
  expect(answer.kind === 'responded' && answer.ageMs).toBeLessThan(60_000);
  // Of another host nothing was asked.
  expect(await client.commandResult(uuid, randomUUID())).toEqual({ kind: 'waits' });
});

test('what Fleet says that it does not take is refused, and the UUID is free again', async () => {
  const client = clientOf();
  const uuid = randomUUID();
  const refused = { kind: 'refused', failureCode: 'channel.command_refused' };
  expect(await client.run(randomUUID(), list(uuid))).toEqual(refused);
  expect(await client.run(device.udid, Buffer.from('no command'))).toEqual(refused);
  const lock = buildCommand(uuid, { requestType: 'ProfileList' })
    .toString()
    .replace('ProfileList', 'DeviceLock');
  expect(await client.run(device.udid, Buffer.from(lock))).toEqual(refused);
  expect(await client.run(device.udid, list(uuid))).toEqual({ kind: 'queued' });
});

test('a command whose push Apple refused is queued all the same', async () => {
  const host = fleet.world.host(device.udid);
  if (host === undefined) throw new Error('it is listed');
  const { pushToken } = host;
  host.pushToken = '';
  const uuid = randomUUID();
  expect(await clientOf().run(device.udid, list(uuid))).toEqual({ kind: 'queued' });
  expect(await clientOf().commandResult(uuid, device.udid)).toEqual({ kind: 'waits' });
  host.pushToken = pushToken;
});

test('a host is found by UDID and serial number, with its labels and the beginning of its enrollment', async () => {
  const byUdid = await clientOf().host(device.udid);
  expect(byUdid).toMatchObject({
    udid: device.udid,
    serialNumber: `C02${device.udid.slice(0, 8)}`,
    model: 'Mac14,2',
    name: 'Studio',
    osVersion: '26.1',
    isManaged: true,
  });
  expect(byUdid?.labels).toContain(LABEL);
  expect(byUdid?.enrolledMark).toBeDefined();
  expect((await clientOf().host(`C02${device.udid.slice(0, 8)}`))?.udid).toBe(device.udid);
  expect(await clientOf().host('nobody')).toBeUndefined();
  const { hosts, isLast } = await clientOf().hosts(0);
  expect([hosts.map(({ udid }) => udid), isLast]).toEqual([[device.udid], true]);
  expect(hosts[0]?.enrolledMark).toBeUndefined();
});

test('a host whose MDM is off, or is of another server, is not managed', async () => {
  const other = await fleet.enroll();
  await other.checkOut();
  expect((await clientOf().host(other.udid))?.isManaged).toBe(false);
  expect(await clientOf().run(other.udid, list(randomUUID()))).toMatchObject({ kind: 'refused' });
});

test('a wrong token, a lesser role, a limit, an outage and a host that is not allowed are told apart', async () => {
  const { state } = fleet.world;
  state.tokens.push({ token: 'observer', role: 'observer' });
  const run = (client: FleetClient) => codeOf(client.run(device.udid, list(randomUUID())));
  expect(await run(clientOf({ apiToken: 'wrong' }))).toBe('channel.key_refused');
  expect(await run(clientOf({ apiToken: 'observer' }))).toBe('channel.role_refused');
  expect(await run(clientOf({ allowedHosts: [] }))).toBe('channel.host_not_allowed');
  expect(await run(clientOf({ url: 'http://127.0.0.1:9' }))).toBe('channel.unreachable');
  state.knobs.unavailable = 1;
  expect(await run(clientOf())).toBe('channel.unexpected_response');
  state.knobs.losesResponses = 1;
  expect(await run(clientOf())).toBe('channel.unreachable');
  Object.assign(state.knobs, { rateLimited: 1, retryAfterSeconds: 7 });
  const limited = await clientOf()
    .facts()
    .catch((error: unknown) => error as { code: string; retryAfterMs: number });
  expect(limited).toMatchObject({ code: 'channel.rate_limited', retryAfterMs: 7_000 });
});

test('it says which server it is, and what its user may', async () => {
  expect(await clientOf().facts()).toEqual({
    version: '4.61.0',
    tier: 'free',
    role: 'admin',
    isAppleMdmOn: true,
    hasOktaConditionalAccess: false,
  });
  expect(await clientOf().profiles(null)).toEqual([]);
});

/** A server that answers everything so. */
async function answering(status: number, headers: Record<string, string>, body: string) {
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: clientOf({ url }), close: () => new Promise((closed) => server.close(closed)) };
}

test.each<[number, string]>([
  [502, '<html>Bad Gateway</html>'],
  [500, '{}'],
  [301, ''],
  [204, ''],
])('%i with %j says nothing of the command: nobody knows whether Fleet has it', async (status, body) => {
  const { client, close } = await answering(status, {}, body);
  expect(await codeOf(client.run(device.udid, list(randomUUID())))).toBe('channel.unexpected_response');
  await close();
});

test.each(['<html>Sign in</html>', '[]', '{"results": {}}', '{"results": [{"host_uuid": 1}]}'])(
  'a success with %j is no answer of Fleet',
  async (body) => {
    const { client, close } = await answering(200, {}, body);
    expect(await codeOf(client.commandResult(randomUUID(), device.udid))).toBe('channel.unexpected_response');
    await close();
  },
);

test("an answer of which Fleet says no time is the device's of now, and another device's is none of it", async () => {
  const uuid = randomUUID();
  const result = (host_uuid: string) => ({
    host_uuid,
    command_uuid: uuid,
    status: 'Acknowledged',
    updated_at: 'never',
    result: Buffer.from('said').toString('base64'),
  });
  const { client, close } = await answering(
    200,
    {},
    JSON.stringify({ results: [result(randomUUID()), result(device.udid.toLowerCase())] }),
  );
  expect(await client.commandResult(uuid, device.udid)).toMatchObject({ kind: 'responded', ageMs: 0 });
  expect(await client.commandResult(uuid, randomUUID())).toEqual({ kind: 'waits' });
  await close();
});

test('how long a limit holds may be a date, and may be missing', async () => {
  const limited = async (headers: Record<string, string>) => {
    const { client, close } = await answering(429, headers, '{"message": "limit exceeded"}');
    const error = await client.hosts(0).catch((failure: unknown) => failure as { retryAfterMs?: number });
    await close();
    return error as { code: string; retryAfterMs?: number };
  };
  const later = await limited({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
  expect(later.code).toBe('channel.rate_limited');
  expect(later.retryAfterMs).toBeGreaterThan(50_000);
  expect(later.retryAfterMs).toBeLessThanOrEqual(60_000);
  expect((await limited({ 'retry-after': new Date(0).toUTCString() })).retryAfterMs).toBe(0);
  for (const headers of [{}, { 'retry-after': 'soon' }])
    expect((await limited(headers)).retryAfterMs, JSON.stringify(headers)).toBeUndefined();
});

test('a server that does not answer in time is not reached', async () => {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort(new Error('too late')));
  expect(await codeOf(clientOf().run(device.udid, list(randomUUID())))).toBe('channel.unreachable');
  vi.restoreAllMocks();
});

test('an answer that never ends is not read, and the token is in no error', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () =>
      void response.write(Buffer.alloc(1024 * 1024, ' '), (error) => (error ? undefined : more()));
    more();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error: unknown = await clientOf({ url, apiToken: 'hidden-token' })
    .hosts(0)
    .catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'channel.unexpected_response' });
  expect(JSON.stringify(error) + String(error)).not.toContain('hidden-token');
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});
