// The sweeps: what Okta says of devices, daily checks, certificates without a workflow.
// Long, because all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isInConversation } from '../adapters/store/devices/commands.ts';
import { alarmsOf } from '../api/admin/status.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { oktaRecordOf } from '../test/harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { TASK_QUEUE, workflowIds } from './messages.ts';

quietRuntime();
const SOON = [1, 2, 3];
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: SOON });
});
afterAll(() => world.close());
beforeEach(() => {
  world.knobs.oktaDevices = [];
});

const sweep = (name: 'observeTrust' | 'enforceDesiredState' | 'watchExpiry' | 'checkIntegration') =>
  world.client.workflow.execute(name, {
    workflowId: `${name}/${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });

async function delivered(family: 'Mac' | 'iPhone', userName?: string): Promise<FakeDevice> {
  const device = await world.newDevice(family, userName === undefined ? {} : { userName });
  await world.rollOut(device.id);
  await world.ended(device.id);
  await world.leftLists(workflowIds.rollout(device.id));
  return device;
}

const lookedUpAfter = (trustLookupSeconds: readonly number[]): Promise<unknown> =>
  world.database.query('update integrations set settings = settings || $1::jsonb', [
    JSON.stringify({ trustLookupSeconds }),
  ]);

/** It does not ask by itself any more: a push is due. */
const hungUp = (device: FakeDevice) =>
  world.until(async () => expect(await isInConversation(world.database, device.id)).toBe(false));

describe('trust', () => {
  test('turns green while the admin watches: a device that was just delivered is looked up soon', async () => {
    const mac = await world.newDevice('Mac');
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id, { users: [] })];
    // The user signs in while there is a look to come.
    await lookedUpAfter([...SOON, 5, 8, 13, 21, 34]);
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.truths(mac.id))['registered']).toBe('held'));
    expect((await world.trust(mac.id))?.bucket).toBe('needs_user');
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await world.until(async () => expect((await world.trust(mac.id))?.bucket).toBe('trusted'));
    await lookedUpAfter(SOON);
  });

  test('the sweep sees who is managed; a fall to NOT_MANAGED asks for a new certificate', async () => {
    const mac = await delivered('Mac');
    const record = await oktaRecordOf(world.database, mac.id);
    world.knobs.oktaDevices = [record];
    await sweep('observeTrust');
    expect(await world.trust(mac.id)).toMatchObject({ bucket: 'trusted', waitsFor: null });
    const before = mac.certificates[0]?.serialNumber;
    world.knobs.oktaDevices = [
      { ...record, users: [{ id: 'u1', login: 'ada@acme.com', managementStatus: 'NOT_MANAGED' }] },
    ];
    await sweep('observeTrust');
    expect((await world.trust(mac.id))?.bucket).toBe('needs_user');
    await world.until(() => {
      expect(mac.certificates).toHaveLength(1);
      expect(mac.certificates[0]?.serialNumber).not.toBe(before);
    });
  });

  test('a device that was deleted in Okta gets a new certificate', async () => {
    const mac = await delivered('Mac');
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await sweep('observeTrust');
    const before = mac.certificates[0]?.serialNumber;
    world.knobs.oktaDevices = [];
    await sweep('observeTrust');
    expect((await world.truths(mac.id))['managed']).toBe('not_held');
    await world.until(() => {
      expect(mac.certificates).toHaveLength(1);
      expect(mac.certificates[0]?.serialNumber).not.toBe(before);
    });
  });

  test.each(['SUSPENDED', 'DEACTIVATED'])(
    'what an Okta admin did is not worked against: a Mac that is %s gets no certificate, and the words say who acts',
    async (status) => {
      const mac = await delivered('Mac');
      const record = await oktaRecordOf(world.database, mac.id);
      world.knobs.oktaDevices = [record];
      await sweep('observeTrust');
      const before = mac.certificates[0]?.serialNumber;
      world.knobs.oktaDevices = [{ ...record, status }];
      await sweep('observeTrust');
      expect(await world.trust(mac.id)).toMatchObject({
        bucket: 'needs_you',
        waitsFor: expect.stringContaining('Only an Okta admin can change that') as string,
      });
      const asked = await world.database.query(
        `select 1 from outbox where ordering_key = $1 and message ->> 'signal' = 'renewNow'`,
        [mac.id],
      );
      expect(asked).toEqual([]);
      expect(mac.certificates.map(({ serialNumber }) => serialNumber)).toEqual([before]);
    },
  );

  test('an iPhone that registered again has likely the newest record; an older one cannot be told apart', async () => {
    const phone = await delivered('iPhone', 'hedy@acme.com');
    const record = await oktaRecordOf(world.database, phone.id, {
      platform: 'IOS',
      model: 'iPhone15,2',
      users: [{ id: 'u3', login: 'hedy@acme.com', managementStatus: 'MANAGED' }],
    });
    const { serialNumber: _, ...unnumbered } = record;
    const old = { ...unnumbered, id: 'guoOld', created: '2020-01-01T00:00:00.000Z' };
    world.knobs.oktaDevices = [old, { ...unnumbered, created: new Date(Date.now() + 60_000).toISOString() }];
    await sweep('observeTrust');
    expect((await world.truths(phone.id))['managed']).toBe('held');
    world.knobs.oktaDevices = [old, { ...old, id: 'guoOlder' }];
    await sweep('observeTrust');
    expect((await world.trust(phone.id))?.bucket).toBe('needs_you');
  });

  test('iPhones are matched by user and model; two alike cannot be told apart', async () => {
    const phone = await delivered('iPhone', 'grace@acme.com');
    const record = await oktaRecordOf(world.database, phone.id, {
      platform: 'IOS',
      model: 'iPhone15,2',
      users: [{ id: 'u2', login: 'grace@acme.com', managementStatus: 'MANAGED' }],
    });
    const { serialNumber: _, ...unnumbered } = record;
    world.knobs.oktaDevices = [unnumbered];
    await sweep('observeTrust');
    expect((await world.trust(phone.id))?.bucket).toBe('trusted');
    const created = '2020-01-01T00:00:00.000Z';
    world.knobs.oktaDevices = [
      { ...unnumbered, created },
      { ...unnumbered, created, id: 'guoTwin' },
    ];
    await sweep('observeTrust');
    expect((await world.truths(phone.id))['managed']).toBe('unknown');
  });
});

describe('the other sweeps', () => {
  test('the daily check writes what it found', async () => {
    // It serves challenges, and no organization.
    await world.database.query('update integrations set okta_host = $1', [world.challenges.host]);
    await sweep('checkIntegration');
    expect(
      await world.database.query(
        `select 1 from integration_checks where integration_id = $1 and failure_code = 'okta.not_okta'`,
        [world.fleet.integrationId],
      ),
    ).toHaveLength(1);
  });

  test('a Mac that has everything is checked without a workflow; what is gone from it is restored by one', async () => {
    const [mac, drifted] = [await delivered('Mac'), await delivered('Mac')];
    const due = (deviceId: string) =>
      world.database.query(
        `update device_trust set verified_at = now() - interval '2 days', check_asked_at = null where device_id = $1`,
        [deviceId],
      );
    const runs = (deviceId: string) =>
      world.database.query('select 1 from rollout_runs where device_id = $1', [deviceId]);
    const verified = async (deviceId: string): Promise<Date | undefined> => {
      const [row] = await world.database.query<{ at: Date }>(
        'select verified_at as at from device_trust where device_id = $1',
        [deviceId],
      );
      return row?.at;
    };
    for (const device of [mac, drifted]) {
      await hungUp(device);
      await due(device.id);
      device.carriedOut.length = 0;
    }
    const [pushes, before] = [mac.pushes, Date.now()];
    // Its user has removed what Odette had put there.
    const sso = [...drifted.profiles.keys()].find((identifier) => identifier.includes('sso')) ?? '';
    expect(drifted.profiles.delete(sso)).toBe(true);
    await sweep('enforceDesiredState');
    await world.until(async () =>
      expect((await verified(mac.id))?.getTime()).toBeGreaterThanOrEqual(before - 60_000),
    );
    expect(mac.pushes).toBe(pushes + 1);
    expect([...mac.carriedOut].sort()).toEqual([
      'CertificateList',
      'DeviceInformation',
      'ManagedApplicationList',
      'ProfileList',
    ]);
    expect(await runs(mac.id)).toHaveLength(1);
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null });
    await world.until(async () => expect(await runs(drifted.id)).toHaveLength(2));
    await world.until(() => expect(drifted.carriedOut).toContain('InstallProfile'));
    await world.until(async () => expect((await world.trust(drifted.id))?.phase).toBe('delivered'));
  });

  test('Macs that are checked are woken though Apple has not answered the push of the one before', async () => {
    const macs = [await delivered('Mac'), await delivered('Mac')];
    for (const mac of macs) await hungUp(mac);
    await world.database.query(
      `update device_trust set verified_at = now() - interval '2 days', check_asked_at = null where device_id = any($1)`,
      [macs.map(({ id }) => id)],
    );
    let answer = () => undefined as void;
    world.knobs.pushAnswers = new Promise((resolve) => (answer = resolve));
    const begun = world.knobs.pushesBegun;
    const swept = sweep('enforceDesiredState');
    try {
      await world.until(() => expect(world.knobs.pushesBegun).toBeGreaterThanOrEqual(begun + 2));
    } finally {
      world.knobs.pushAnswers = undefined;
      answer();
    }
    await swept;
  });

  test('a sleeping Mac is asked once, and its check is done when it wakes', async () => {
    const mac = await delivered('Mac');
    await hungUp(mac);
    mac.isAsleep = true;
    await world.database.query(
      `update device_trust set verified_at = now() - interval '2 days' where device_id = $1`,
      [mac.id],
    );
    const open = () =>
      world.database.query(
        `select 1 from commands where device_id = $1 and workflow_id = $2 and state in ('queued', 'handed_over', 'not_now')`,
        [mac.id, `check/${mac.id}`],
      );
    const { pushes } = mac;
    for (let again = 0; again < 3; again += 1) await sweep('enforceDesiredState');
    expect(await open()).toHaveLength(4);
    expect(mac.pushes).toBe(pushes + 1);
    mac.isAsleep = false;
    await mac.wake();
    await world.until(async () => expect(await open()).toEqual([]));
    const [row] = await world.database.query<{ fresh: boolean }>(
      `select verified_at > now() - interval '1 hour' as fresh from device_trust where device_id = $1`,
      [mac.id],
    );
    expect(row?.fresh).toBe(true);
  });

  test('the checks of a fleet that was rolled out at once are spread over the whole period', async () => {
    const hours = await world.database.query<{ devices: number }>(
      `select count(*)::int as devices
         from (select check_turn(gen_random_uuid(), interval '24 hours', now()) as began from generate_series(1, 24000)) as turn
        where began <= now() and began > now() - interval '24 hours' group by floor(extract(epoch from now() - began) / 3600)`,
    );
    expect(hours).toHaveLength(24);
    for (const { devices } of hours) expect(Math.abs(devices - 1000)).toBeLessThan(200);
  });

  test('a device that was not verified lately is rolled out again; one that failed is tried once a day', async () => {
    const mac = await delivered('Mac');
    const failed = await delivered('Mac');
    await world.database.query(
      `update device_trust set verified_at = now() - interval '2 days', failure_code = case when device_id = $2 then 'mdm.profile_refused' end
        where device_id = any ($1)`,
      [[mac.id, failed.id], failed.id],
    );
    mac.carriedOut.length = 0;
    failed.carriedOut.length = 0;
    await sweep('enforceDesiredState');
    await world.until(() => expect(mac.carriedOut).toContain('ProfileList'));
    expect(failed.carriedOut).toEqual([]);
    await world.database.query(
      `update rollout_runs set closed_at = now() - interval '25 hours' where device_id = $1`,
      [failed.id],
    );
    await sweep('enforceDesiredState');
    await world.until(async () =>
      expect(await world.trust(failed.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    );
    // Nothing was wrong any more: it was asked, and sent nothing.
    expect(failed.carriedOut).not.toContain('InstallProfile');
  });

  test('a rollout that waits for its device is left to its patience', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.pushes).toBeGreaterThan(0));
    await world.told(mac.id);
    await sweep('enforceDesiredState');
    await world.told(mac.id);
    const { pushes } = mac;
    const { events = [] } = await world.rollout(mac.id).fetchHistory();
    const signals = events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
    // The one with which it was started.
    expect(signals).toHaveLength(1);
    // The first, and those of its own patience.
    const again = events?.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'pushAgain',
    );
    expect(pushes).toBeLessThanOrEqual(1 + (again?.length ?? 0));
    mac.isAsleep = false;
    await mac.wake();
    expect(await world.ended(mac.id)).toBe('COMPLETED');
  });

  test('a certificate whose workflow runs and does nothing about a renewal that is due gets it, and people are told', async () => {
    const [mac, healthy] = [await delivered('Mac'), await delivered('Mac')];
    const before = mac.certificates[0]?.serialNumber;
    // As if its timer had been lost: due for months, and silent since.
    await world.database.query(
      `update certificate_deliveries set not_before = now() - interval '340 days', not_after = now() + interval '25 days',
         proven_at = now() - interval '340 days', created_at = now() - interval '340 days' where device_id = $1`,
      [mac.id],
    );
    await world.database.query(
      `update device_timeline set at = now() - interval '340 days' where device_id = $1`,
      [mac.id],
    );
    await sweep('watchExpiry');
    const told = await world.database.query<{ subject: string }>(
      `select subject from audit_entries where action = 'certificate.stalled'`,
    );
    expect(told).toEqual([{ subject: `device:${mac.id}` }]);
    await world.until(() => {
      expect(mac.certificates).toHaveLength(1);
      expect(mac.certificates[0]?.serialNumber).not.toBe(before);
    });
    expect(healthy.certificates).toHaveLength(1);
    const alarms = await alarmsOf(world.database);
    expect(alarms.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('1 device did not start a renewal that is due'),
    );
  });

  test('a certificate without its workflow gets one', async () => {
    const mac = await delivered('Mac');
    await world.certificateWorkflow(mac.id).terminate('lost');
    await world.leftLists(workflowIds.certificate(mac.id));
    await sweep('watchExpiry');
    await world.until(async () =>
      expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('RUNNING'),
    );
    await world.until(() =>
      expect(mac.carriedOut.slice(-2).sort()).toEqual(['CertificateList', 'ProfileList']),
    );
    expect(mac.certificates).toHaveLength(1);
  });
});
