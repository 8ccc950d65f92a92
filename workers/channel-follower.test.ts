// Following a Fleet server that misbehaves: responses and commands that are lost, limits, outages, hosts that go; what is named of it.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ActivityDependencies } from '../activities/index.ts';
import { wakeDevice } from '../activities/wake-device.ts';
import { listReadings, readNow } from '../adapters/store/devices/channel-readings.ts';
import { buildPlist } from '../adapters/mdm/plist.ts';
import { queueFor, startDeviceListener, type DeviceListener } from '../test/harness/device-listener.ts';
import { connectFleet, startFleetServer, type TestFleet } from '../test/harness/fleet-server.ts';
import type { ProtocolDevice } from '../test/harness/protocol-device.ts';

let listener: DeviceListener;
let fleet: TestFleet;
let channel: { readonly id: string; stop(): Promise<void> };
let deps: ActivityDependencies;
beforeAll(async () => {
  listener = await startDeviceListener({ allowedPrivateHosts: ['127.0.0.1'] });
  fleet = await startFleetServer();
  channel = await connectFleet(listener, fleet);
  const { database, ring, channels } = listener;
  const fleetClient = (id: string) => channels.fleet(id);
  deps = {
    database,
    sealer: ring,
    fleet: fleetClient,
  } as Partial<ActivityDependencies> as ActivityDependencies;
}, 60_000);
afterAll(async () => {
  await channel?.stop();
  await fleet?.close();
  await listener?.stop();
}, 60_000);

const row = async <Row extends object>(sql: string, ...values: unknown[]): Promise<Row | undefined> =>
  (await listener.database.query<Row>(sql, values))[0];
const soon = <Value>(look: () => Promise<Value>): Promise<Value> =>
  vi.waitFor(look, { timeout: 60_000, interval: 50 });
const known = async ({ udid }: ProtocolDevice) => {
  const found = await row<{ id: string; enrollmentId: string; enrollmentStatus: string }>(
    'select id, enrollment_id, enrollment_status from devices where udid = $1',
    udid,
  );
  if (found?.enrollmentStatus !== 'enrolled') throw new Error(`${udid} is not enrolled yet`);
  return found;
};
const enrolled = async () => {
  const device = await fleet.enroll();
  await readNow(listener.database, channel.id);
  return { device, ...(await soon(() => known(device))) };
};
const commandIs = (uuid: string, wanted: object) =>
  soon(async () =>
    expect(await row('select state, status, hand_overs from commands where uuid = $1', uuid)).toMatchObject(
      wanted,
    ),
  );

test('a label brings a host into its blueprint, with what Fleet knows of it; a host without it stays out', async () => {
  fleet.world.state.knobs.newHostLabels = [];
  const stranger = await fleet.enroll();
  fleet.world.state.knobs.newHostLabels = ['Okta Device Trust'];
  const { id } = await enrolled();
  expect(
    await row(
      'select family, model, name, os_version, blueprint_id, channel_id from devices where id = $1',
      id,
    ),
  ).toEqual({
    family: 'Mac',
    model: 'Mac14,2',
    name: 'Studio',
    osVersion: '26.1',
    blueprintId: listener.blueprintId,
    channelId: channel.id,
  });
  expect(await row('select 1 from devices where udid = $1', stranger.udid)).toBeUndefined();
});

test('a response that got lost on the way: the command is known when it is given again, and carried out once', async () => {
  const { device, id, enrollmentId } = await enrolled();
  const uuid = await queueFor(listener, { id, enrollmentId }, { requestType: 'ProfileList' });
  fleet.world.state.knobs.losesResponses = 1;
  expect(await wakeDevice(deps, id)).toBe('channel.unreachable');
  expect(await wakeDevice(deps, id)).toBeNull();
  expect(await device.idle()).toBe(uuid);
  expect(await device.acknowledge(uuid, { ProfileList: [] })).toBeUndefined();
  await commandIs(uuid, { state: 'responded', status: 'Acknowledged', handOvers: 1 });
});

test('a challenge whose response got lost is not given again, and its answer counts', async () => {
  const { device, id, enrollmentId } = await enrolled();
  const uuid = await queueFor(listener, { id, enrollmentId }, { handsOverOnce: true, isSealed: true });
  fleet.world.state.knobs.losesResponses = 1;
  expect(await wakeDevice(deps, id)).toBe('channel.unreachable');
  expect(await wakeDevice(deps, id)).toBeNull();
  expect(await device.idle()).toBe(uuid);
  await device.acknowledge(uuid);
  await commandIs(uuid, { state: 'responded', status: 'Acknowledged', handOvers: 1 });
});

test('a command that Fleet lost is given again; a challenge is not, and is over', async () => {
  const { device, id, enrollmentId } = await enrolled();
  fleet.world.state.knobs.losesCommands = 2;
  const listed = await queueFor(listener, { id, enrollmentId }, { requestType: 'ProfileList' });
  const challenge = await queueFor(listener, { id, enrollmentId }, { handsOverOnce: true, isSealed: true });
  expect(await wakeDevice(deps, id)).toBeNull();
  expect(await device.idle()).toBeUndefined();
  await listener.database.query(
    `update commands set handed_over_at = now() - interval '2 minutes' where device_id = $1`,
    [id],
  );
  await listener.database.query('update channel_questions set next_at = now() where device_id = $1', [id]);
  await commandIs(challenge, { state: 'withdrawn', status: 'Unknown' });
  await commandIs(listed, { state: 'queued' });
  expect(await wakeDevice(deps, id)).toBeNull();
  expect(await device.idle()).toBe(listed);
  await device.acknowledge(listed, { ProfileList: [] });
  await commandIs(listed, { state: 'responded', status: 'Acknowledged' });
});

