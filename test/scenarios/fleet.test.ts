// Odette beside a Fleet server: its devices become trusted, one is renewed, one fails and is replayed, one leaves.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { ChannelScenario, MAC, PHONE } from '../harness/channel-scenario.ts';
import { addFleetChannel } from '../harness/fleet-channel.ts';
import * as pretend from '../harness/pretend-devices.ts';
import { setUpTrust, type TrustedWorld } from '../harness/stage.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let trusted: TrustedWorld;
let database: Database;
let scenario: ChannelScenario;
let channelId: string;
let token: string;
const readNow = () =>
  trusted.stage.odette.call('post /api/channels/{id}/read', { params: { id: channelId } });

beforeAll(async () => {
  world = await startWorld({ devices: 'default' });
  trusted = await setUpTrust(world);
  database = connectDatabase(world.databaseUrl);
  ({ id: channelId, token } = await addFleetChannel(world, trusted));
  scenario = await ChannelScenario.open(world, trusted, database, world.sandbox.fleet);
}, 180_000);
afterAll(async () => {
  await database?.end();
  await world?.stop();
}, 60_000);

test('a Mac and an iPhone that enroll in Fleet become trusted, with the same proof', async () => {
  for (const name of [MAC, PHONE]) await scenario.enroll(name);
  await readNow();
  await scenario.expectBothTrusted(240_000);
  pretend.expectWholeMac(MAC, await pretend.onSandbox(world, MAC));
}, 360_000);

test(
  'its timeline says what it says of any other, and each command was given once',
  () => scenario.expectUsualTimeline(),
  30_000,
);

test('a certificate is renewed', () => scenario.expectRenewal(240_000), 400_000);

test('a device that an operator names by its serial number refuses, fails, and is trusted after a replay', async () => {
  const name = 'fleet-defiant';
  const knobs = { breaks: [{ requestType: 'InstallProfile', times: 3 }] };
  await world.manage('PATCH', '/fleet/knobs', { newHostLabels: [] });
  const added = await scenario.addMac(name, knobs);
  await scenario.enroll(name);
  const stranger = crypto.randomUUID().toUpperCase();
  await trusted.stage.odette.call('patch /api/channels/{id}', {
    params: { id: channelId },
    body: { blueprintId: trusted.blueprintId },
  });
  const said = await trusted.stage.odette.call('post /api/channels/{id}/devices', {
    params: { id: channelId },
    body: { udids: [added.hardware.serialNumber, scenario.udidOf(MAC), stranger] },
  });
  expect(said).toEqual({ asked: 0, taken: 1, known: 1, refused: [stranger] });
  const id = await scenario.idOf(name);
  await scenario.until(name, 'needs_you', 240_000);
  await world.manage('PATCH', `/devices/${name}`, { knobs: { breaks: [] } });
  await trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
  await scenario.until(name, 'trusted', 240_000);
}, 500_000);

test(
  'a device that is to be trusted no more loses what Odette gave it',
  () => scenario.expectRemoval('fleet-defiant', 120_000),
  180_000,
);

test('a device that leaves is shown as left', async () => {
  await world.manage('POST', `/devices/${PHONE}/check-out`);
  await readNow();
  await scenario.until(PHONE, 'left', 60_000);
  expect(await scenario.timeline(PHONE)).toContain('checked_out');
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
