// Devices, users, licenses and admins that do not do what was hoped for: each rollout ends right.
// Long, because all share one world: to start one takes longer than most of these tests.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import * as devices from '../harness/pretend-devices.ts';
import { certificatesOf, managedProfilesOf, type PretendDevice } from '../harness/pretend-devices.ts';
import { setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

const ASSET = '/apps-and-books/assets/490179405';
const WITHIN_MS = 90_000;

let world: World;
let trusted: TrustedWorld;

beforeAll(async () => {
  world = await startWorld();
  trusted = await setUpTrust(world);
  const body = { settings: { removalDelayMinutes: 0.1 } };
  await trusted.stage.odette.call('patch /api/integrations/{id}', {
    params: { id: trusted.integrationId },
    body,
  });
}, 180_000);
afterAll(() => world?.stop(), 60_000);

type Order = { family?: 'Mac' | 'iPhone' | 'Other'; isSupervised?: boolean; knobs?: object };

/** Downloads are over at once, unless a test says otherwise: an app that is on its way is looked for five seconds later. */
const add = (name: string, { family = 'Mac', knobs = {}, ...order }: Order = {}): Promise<unknown> =>
  world.manage('POST', '/devices', { family, name, knobs: { downloadSeconds: 0, ...knobs }, ...order });

const enroll = (name: string, more: { erase?: boolean; forDeviceId?: string } = {}): Promise<void> =>
  devices.enroll(world, trusted, name, more);
const onSandbox = (name: string): Promise<PretendDevice> => devices.onSandbox(world, name);
const known = (name: string): Promise<KnownDevice> => devices.known(trusted, name);
const until = (
  name: string,
  what: string,
  holds: (device: KnownDevice) => boolean,
  withinMs = WITHIN_MS,
): Promise<KnownDevice> => devices.untilKnown(trusted, name, what, holds, withinMs);

const untilTrusted = (name: string, withinMs?: number): Promise<KnownDevice> =>
  until(name, 'trusted', ({ bucket }) => bucket === 'trusted', withinMs);

const oktaVerifyOf = (device: PretendDevice) =>
  device.apps.find(({ bundleId }) => bundleId === 'com.okta.mobile');

async function expectWholeMac(name: string): Promise<PretendDevice> {
  const device = await onSandbox(name);
  devices.expectWholeMac(name, device);
  expect(oktaVerifyOf(device)?.status).toBe('Managed');
  return device;
}

const hold = (message: string, phase: string, device?: string): Promise<{ id: string }> =>
  world.manage('POST', '/holds', { message, phase, times: 1, ...(device && { device }) });

interface Held {
  readonly held: readonly { readonly point: string }[];
}
const untilHeld = ({ id }: { id: string }): Promise<unknown> =>
  eventually(
    () => world.manage<Held>('GET', '/holds'),
    ({ held }) => held.some(({ point }) => point === id),
    { withinMs: 60_000, what: 'message held' },
  );
const letGo = ({ id }: { id: string }): Promise<unknown> => world.manage('DELETE', `/holds/${id}`);

const check = (id: string): Promise<unknown> =>
  trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
const replay = (id: string): Promise<unknown> =>
  trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
const refusing = (family: 'Mac' | 'iPhone'): Order => ({
  family,
  knobs: { breaks: [{ requestType: 'InstallProfile', times: 3 }] },
});

// Each about devices of its own: at the same time.
describe.concurrent('one device', () => {
  test('a device that says NotNow, several times and to everything, gets it all later', async () => {
    await add('busy', { knobs: { notNow: { times: 6 }, notNowSeconds: 1 } });
    await enroll('busy');
    await untilTrusted('busy');
    const { log } = await expectWholeMac('busy');
    expect(log.filter(({ status }) => status === 'NotNow')).toHaveLength(6);
  }, 120_000);

  test('answers that come twice change nothing', async () => {
    await add('twice', { knobs: { respondsTwice: true } });
    await enroll('twice');
    await untilTrusted('twice');
    const { counts } = await expectWholeMac('twice');
    expect(counts['carriedOut.InstallProfile']).toBe(3);
    expect(counts['carriedOut.InstallApplication']).toBe(1);
  }, 120_000);

  test('a profile that devices refuse fails the rollout with its reason; a replay ends well', async () => {
    await add('refusing-mac', refusing('Mac'));
    await add('refusing-phone', refusing('iPhone'));
    await Promise.all([enroll('refusing-mac'), enroll('refusing-phone')]);
    for (const name of ['refusing-mac', 'refusing-phone']) {
      const failed = await until(name, 'failed', ({ phase }) => phase === 'failed');
      expect(failed.failureCode).toBe('mdm.profile_refused');
      await world.manage('PATCH', `/devices/${name}`, { knobs: { breaks: [] } });
      await replay(failed.id);
    }
    await untilTrusted('refusing-mac');
    await untilTrusted('refusing-phone');
    await expectWholeMac('refusing-mac');
    expect(certificatesOf(await onSandbox('refusing-phone'))).toHaveLength(0);
  }, 240_000);

  test('a Vision Pro, an Apple TV and what does not say what it is enroll, are “not supported”, and get neither payloads nor a license', async () => {
    const names = ['vision', 'television', 'nameless'];
    for (const name of names) await add(name, { family: 'Other' });
    for (const name of names) await enroll(name);
    for (const name of names) {
      const { id, bucket, waitsFor } = await known(name);
      expect([name, bucket, waitsFor]).toEqual([
        name,
        'out_of_scope',
        expect.stringContaining('supports only Macs, iPhones and iPads'),
      ]);
      // Nothing comes when a person asks for it, either.
      await check(id);
      await trusted.stage.odette.call('post /api/rollouts', { body: { deviceIds: [id] } });
    }
    // Others go on beside them: whatever was under way for these is over.
    await add('beside-them');
    await enroll('beside-them');
    await untilTrusted('beside-them');
    for (const name of names) {
      const device = await onSandbox(name);
      expect(managedProfilesOf(device)).toEqual([]);
      expect(device.apps).toEqual([]);
      expect(Object.keys(device.counts).filter((each) => /carriedOut\.Install/.test(each))).toEqual([]);
      const { serialNumber } = device.hardware;
      const { assignments } = await world.manage<{ assignments: string[] }>('GET', '/apps-and-books');
      expect(assignments.length).toBeGreaterThan(0);
      expect(assignments.filter((each) => each.endsWith(serialNumber))).toEqual([]);
    }
  }, 120_000);

  test('Okta Verify that is there without management is taken over, not installed again', async () => {
    await add('has-it');
    await add('has-it-phone', { family: 'iPhone' });
    for (const name of ['has-it', 'has-it-phone']) {
      await world.manage('POST', `/devices/${name}/install-okta-verify`, { source: 'appStore' });
      await enroll(name);
    }
    for (const name of ['has-it', 'has-it-phone']) {
      await untilTrusted(name);
      const device = await onSandbox(name);
      expect(device.counts['managementTakenOver'], name).toBe(1);
      expect(device.counts['downloads'] ?? 0, name).toBe(0);
      expect(oktaVerifyOf(device)?.status).toBe('Managed');
    }
    expect(oktaVerifyOf(await onSandbox('has-it-phone'))?.configuration).toMatchObject({
      managementHint: expect.any(String) as string,
    });
  }, 150_000);

  test('a Mac with the package of Okta Verify is named with the reason; all else is delivered', async () => {
    await add('package');
    await world.manage('POST', '/devices/package/install-okta-verify', { source: 'package' });
    await enroll('package');
    const failed = await until('package', 'failed', ({ phase }) => phase === 'failed');
    expect(failed.failureCode).toBe('mdm.app_not_from_app_store');
    const device = await onSandbox('package');
    expect(certificatesOf(device)).toHaveLength(1);
    expect(managedProfilesOf(device)).toHaveLength(3);
    const { items } = await trusted.stage.odette.call('get /api/library-items');
    expect(items[0]?.notFromAppStore.devices.map(({ serialNumber }) => serialNumber)).toEqual([
      device.hardware.serialNumber,
    ]);
  }, 120_000);

  test('a user who refuses is asked once a day, three times, then waited for; a person may have them asked again', async () => {
    await add('refuser', {
      family: 'iPhone',
      isSupervised: false,
      knobs: { promptAnswer: 'refuse', promptSeconds: 0.2 },
    });
    await enroll('refuser');
    const database = connectDatabase(world.databaseUrl);
    const prompts = async (): Promise<number> => (await onSandbox('refuser')).counts['userPrompts'] ?? 0;
    const refusals = async (id: string): Promise<number> => {
      const [row] = await database.query<{ refusals: number }>(
        'select app_refusals as refusals from device_trust where device_id = $1',
        [id],
      );
      return row?.refusals ?? 0;
    };
    const lookAgain = (id: string): Promise<void> =>
      appendOutboxMessage(database, id, { kind: 'rollOutDevice', deviceId: id, reason: 'a day later' });
    try {
      const { id } = await until('refuser', 'enrolled', () => true);
      for (const nth of [1, 2, 3]) {
        await eventually(
          () => refusals(id),
          (many) => many === nth,
          { withinMs: WITHIN_MS, what: `refusal ${nth}` },
        );
        expect(await prompts()).toBe(nth);
        if (nth < 3)
          await until('refuser', 'who acts next', ({ bucket, waitsFor }) =>
            bucket === 'needs_user'
              ? /declined Okta Verify\. Odette asks again at/.test(waitsFor ?? '')
              : false,
          );
        // The same day: no further question.
        await lookAgain(id);
        await pause(2500);
        expect(await prompts()).toBe(nth);
        await database.query(
          `update device_trust set app_refused_at = app_refused_at - interval '25 hours' where device_id = $1`,
          [id],
        );
        await lookAgain(id);
      }
      const waiting = await until('refuser', 'waits for the user', ({ phase }) => phase === 'waits_for_user');
      expect(waiting.waitsFor).toMatch(/user/i);
      expect(waiting.failureCode).toBeNull();
      await pause(2000);
      expect(await prompts()).toBe(3);
      await world.manage('PATCH', '/devices/refuser', { knobs: { promptAnswer: 'accept' } });
      await check(id);
      await untilTrusted('refuser');
      expect(await prompts()).toBe(4);
    } finally {
      await database.end();
    }
  }, 240_000);

  test('a device that is erased and enrolled again in the middle begins anew and ends with one certificate', async () => {
    await add('erased');
    const middle = await hold('device.InstallApplication', 'before', 'erased');
    await enroll('erased');
    await untilHeld(middle);
    const first = certificatesOf(await onSandbox('erased'));
    expect(first).toHaveLength(1);
    await world.manage('POST', '/devices/erased/power-off', {});
    await letGo(middle);
    const { id } = await known('erased');
    await enroll('erased', { erase: true, forDeviceId: id });
    await world.manage('POST', '/devices/erased/wake');
    await untilTrusted('erased');
    const device = await expectWholeMac('erased');
    expect(certificatesOf(device)[0]?.serialNumber).not.toBe(first[0]?.serialNumber);
    const detail = await trusted.stage.odette.call('get /api/devices/{id}', { params: { id } });
    expect(detail.certificates.filter(({ state }) => state === 'proven')).toHaveLength(1);
  }, 150_000);
});

// The clock, the licenses or everybody's switch: one after the other.
describe('the world', () => {
  test('a device that is off for three days in the middle is waited for, and goes on when it is back', async () => {
    await add('away');
    const middle = await hold('device.InstallProfile', 'after', 'away');
    const enrolling = enroll('away');
    await untilHeld(middle);
    await enrolling;
    await world.manage('POST', '/devices/away/power-off', { forSeconds: 3 * 86_400 });
    await letGo(middle);
    await pause(3000);
    const waiting = await known('away');
    expect(waiting.bucket).toBe('in_progress');
    expect(waiting.waitsFor).toBeTruthy();
    await world.manage('POST', '/clock', { advanceSeconds: 3 * 86_400 + 60 });
    await untilTrusted('away');
    await expectWholeMac('away');
  }, 150_000);

  test('a challenge that expired before the device could use it is followed by a fresh one', async () => {
    await add('late');
    const request = await hold('tenant.one.scep.PKIOperation', 'before');
    const enrolling = enroll('late');
    await untilHeld(request);
    await world.manage('POST', '/clock', { advanceSeconds: 2 * 3600 });
    await letGo(request);
    await enrolling;
    await untilTrusted('late', 150_000);
    const device = await expectWholeMac('late');
    expect(
      device.log.filter(({ message, status }) => message === 'InstallProfile' && status === 'Error'),
    ).toHaveLength(1);
  }, 200_000);

  test('with no license left everything but the app arrives; with one added the app follows', async () => {
    const { assignments } = await world.manage<{ assignments: string[] }>('GET', '/apps-and-books');
    await world.manage('PATCH', ASSET, { total: assignments.length });
    await add('unlicensed');
    await enroll('unlicensed');
    const waiting = await until(
      'unlicensed',
      'waits for a license',
      ({ phase }) => phase === 'waiting_for_license',
    );
    const without = await until('unlicensed', 'says why', ({ waitsFor }) =>
      /licen[cs]e/i.test(waitsFor ?? ''),
    );
    expect(without.bucket).toBe('needs_you');
    const before = await onSandbox('unlicensed');
    expect(managedProfilesOf(before)).toHaveLength(3);
    expect(oktaVerifyOf(before)).toBeUndefined();
    await world.manage('PATCH', ASSET, { total: 500 });
    await check(waiting.id);
    await untilTrusted('unlicensed');
    await expectWholeMac('unlicensed');
  }, 180_000);

  test('a license that Apple has not assigned yet is waited for', async () => {
    await world.manage('PATCH', '/apps-and-books/knobs', { associationSeconds: 6 });
    await add('patient');
    await enroll('patient');
    await untilTrusted('patient');
    await world.manage('PATCH', '/apps-and-books/knobs', { associationSeconds: 1 });
    const { counts } = await expectWholeMac('patient');
    expect(counts['carriedOut.InstallApplication']).toBe(1);
  }, 120_000);

  test('the switch turned off in the middle of a rollout takes the payloads away after the delay, from everybody', async () => {
    await add('switched');
    const middle = await hold('device.InstallProfile', 'after', 'switched');
    const enrolling = enroll('switched');
    await untilHeld(middle);
    await enrolling;
    const { items } = await trusted.stage.odette.call('get /api/library-items');
    const item = items[0];
    if (!item) throw new Error('there is no library item');
    await trusted.stage.odette.call('put /api/library-items/{id}', {
      params: { id: item.id },
      body: {
        integrationId: item.integrationId,
        deviceTrustOn: false,
        confirmPolicyIsLifted: true,
        blueprintIds: item.blueprints.map((blueprint) => blueprint.id),
      },
    });
    await letGo(middle);
    expect(managedProfilesOf(await onSandbox('busy'))).toHaveLength(3);
    for (const name of ['switched', 'busy', 'erased', 'refuser', 'has-it-phone'])
      await eventually(
        () => onSandbox(name),
        (device) =>
          device.profiles.every(({ isManaged }) => !isManaged) && certificatesOf(device).length === 0,
        { withinMs: WITHIN_MS, everyMs: 500, what: `${name}: payloads gone` },
      );
    const gone = await until(
      'busy',
      'out of scope',
      ({ bucket, phase }) => bucket === 'out_of_scope' && phase === 'out_of_scope',
    );
    expect(gone.failureCode).toBeNull();
    // The app stays: removing it would take the user's FastPass away.
    expect(oktaVerifyOf(await onSandbox('busy'))?.status).toBe('Managed');
    expect(oktaVerifyOf(await onSandbox('has-it-phone'))?.configuration ?? {}).not.toHaveProperty(
      'managementHint',
    );
    expect(oktaVerifyOf(await onSandbox('switched'))).toBeUndefined();
  }, 200_000);
});
