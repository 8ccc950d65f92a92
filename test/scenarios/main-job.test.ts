// The whole product in one slice: from the wizard to trusted Macs, iPhones and iPads, one of which waits for its user.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { environmentOf, runOdette } from '../harness/command-line.ts';
import { devicesOf, enrollAll, setUpTrust, untilAllAre, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

interface PretendDevice {
  readonly keychain: {
    isMdmIdentity: boolean;
    serialNumber: string;
    organizationalUnits: string[];
    isExtractable: boolean;
  }[];
  readonly counts: Record<string, number>;
  readonly profiles: { identifier: string }[];
  readonly apps: { bundleId: string; status: string; configuration: Record<string, unknown> | null }[];
}

let world: World;
let trusted: TrustedWorld;
let recordings: string;

beforeAll(async () => {
  recordings = await mkdtemp(path.join(tmpdir(), 'odette-recordings-'));
  world = await startWorld({ devices: 'default', settings: { ODETTE_FIELD_TEST_DIR: recordings } });
  trusted = await setUpTrust(world);
  await enrollAll(trusted);
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await rm(recordings, { recursive: true, force: true });
}, 60_000);

test('every device becomes trusted but the one whose user has not signed in, which says so', async () => {
  await untilAllAre(trusted, ['trusted'], { count: 6, withinMs: 90_000 });
  const waiting = await untilAllAre(trusted, ['needs_user'], { count: 1, withinMs: 60_000 });
  const dora = waiting.find(({ bucket }) => bucket === 'needs_user');
  expect(dora?.waitsFor).toMatch(/sign/i);
  const { devices, ready } = (await trusted.stage.odette.call('get /api/status')) as unknown as {
    ready: boolean;
    devices: Record<string, number>;
  };
  expect(ready).toBe(true);
  expect(devices).toMatchObject({
    total: 7,
    delivered: 7,
    certificateApplies: 4,
    certificatePresent: 4,
    oktaVerifyManaged: 7,
    managed: 6,
  });
}, 180_000);

test('a Mac has one certificate with a key that stays, three profiles of its own and the managed app', async () => {
  const mac = await world.manage<PretendDevice>('GET', '/devices/mac-ada');
  const certificates = mac.keychain.filter(({ isMdmIdentity }) => !isMdmIdentity);
  expect(certificates).toHaveLength(1);
  expect(certificates[0]?.organizationalUnits.join()).toMatch(/^odette-/);
  expect(certificates[0]?.isExtractable).toBe(false);
  expect(mac.apps.find(({ bundleId }) => bundleId === 'com.okta.mobile')?.status).toBe('Managed');
});

test('the last user signs in, and the device turns green without anybody asking', async () => {
  await world.manage('POST', '/devices/mac-dora/sign-in');
  await eventually(
    () => devicesOf(trusted),
    (devices) => devices.every(({ bucket }) => bucket === 'trusted'),
    { withinMs: 120_000, what: 'all trusted' },
  );
}, 150_000);

test('a Mac and an iPhone whose identity has lived most of its life get a new one, and nothing else', async () => {
  const names = ['mac-ada', 'iphone-ben'];
  const look = () => Promise.all(names.map((name) => world.manage<PretendDevice>('GET', `/devices/${name}`)));
  const serials = (devices: PretendDevice[], ofIdentity: boolean) =>
    devices.map(({ keychain }) =>
      keychain.filter(({ isMdmIdentity }) => isMdmIdentity === ofIdentity).map((item) => item.serialNumber),
    );
  const before = await look();
  const udids = await world.manage<{ devices: { name: string; udid: string }[] }>('GET', '/devices');
  const database = connectDatabase(world.databaseUrl);
  try {
    const known = (await devicesOf(trusted)).filter(({ udid }) =>
      udids.devices.some((device) => device.udid === udid && names.includes(device.name)),
    );
    const ids = known.map(({ id }) => id);
    expect(ids).toHaveLength(2);
    await database.query(
      `update identity_certificates as identity set issued_at = now() - interval '40 years'
         from devices as device where device.id = any($1) and sha256(identity.certificate) = device.identity_fingerprint`,
      [ids],
    );
    for (const id of ids) await trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
    await eventually(look, (seen) => seen.every(({ counts }) => counts['identitiesRenewed'] === 1), {
      withinMs: 120_000,
      what: 'two identities renewed',
    });
    await untilAllAre(trusted, ['trusted'], { count: 7, withinMs: 120_000 });
    const after = await look();
    for (const [index, serial] of serials(after, true).entries()) {
      expect(serial).toHaveLength(1);
      expect(serial).not.toEqual(serials(before, true)[index]);
    }
    expect(serials(after, false)).toEqual(serials(before, false));
    expect(after.map(({ counts }) => counts['appInstalledAgain'] ?? 0)).toEqual([0, 0]);
    const renewals = await database.query<{ subject: string }>(
      `select subject from audit_entries where action = 'enrollment.renewal'`,
    );
    expect(renewals.map(({ subject }) => subject).sort()).toEqual(ids.map((id) => `device:${id}`).sort());
  } finally {
    await database.end();
  }
}, 300_000);

// Of a Mac: test/second-device.
test('a field test leads an iPhone through everything, and Okta Verify that was deleted and registered anew counts', async () => {
  const name = 'field-phone';
  const user = `${name}@example.com`;
  await world.manage('POST', '/devices', { family: 'iPhone', name, user: { signsIn: 'manual' } });
  const act = (what: string, body: object = {}) => world.manage('POST', `/devices/${name}/${what}`, body);
  const tasks: string[] = [];
  const carryOut = async (task: string): Promise<void> => {
    const [, what = ''] = /^iPhone \d: (\w+)/.exec(task) ?? [];
    tasks.push(what);
    const [, code] = /type (\S+),/.exec(task) ?? [];
    if (what === 'enroll') await act('enroll', { url: world.environment['ODETTE_PUBLIC_URL'], code });
    else if (what === 'sign') await act('sign-in');
    else if (what === 'delete') await act('remove-okta-verify');
    else if (what === 'remove') await act('check-out');
    else throw new Error(task);
  };
  const options = ['--blueprint', 'Test devices', '--user', user, '--recordings', recordings];
  const ran = await runOdette(['field-test', ...options, '--only', 'iphone'], {
    environment: await environmentOf(world),
    carryOut,
  });
  expect(ran.code, `${ran.printed}\n${ran.told}`).toBe(0);
  expect(tasks).toEqual(['enroll', 'sign', 'delete', 'sign', 'remove']);
}, 240_000);
