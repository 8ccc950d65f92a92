// The operations guide's ways to replay: exactly its commands, with the real `temporal`, on rollouts that failed in the three ways
// there are, and then with `odette`. All end well, and no device gets anything twice.
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { commandsIn, readPage, runCommands } from '../harness/page-commands.ts';
import * as devices from '../harness/pretend-devices.ts';
import { setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

const GUIDE = 'docs/operations-guide.md';
const WITHIN_MS = 180_000;

let world: World;
let trusted: TrustedWorld;
let environment: NodeJS.ProcessEnv;
let temporal: Client;

beforeAll(async () => {
  world = await startWorld();
  trusted = await setUpTrust(world);
  const bin = path.join(world.folder, 'bin');
  await mkdir(bin);
  const program = await getTemporal();
  if (path.isAbsolute(program)) await symlink(program, path.join(bin, 'temporal'));
  temporal = new Client({ connection: await Connection.connect({ address: world.temporalAddress }) });
  environment = {
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env['PATH']}`,
    TEMPORAL_ADDRESS: world.temporalAddress,
    TEMPORAL_NAMESPACE: 'default',
    ODETTE_DATA_DIR: world.environment['ODETTE_DATA_DIR'],
    ODETTE_ADMIN_LISTEN: world.environment['ODETTE_ADMIN_LISTEN'],
  };
}, 300_000);
afterAll(async () => {
  await temporal?.connection.close();
  await world?.stop();
}, 60_000);

async function enroll(name: string, knobs: object = {}): Promise<void> {
  await world.manage('POST', '/devices', { family: 'Mac', name, knobs });
  await devices.enroll(world, trusted, name);
}

const known = (name: string): Promise<KnownDevice> => devices.known(trusted, name);
const until = (name: string, bucket: string): Promise<KnownDevice> =>
  devices.untilKnown(trusted, name, bucket, (device) => device.bucket === bucket, WITHIN_MS);

async function run(heading: string): Promise<string> {
  const { code, said } = await runCommands(commandsIn(await readPage(GUIDE, heading)), environment);
  expect(code, said).toBe(0);
  return said;
}

/** The API takes no patience under an hour. */
async function setPatience(seconds: number): Promise<void> {
  const database = connectDatabase(world.databaseUrl, { max: 1 });
  await database.query(`update integrations set settings = settings || $1::jsonb`, [
    JSON.stringify({ patienceHours: seconds / 3600 }),
  ]);
  await database.end();
}

async function expectWholeMac(name: string): Promise<void> {
  devices.expectWholeMac(name, await devices.onSandbox(world, name));
}

async function sweeps(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of temporal.schedule.list()) ids.push(scheduleId);
  return ids.sort();
}

const refusing = { breaks: [{ requestType: 'InstallProfile', times: 3 }] };
const obey = (name: string) => world.manage('PATCH', `/devices/${name}`, { knobs: { breaks: [] } });

test("the guide's commands for Temporal replay what failed by an activity, by silence and by refusal", async () => {
  await world.manage('POST', '/apps-and-books/tokens/revoke', {});
  await enroll('unlicensed');
  const { id, failureCode } = await until('unlicensed', 'needs_you');
  expect(failureCode).toBe('apps_and_books.token_refused');
  const { content } = await world.manage<{ content: string }>('POST', '/apps-and-books/tokens', {});
  await trusted.stage.odette.call('put /api/apps-and-books', { body: { token: content } });

  await enroll('refusing', refusing);
  expect((await until('refusing', 'needs_you')).failureCode).toBe('mdm.profile_refused');
  await obey('refusing');

  await setPatience(15);
  await world.manage('POST', '/holds', { message: 'device.Idle', phase: 'before', device: 'silent' });
  await enroll('silent');
  expect((await until('silent', 'needs_user')).failureCode).toBe('mdm.device_silent');
  await setPatience(3600);
  await world.manage('DELETE', '/holds');

  const said = await run('### From Temporal');
  for (const name of ['unlicensed', 'refusing', 'silent']) {
    expect(said).toContain(`rollout/${(await known(name)).id}`);
    await until(name, 'trusted');
    await expectWholeMac(name);
  }

  // What was replayed already is left alone, although its old run is listed as failed.
  expect(await run('### From Temporal')).not.toContain(id);
}, 600_000);

test("the guide's commands for Odette replay what failed, and show how far that is", async () => {
  await enroll('defiant', refusing);
  await until('defiant', 'needs_you');
  await obey('defiant');
  const said = await run('### From Odette');
  expect(said).toMatch(/mdm\.profile_refused +1 /);
  expect(said).toContain('Would start again for 1 device.');
  expect(said).toContain('Started again for 1 device.');
  await until('defiant', 'trusted');
  await expectWholeMac('defiant');
}, 400_000);

test('a Temporal that was restored without its sweeps gets them again when the relay starts', async () => {
  const { integrationId } = trusted;
  const wanted = ['enforcement', 'expiry', 'prerequisites', 'trust'].map(
    (kind) => `sweep/${kind}/${integrationId}`,
  );
  expect(await sweeps()).toEqual(wanted);
  for (const id of wanted) await temporal.schedule.getHandle(id).delete();
  await world.kill('relay');
  await world.start('relay');
  await eventually(sweeps, (ids) => ids.length === wanted.length, { withinMs: 60_000, what: 'sweeps' });
  expect(await sweeps()).toEqual(wanted);
}, 120_000);
