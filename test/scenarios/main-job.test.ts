// The whole product in one slice: from the wizard to trusted Macs, iPhones and iPads, one of which waits for its user.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { devicesOf, enrollAll, setUpTrust, untilAllAre, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

interface PretendDevice {
  readonly keychain: { isMdmIdentity: boolean; organizationalUnits: string[]; isExtractable: boolean }[];
  readonly profiles: { identifier: string }[];
  readonly apps: { bundleId: string; status: string; configuration: Record<string, unknown> | null }[];
}

let world: World;
let trusted: TrustedWorld;

beforeAll(async () => {
  world = await startWorld({ devices: 'default' });
  trusted = await setUpTrust(world);
  await enrollAll(trusted);
}, 120_000);
afterAll(() => world?.stop(), 60_000);

test('every device becomes trusted but the one whose user has not signed in, which says so', async () => {
  await untilAllAre(trusted, ['trusted'], { count: 6, withinMs: 90_000 });
  const waiting = await untilAllAre(trusted, ['waiting_for_sign_in'], { count: 1, withinMs: 60_000 });
  const dora = waiting.find(({ bucket }) => bucket === 'waiting_for_sign_in');
  expect(dora?.waitsFor).toMatch(/sign/i);
  const { devices, ready } = (await trusted.stage.odette.call('get /api/status')) as unknown as {
    ready: boolean;
    devices: Record<string, number>;
  };
  expect(ready).toBe(true);
  expect(devices).toMatchObject({
    total: 7,
    delivered: 7,
    certificatePresent: 7,
    oktaVerifyManaged: 7,
    managed: 6,
  });
}, 180_000);

test('a Mac has one certificate with a key that stays, three profiles of its own and the managed app', async () => {
  const mac = await world.manage<PretendDevice>('GET', '/devices/mac-anna').catch(async () => {
    const { devices } = await world.manage<{ devices: { name: string; family: string }[] }>(
      'GET',
      '/devices',
    );
    return world.manage<PretendDevice>(
      'GET',
      `/devices/${devices.find(({ family }) => family === 'Mac')?.name}`,
    );
  });
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
