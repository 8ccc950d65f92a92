// The client against the sandbox's Fleet server: what its statuses mean for a command, and what it says of hosts and of itself.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
  expect(await client.answer(uuid, device.udid)).toEqual({ kind: 'unknown' });
  expect(await client.run(device.udid, list(uuid))).toEqual({ kind: 'queued' });
  expect(await client.run(device.udid, list(uuid))).toEqual({ kind: 'known' });
  expect(await client.answer(uuid, device.udid)).toEqual({ kind: 'waits' });
  expect(await device.idle()).toBe(uuid);
  await device.notNow(uuid);
  const busy = await client.answer(uuid, device.udid);
  expect(busy.kind === 'answered' && busy.body.toString()).toContain('<string>NotNow</string>');
  expect(await device.idle()).toBe(uuid);
  await device.acknowledge(uuid, { ProfileList: [] });
  const answer = await client.answer(uuid, device.udid);
  expect(answer.kind === 'answered' && answer.body.toString()).toContain('<string>Acknowledged</string>');
  expect(answer.kind === 'answered' && answer.ageMs).toBeLessThan(60_000);
  // Of another host nothing was asked.
  expect(await client.answer(uuid, randomUUID())).toEqual({ kind: 'waits' });
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
  expect(await clientOf().answer(uuid, device.udid)).toEqual({ kind: 'waits' });
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
