// Odette beside a Fleet server: its devices become trusted, one is renewed, one fails and is replayed, one leaves.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import * as pretend from '../harness/pretend-devices.ts';
import { devicesOf, setUpTrust, untilAllAre, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

interface Sandboxed {
  readonly name: string;
  readonly udid: string;
  readonly user: { readonly login: string };
}
interface FleetView {
  readonly tokens: readonly { readonly token: string }[];
  readonly hosts: readonly { readonly udid: string }[];
}

const MAC = 'mac-ada';
const PHONE = 'iphone-ben';
const LABEL = 'Okta Device Trust';

let world: World;
let trusted: TrustedWorld;
let database: Database;
let devices: readonly Sandboxed[];
let channelId: string;
let token: string;
const udidOf = (name: string) => devices.find((device) => device.name === name)?.udid ?? '';
const idOf = async (name: string): Promise<string> =>
  (await devicesOf(trusted)).find(({ udid }) => udid === udidOf(name))?.id ?? '';
const enroll = (name: string) =>
  world.manage('POST', `/devices/${name}/enroll`, { url: world.sandbox.fleet, code: 'any' });
const readNow = () =>
  trusted.stage.odette.call('post /api/channels/{id}/read', { params: { id: channelId } });

beforeAll(async () => {
  world = await startWorld({ devices: 'default' });
  trusted = await setUpTrust(world);
  database = connectDatabase(world.databaseUrl);
  token = (await world.manage<FleetView>('GET', '/fleet')).tokens[0]?.token ?? '';
  await world.manage('PATCH', '/fleet/knobs', { newHostLabels: [LABEL] });
  const made = await trusted.stage.odette.call('post /api/channels', {
    body: {
      kind: 'fleet',
      name: 'Fleet',
      url: world.sandbox.fleet,
      apiKey: token,
      labels: [{ label: LABEL, blueprintId: trusted.blueprintId }],
    },
  });
  channelId = made.id;
  ({ devices } = await world.manage<{ devices: Sandboxed[] }>('GET', '/devices'));
}, 180_000);
afterAll(async () => {
  await database?.end();
  await world?.stop();
}, 60_000);

test('a Mac and an iPhone that enroll in Fleet become trusted, with the same proof', async () => {
  for (const name of [MAC, PHONE]) await enroll(name);
  await readNow();
  const known = await eventually(
    () => devicesOf(trusted),
    (all) => all.length === 2,
    { withinMs: 60_000, what: 'two devices are known' },
  );
  for (const { id, udid } of known) {
    const user = devices.find((device) => device.udid === udid)?.user.login ?? '';
    await trusted.stage.odette.call('patch /api/devices/{id}', { params: { id }, body: { user } });
  }
  await untilAllAre(trusted, ['trusted'], { count: 2, withinMs: 240_000 });
  const truths = await database.query<{ truth: string; state: string }>(
    'select truth, state from device_truths where device_id = $1 order by truth',
    [await idOf(MAC)],
  );
  expect(Object.fromEntries(truths.map(({ truth, state }) => [truth, state]))).toEqual({
    certificatePresent: 'held',
    delivered: 'held',
    managed: 'held',
    oktaVerifyManaged: 'held',
    registered: 'held',
  });
  pretend.expectWholeMac(MAC, await pretend.onSandbox(world, MAC));
}, 360_000);

const timeline = async (name: string): Promise<string[]> => {
  const { items } = await trusted.stage.odette.call('get /api/devices/{id}/timeline', {
    params: { id: await idOf(name) },
    query: { limit: 200 },
  });
  return items.map(({ kind }) => kind);
};

test('its timeline says what it says of any other, and each command was given once', async () => {
  const kinds = await timeline(MAC);
  for (const kind of ['authenticated', 'enrolled', 'rollout_completed']) expect(kinds).toContain(kind);
  const commands = await database.query<{ state: string; handOvers: number }>(
    'select state, hand_overs from commands where device_id = $1',
    [await idOf(MAC)],
  );
  expect(commands.filter(({ state }) => state === 'responded').length).toBeGreaterThan(5);
  expect(commands.every(({ handOvers }) => handOvers <= 1)).toBe(true);
}, 30_000);

test('a certificate is renewed', async () => {
  const before = pretend.certificatesOf(await pretend.onSandbox(world, MAC));
  expect(before).toHaveLength(1);
  await trusted.stage.odette.call('post /api/devices/{id}/renew', { params: { id: await idOf(MAC) } });
  await eventually(
    async () => pretend.certificatesOf(await pretend.onSandbox(world, MAC)),
    (now) => now.length === 1 && now[0]?.serialNumber !== before[0]?.serialNumber,
    { withinMs: 240_000, what: 'another certificate, and no other' },
  );
  await untilAllAre(trusted, ['trusted'], { count: 2, withinMs: 120_000 });
}, 400_000);

const until = (name: string, bucket: string, withinMs = 240_000) =>
  eventually(
    async () => (await devicesOf(trusted)).find(({ udid }) => udid === udidOf(name)),
    (device) => device?.bucket === bucket,
    { withinMs, what: `${name}: ${bucket}`, everyMs: 500 },
  );

test('a device that an operator names by its serial number refuses, fails, and is trusted after a replay', async () => {
  const name = 'fleet-defiant';
  const knobs = { breaks: [{ requestType: 'InstallProfile', times: 3 }] };
  await world.manage('PATCH', '/fleet/knobs', { newHostLabels: [] });
  const added = await world.manage<{ hardware: { serialNumber: string } }>('POST', '/devices', {
    family: 'Mac',
    name,
    knobs,
  });
  ({ devices } = await world.manage<{ devices: Sandboxed[] }>('GET', '/devices'));
  await enroll(name);
  const stranger = crypto.randomUUID().toUpperCase();
  await trusted.stage.odette.call('patch /api/channels/{id}', {
    params: { id: channelId },
    body: { blueprintId: trusted.blueprintId },
  });
  const said = await trusted.stage.odette.call('post /api/channels/{id}/devices', {
    params: { id: channelId },
    body: { udids: [added.hardware.serialNumber, udidOf(MAC), stranger] },
  });
  expect(said).toEqual({ asked: 0, taken: 1, known: 1, refused: [stranger] });
  const id = await idOf(name);
  await until(name, 'needs_you');
  await world.manage('PATCH', `/devices/${name}`, { knobs: { breaks: [] } });
  await trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
  await until(name, 'trusted');
}, 500_000);

test('a device that leaves is shown as left', async () => {
  await world.manage('POST', `/devices/${PHONE}/check-out`);
  await readNow();
  await until(PHONE, 'left', 60_000);
  expect(await timeline(PHONE)).toContain('checked_out');
}, 90_000);

test('the API token is in no table as it is, and in no answer of the API', async () => {
  const shown = await trusted.stage.odette.call('get /api/channels');
  expect(JSON.stringify(shown)).not.toContain(token);
  expect(shown.items[0]).toMatchObject({ server: { version: '4.61.0', tier: 'free' }, problem: null });
  const tables = await database.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  for (const { name } of tables) {
    const found = await database.query(
      `select 1 from "${name}" as each where each::text like '%' || $1 || '%'`,
      [token],
    );
    expect([name, found]).toEqual([name, []]);
  }
}, 30_000);
