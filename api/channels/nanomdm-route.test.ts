// Webhooks of a NanoMDM server, as they come: signed or not, of known and unknown devices, doubled, late and in any order.
// Long, because one relation is told in many orders: each case is a conversation of a device.
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readCommand } from '../../adapters/mdm/command.ts';
import { buildPlist, type PlistDict } from '../../adapters/mdm/plist.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { addChannel } from '../../adapters/store/devices/channels.ts';
import { queueFor, startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { ProtocolDevice } from '../../test/harness/protocol-device.ts';

const KEY = 'the key of the webhooks';
/** What the other server was asked. */
const asked: { method: string; path: string; body: Buffer }[] = [];
let api: Server;
let listener: DeviceListener;
let channelId: string;

beforeAll(async () => {
  api = createServer((request, response) => {
    void buffer(request).then((body) => {
      const path = request.url ?? '';
      asked.push({ method: request.method ?? '', path, body });
      response.writeHead(200).end('{}');
    });
  });
  await new Promise<void>((listening) => api.listen(0, '127.0.0.1', listening));
  listener = await startDeviceListener({ allowedPrivateHosts: ['127.0.0.1'] });
  const { database, ring } = listener;
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const address = url.replace('http://', '') + '/';
  const apiKey = { kind: 'channel_api_key', value: 'k', by: 'test', address } as const;
  const webhookKey = { kind: 'channel_webhook_key', value: KEY, by: 'test' } as const;
  channelId =
    (await addChannel(database, {
      kind: 'nanomdm',
      name: 'NanoMDM',
      url,
      apiKeySecretId: (await storeSecret(database, ring, apiKey)).id,
      webhookKeySecretId: (await storeSecret(database, ring, webhookKey)).id,
      blueprintId: listener.blueprintId,
    })) ?? '';
}, 60_000);
afterAll(async () => {
  await listener.stop();
  await new Promise((closed) => api.close(closed));
});
beforeEach(() => asked.splice(0));

let clock = Date.now() - 3_600_000;
/** A moment after the last one. */
const next = (): string => new Date((clock += 1_000)).toISOString();

async function post(body: string, signature = sign(body), id = channelId): Promise<number> {
  const response = await fetch(`${listener.url}/channels/${id}/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-hmac-signature': signature },
    body,
  });
  await response.text();
  return response.status;
}
const sign = (body: string, key = KEY): string => createHmac('sha256', key).update(body).digest('base64');

const eventOf = (dict: PlistDict, at: string): string => {
  const raw = { raw_payload: buildPlist(dict).toString('base64'), ids: { id: dict['UDID'], type: 'Device' } };
  const isReport = dict['MessageType'] === undefined;
  return JSON.stringify({
    topic: isReport ? 'mdm.Connect' : `mdm.${String(dict['MessageType'])}`,
    created_at: at,
    ...(isReport ? { acknowledge_event: raw } : { checkin_event: raw }),
  });
};
const tell = (dict: PlistDict, at = next()): Promise<number> => post(eventOf(dict, at));

const newUdid = (): string => randomUUID().toUpperCase();
const authenticate = (UDID: string): PlistDict => ({
  MessageType: 'Authenticate',
  Topic: 'com.apple.mgmt.External.other',
  UDID,
  ProductName: 'Mac14,2',
  SerialNumber: `C02${UDID.slice(0, 8)}`,
  DeviceName: 'Studio',
  OSVersion: '26.1',
});
const tokenUpdate = (UDID: string): PlistDict => ({
  MessageType: 'TokenUpdate',
  Topic: 'com.apple.mgmt.External.other',
  UDID,
  Token: Buffer.alloc(32, 7),
  PushMagic: 'magic',
  AwaitingConfiguration: false,
});
const checkOut = (UDID: string): PlistDict => ({ MessageType: 'CheckOut', Topic: 't', UDID });

interface Known {
  readonly id: string;
  readonly enrollmentId: string;
  readonly enrollmentStatus: string;
  readonly family: string;
  readonly channelId: string | null;
  readonly blueprintId: string | null;
  readonly serialNumber: string | null;
  readonly name: string | null;
}
async function known(udid: string): Promise<Known | undefined> {
  const [row] = await listener.database.query<Known>('select * from devices where udid = $1', [udid]);
  return row;
}
const statusOf = async (udid: string): Promise<string | undefined> => (await known(udid))?.enrollmentStatus;
async function enrolled(): Promise<{ udid: string; id: string; enrollmentId: string }> {
  const udid = newUdid();
  await tell(authenticate(udid));
  await tell(tokenUpdate(udid));
  const device = await known(udid);
  return { udid, id: device?.id ?? '', enrollmentId: device?.enrollmentId ?? '' };
}
async function waitsFor(deviceId: string): Promise<string | null | undefined> {
  const [row] = await listener.database.query<{ text: string | null }>(
    'select waits_for as text from device_trust where device_id = $1',
    [deviceId],
  );
  return row?.text;
}
async function signals(deviceId: string): Promise<string[]> {
  const rows = await listener.database.query<{ signal: string }>(
    `select message ->> 'signal' as signal from outbox where ordering_key = $1 order by position`,
    [deviceId],
  );
  return rows.map(({ signal }) => signal);
}
async function given(device: { id: string; enrollmentId: string }, requestType: string): Promise<string> {
  const uuid = await queueFor(listener, device, { requestType });
  await listener.database.query(
    `update commands set state = 'handed_over', handed_over_at = now(), hand_overs = 1 where uuid = $1`,
    [uuid],
  );
  return uuid;
}
async function commandOf(uuid: string) {
  const [row] = await listener.database.query<{
    state: string;
    status: string | null;
    notNowAt: Date | null;
  }>('select state, status, not_now_at from commands where uuid = $1', [uuid]);
  return row;
}
const profileList = (UDID: string, CommandUUID: string, identifiers: readonly string[]): PlistDict => ({
  UDID,
  Status: 'Acknowledged',
  CommandUUID,
  ProfileList: identifiers.map((PayloadIdentifier) => ({
    PayloadIdentifier,
    PayloadUUID: randomUUID(),
    PayloadContent: [],
  })),
});
async function listed(deviceId: string): Promise<string[]> {
  const [row] = await listener.database.query<{ profiles: { identifier: string }[] }>(
    'select profiles from reported_inventory where device_id = $1',
    [deviceId],
  );
  return (row?.profiles ?? []).map(({ identifier }) => identifier);
}

test('a webhook that is not signed with the key of its channel, or for no channel, changes nothing', async () => {
  const udid = newUdid();
  const body = eventOf(authenticate(udid), next());
  expect(await post(body, sign(body, 'another key'))).toBe(400);
  expect(await post(body, '')).toBe(400);
  expect(await post(body, sign(body), randomUUID())).toBe(400);
  expect(await post(`${body} `, sign(body))).toBe(400);
  expect(await known(udid)).toBeUndefined();
  expect(await post('{"topic":1}')).toBe(400);
});

test('a device enrolls, is where the channel puts it, is told to its workflows once, and leaves', async () => {
  const { udid, id } = await enrolled();
  expect(await known(udid)).toMatchObject({
    enrollmentStatus: 'enrolled',
    family: 'Mac',
    channelId,
    blueprintId: listener.blueprintId,
    name: 'Studio',
  });
  const once = ['deviceAuthenticated', 'deviceAuthenticated', 'deviceEnrolled', 'deviceEnrolled'];
  expect((await signals(id)).sort()).toEqual(once);
  await tell(tokenUpdate(udid));
  expect((await signals(id)).sort()).toEqual(once);
  const at = next();
  expect(await tell(checkOut(udid), at)).toBe(200);
  expect(await tell(checkOut(udid), at)).toBe(200);
  expect(await statusOf(udid)).toBe('checked_out');
  expect((await signals(id)).filter((signal) => signal === 'deviceCheckedOut')).toHaveLength(2);
  expect(await waitsFor(id)).toBe(
    'This Mac ended its enrollment. To bring it back, enroll it again in NanoMDM.',
  );
});

test.each([
  [['authenticate', 'token', 'checkOut', 'authenticate2', 'token2']],
  [['authenticate2', 'token2', 'authenticate', 'token', 'checkOut']],
  [['authenticate', 'token', 'authenticate2', 'token2', 'checkOut']],
  [['authenticate', 'token', 'checkOut', 'token2', 'authenticate2']],
  [['authenticate', 'token2', 'authenticate2', 'checkOut', 'token']],
  [['authenticate', 'authenticate2', 'checkOut', 'token', 'token2']],
])('in whatever order it is told, the device is enrolled in the end: %j', async (order) => {
  const udid = newUdid();
  const times = ['authenticate', 'token', 'checkOut', 'authenticate2', 'token2'].map((name) => [
    name,
    next(),
  ]);
  const said: Record<string, PlistDict> = {
    authenticate: authenticate(udid),
    token: tokenUpdate(udid),
    checkOut: checkOut(udid),
    authenticate2: authenticate(udid),
    token2: tokenUpdate(udid),
  };
  const at = Object.fromEntries(times) as Record<string, string>;
  for (const name of order) for (const _time of ['once', 'twice']) await tell(said[name] ?? {}, at[name]);
  expect(await statusOf(udid)).toBe('enrolled');
});

test('whatever is told of an enrollment before it ended comes too late', async () => {
  const udid = newUdid();
  const [began, token, idle, over] = [next(), next(), next(), next()];
  await tell(authenticate(udid), began);
  await tell(checkOut(udid), over);
  await tell(tokenUpdate(udid), token);
  await tell({ UDID: udid, Status: 'Idle' }, idle);
  await tell(authenticate(udid), began);
  expect(await statusOf(udid)).toBe('checked_out');
  // It is back, and what said so was lost.
  await tell({ UDID: udid, Status: 'Idle' });
  expect(await known(udid)).toMatchObject({ enrollmentStatus: 'enrolled', family: 'Mac' });
});

test('Authenticate and TokenUpdate that come at once enroll the device, and no question stays open', async () => {
  const udids = Array.from({ length: 5 }, newUdid);
  const said = udids.flatMap((udid) => {
    const [began, token] = [next(), next()];
    return [() => tell(authenticate(udid), began), () => tell(tokenUpdate(udid), token)];
  });
  await Promise.all(said.map((send) => send()));
  // Where the TokenUpdate came first, the next contact says so.
  for (const udid of udids) await tell({ UDID: udid, Status: 'Idle' });
  expect(await Promise.all(udids.map(statusOf))).toEqual(udids.map(() => 'enrolled'));
  const { database } = listener;
  const open = await database.query('select 1 from channel_adoptions where udid = any($1)', [udids]);
  expect(open).toEqual([]);
});

test('a report enrolls a device whose TokenUpdate was lost', async () => {
  const udid = newUdid();
  await tell(authenticate(udid));
  expect(await statusOf(udid)).toBe('authenticated');
  await tell({ UDID: udid, Status: 'Idle' });
  expect(await statusOf(udid)).toBe('enrolled');
});

test('a response ends its command once, whatever comes again; its UUID may be another one', async () => {
  const device = await enrolled();
  const uuid = await given(device, 'ProfileList');
  const alias = randomUUID();
  await listener.database.query('insert into command_aliases values ($1, $2)', [alias, uuid]);
  const answer = profileList(device.udid, alias.toUpperCase(), ['test.a']);
  const at = next();
  await tell(answer, at);
  await tell(answer, at);
  await tell({ UDID: device.udid, Status: 'NotNow', CommandUUID: uuid });
  expect(await commandOf(uuid)).toMatchObject({ state: 'responded', status: 'Acknowledged' });
  expect(await listed(device.id)).toEqual(['test.a']);
  expect((await signals(device.id)).filter((signal) => signal === 'commandsResponded')).toHaveLength(1);
});

test('a list that is older than the last one ends its command, and does not count', async () => {
  const device = await enrolled();
  const [first, second] = [await given(device, 'ProfileList'), await given(device, 'ProfileList')];
  const [before, after] = [next(), next()];
  await tell(profileList(device.udid, second, ['test.new']), after);
  await tell(profileList(device.udid, first, ['test.old']), before);
  expect(await listed(device.id)).toEqual(['test.new']);
  expect(await commandOf(first)).toMatchObject({ state: 'responded', status: 'Acknowledged' });
});

test('a command that got NotNow stays with the server that has it, whatever the device says next', async () => {
  const device = await enrolled();
  const uuid = await given(device, 'InstallProfile');
  await tell({ UDID: device.udid, Status: 'NotNow', CommandUUID: uuid });
  await tell({ UDID: device.udid, Status: 'Idle' });
  const command = await commandOf(uuid);
  expect(command).toMatchObject({ state: 'handed_over', status: null });
  expect(command?.notNowAt).toBeInstanceOf(Date);
});

test("what another server's own commands bring is not kept", async () => {
  const device = await enrolled();
  await tell({
    UDID: device.udid,
    Status: 'Acknowledged',
    CommandUUID: randomUUID(),
    Secret: 'recovery key',
  });
  const kept = await listener.database.query('select 1 from unparsed_responses where device_id = $1', [
    device.id,
  ]);
  expect(kept).toEqual([]);
});

test('a device that Odette does not know is asked once who it is, and is known when it answers', async () => {
  const udid = newUdid();
  await tell({ UDID: udid, Status: 'Idle' });
  await tell(tokenUpdate(udid));
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `PUT /v1/enqueue/${udid}?nopush=1`,
    `GET /v1/push/${udid}`,
  ]);
  expect(await known(udid)).toBeUndefined();
  const { commandUuid, requestType } = readCommand(asked[0]?.body ?? Buffer.alloc(0));
  expect(requestType).toBe('DeviceInformation');
  const answer = {
    UDID: udid,
    Status: 'Acknowledged',
    CommandUUID: commandUuid,
    QueryResponses: {
      ProductName: 'iPhone15,2',
      SerialNumber: 'F2L',
      DeviceName: 'Phone',
      OSVersion: '26.1',
    },
  };
  // Nobody asked this.
  await tell({ ...answer, CommandUUID: randomUUID() });
  expect(await known(udid)).toBeUndefined();
  await tell(answer);
  await tell(answer);
  expect(await known(udid)).toMatchObject({
    enrollmentStatus: 'enrolled',
    family: 'iPhone',
    serialNumber: 'F2L',
    channelId,
    blueprintId: listener.blueprintId,
  });
});

test('a device whose answer got lost is asked again when it calls a minute later', async () => {
  const udid = newUdid();
  const call = () => tell({ UDID: udid, Status: 'Idle' });
  await call();
  await call();
  expect(asked).toHaveLength(2);
  await listener.database.query(
    `update channel_adoptions set asked_at = asked_at - interval '61 seconds' where udid = $1`,
    [udid],
  );
  await call();
  await call();
  expect(asked).toHaveLength(4);
  const [first, , second] = asked.map(({ body }) => (body.length > 0 ? readCommand(body).commandUuid : ''));
  expect(second).not.toBe(first);
});

test('what a device calls itself cannot name two', async () => {
  const udid = `${newUdid()},${newUdid()}`;
  expect(await tell({ UDID: udid, Status: 'Idle' })).toBe(200);
  expect(asked).toEqual([]);
});

test("a device that is enrolled in Odette is not taken over by another server's word", async () => {
  const device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const before = await known(device.udid);
  await tell(authenticate(device.udid));
  await tell(tokenUpdate(device.udid));
  await tell({ UDID: device.udid, Status: 'Idle' });
  await tell(checkOut(device.udid));
  expect(await known(device.udid)).toEqual(before);
  expect(asked).toEqual([]);
});