test('an answer that is none is passed over, and what comes after it counts', async () => {
  const { device, id, enrollmentId } = await enrolled();
  const strange = await queueFor(listener, { id, enrollmentId }, { requestType: 'ProfileList' });
  const next = await queueFor(listener, { id, enrollmentId });
  await wakeDevice(deps, id);
  expect(await device.idle()).toBe(strange);
  const kept = fleet.world.state.commands.find(({ uuid }) => uuid === strange);
  if (kept === undefined) throw new Error('Fleet has it');
  const another = { CommandUUID: strange, Status: 'Acknowledged', UDID: crypto.randomUUID() };
  Object.assign(kept, {
    status: 'Acknowledged',
    result: buildPlist(another).toString('base64'),
    answeredAt: Date.now(),
  });
  await commandIs(strange, { state: 'responded' });
  expect(await row('select failure from commands where uuid = $1', strange)).toMatchObject({
    failure: { code: 'mdm.message_unreadable' },
  });
  expect(await device.idle()).toBe(next);
  await device.acknowledge(next);
  await commandIs(next, { state: 'responded', status: 'Acknowledged' });
});

test('a limit and an outage pause the channel and are shown; it goes on by itself', async () => {
  const { device, id, enrollmentId } = await enrolled();
  const uuid = await queueFor(listener, { id, enrollmentId });
  await wakeDevice(deps, id);
  expect(await device.idle()).toBe(uuid);
  Object.assign(fleet.world.state.knobs, { rateLimited: 1, retryAfterSeconds: 60 });
  const problem = async () => (await listReadings(listener.database, [channel.id]))[0]?.problem;
  await soon(async () => expect(await problem()).toBe('channel.rate_limited'));
  const goOn = async (): Promise<void> => {
    await listener.database.query('update channel_readings set paused_until = now() where channel_id = $1', [
      channel.id,
    ]);
    await listener.database.query('update channel_questions set next_at = now() where device_id = $1', [id]);
  };
  const asked = fleet.world.state.counts['requests'];
  const reading = await row<{ ms: number }>(
    'select (extract(epoch from paused_until - now()) * 1000)::float8 as ms from channel_readings where channel_id = $1',
    channel.id,
  );
  expect(reading?.ms).toBeGreaterThan(10_000);
  // Until it is seen: one failure alone would be over, and the next look at the channel good again, before a slow test has looked.
  fleet.world.state.knobs.unavailable = Infinity;
  await device.acknowledge(uuid);
  await goOn();
  await soon(async () => expect(await problem()).toBe('channel.unexpected_response'));
  fleet.world.state.knobs.unavailable = 0;
  expect(fleet.world.state.counts['requests']).toBeGreaterThan(asked ?? 0);
  await commandIs(uuid, { state: 'responded', status: 'Acknowledged' });
  await soon(async () => expect(await problem()).toBeNull());
}, 90_000);

test('a host that Fleet no longer has has left, and comes back to where it was', async () => {
  const { device, id } = await enrolled();
  const { state } = fleet.world;
  const host = fleet.world.host(device.udid);
  state.hosts = state.hosts.filter((one) => one !== host);
  await readNow(listener.database, channel.id);
  const status = async () =>
    (await row<{ status: string }>('select enrollment_status as status from devices where id = $1', id))
      ?.status;
  await soon(async () => expect(await status()).toBe('checked_out'));
  await device.authenticate();
  await device.updateToken();
  await readNow(listener.database, channel.id);
  await soon(async () => expect(await status()).toBe('enrolled'));
  expect(await row('select blueprint_id from devices where id = $1', id)).toEqual({
    blueprintId: listener.blueprintId,
  });
});

test('what of the server works against Odette is named, and looked into again when a profile changes', async () => {
  const { state } = fleet.world;
  const profile = (name: string, payloads: object[]) => ({
    uuid: `a${crypto.randomUUID()}`,
    name,
    teamId: null,
    content: buildPlist({ PayloadType: 'Configuration', PayloadContent: payloads as never }).toString(
      'base64',
    ),
  });
  const scep = {
    PayloadType: 'com.apple.security.scep',
    PayloadContent: { URL: 'https://acme.okta.com/scep' },
  };
  state.profiles.push(
    profile('Okta certificate', [scep]),
    profile('Wi-Fi', [{ PayloadType: 'com.apple.wifi.managed' }]),
  );
  state.knobs.oktaConditionalAccess = true;
  const findings = async () =>
    (await listReadings(listener.database, [channel.id]))[0]?.findings.map(({ code, profile: of }) => [
      code,
      of,
    ]);
  await readNow(listener.database, channel.id);
  await soon(async () =>
    expect(await findings()).toEqual([
      ['okta_conditional_access', null],
      ['okta_certificate', 'Okta certificate'],
    ]),
  );
  state.profiles = [{ ...profile('Broken', []), content: Buffer.from('no plist').toString('base64') }];
  state.knobs.oktaConditionalAccess = false;
  await readNow(listener.database, channel.id);
  await soon(async () => expect(await findings()).toEqual([['unreadable_profile', 'Broken']]));
});
