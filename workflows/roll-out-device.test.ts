// The rollout of one device, by fake devices on the real server, database and worker.
// Long, because all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listHealth } from '../adapters/store/integration/integrations.ts';
import { FAILURES } from '../domain/failures.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { readRecorded } from '../test/histories/test-codec.ts';
import { searchAttributes, TASK_QUEUE, workflowIds } from './messages.ts';
import { beginEnrollmentAgain, finishEnrollment } from '../test/harness/enrollment.ts';

quietRuntime();
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], removalDelayMinutes: 0.01 });
});
afterAll(() => world.close());

const kinds = (device: { profiles: Map<string, unknown> }) =>
  [...device.profiles.keys()].map((identifier) => identifier.split('.').slice(3).join('.')).sort();

/** The oldest first. */
const runsOf = (deviceId: string) =>
  world.database.query<{ outcome: string | null; failureCode: string | null }>(
    'select outcome, failure_code from rollout_runs where device_id = $1 order by started_at',
    [deviceId],
  );

describe('a rollout', () => {
  test('brings a new Mac from enrolled to everything on the device, with one push', async () => {
    const mac = await world.newDevice('Mac', { isPatient: true });
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    expect(await world.truths(mac.id)).toEqual({
      delivered: 'held',
      certificatePresent: 'held',
      oktaVerifyManaged: 'held',
      registered: 'not_held',
      managed: 'not_held',
    });
    expect(await world.trust(mac.id)).toMatchObject({ bucket: 'needs_user', phase: 'delivered' });
    expect(mac.certificates).toHaveLength(1);
    expect(kinds(mac)).toEqual(['certificate.a', 'settings', 'sso']);
    expect(mac.pushes).toBe(1);
  });

  test('asks a device that has everything, and sends it nothing', async () => {
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.ended(mac.id);
    mac.carriedOut.length = 0;
    const { runId } = await world.rollout(mac.id).describe();
    await world.rollOut(mac.id);
    await world.until(async () => {
      const again = await world.rollout(mac.id).describe();
      expect(again.runId).not.toBe(runId);
      expect(again.status.name).toBe('COMPLETED');
    });
    expect(mac.carriedOut).toEqual([
      'DeviceInformation',
      'ProfileList',
      'CertificateList',
      'ManagedApplicationList',
    ]);
    expect(mac.certificates).toHaveLength(1);
  });

  test('finds a Mac that Apple knows no longer (410) unreachable at once, whatever was proven of it', async () => {
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.ended(mac.id);
    mac.isAsleep = true;
    await mac.wake();
    world.knobs.pushFailure = 'apns.token_gone';
    try {
      await world.rollOut(mac.id);
      await world.until(async () =>
        expect(await world.trust(mac.id)).toMatchObject({
          bucket: 'unreachable',
          waitsFor: expect.stringContaining('Apple no longer delivers push notifications') as string,
        }),
      );
    } finally {
      world.knobs.pushFailure = undefined;
    }
    const [row] = await world.database.query('select enrollment_status from devices where id = $1', [mac.id]);
    expect(row).toEqual({ enrollmentStatus: 'unreachable' });
  });

  test('gives an iPhone its SSO profile and the app with its configuration, read back; a new key goes by Settings', async () => {
    const phone = await world.newDevice('iPhone', { userName: 'ada@acme.com' });
    await world.rollOut(phone.id);
    await world.ended(phone.id);
    expect(await world.truths(phone.id)).toMatchObject({
      delivered: 'held',
      certificatePresent: 'not_applicable',
      oktaVerifyManaged: 'held',
    });
    expect(phone.appConfiguration).toMatchObject({ 'OktaVerify.OrgUrl': 'https://acme.okta.com' });
    phone.carriedOut.length = 0;
    await world.fleet.rotatePhoneKey();
    await world.rollOut(phone.id, 'the key was changed');
    await world.until(async () => {
      expect(phone.appConfiguration).toMatchObject({ managementHint: 'rotated' });
      expect((await world.rollout(phone.id).describe()).status.name).toBe('COMPLETED');
    });
    // Who has read the key: of each version, from the moment on in which a command with it was handed over.
    const read = await world.database.query<{ version: number }>(
      'select version from ios_key_readers where device_id = $1 order by version',
      [phone.id],
    );
    expect(read.map(({ version }) => version)).toEqual([1, 2]);
    expect(phone.carriedOut).not.toContain('InstallApplication');
    expect(phone.carriedOut.filter((each) => each === 'InstallProfile')).toHaveLength(1);
  });

  test('delivers everything else while no license is left, says so, and goes on when there is one', async () => {
    world.knobs.licenses = 'none_left';
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.until(async () => {
      const trust = await world.trust(mac.id);
      expect(trust?.delivered).toBe(true);
      expect(trust?.waitsFor).toContain('No Okta Verify license is available.');
    });
    world.knobs.licenses = 'assigned';
    await world.rollOut(mac.id, 'licenses were bought');
    await world.until(async () => expect((await world.truths(mac.id))['oktaVerifyManaged']).toBe('held'));
    expect(mac.certificates).toHaveLength(1);
  });

  test('notes of Apps and Books that it refuses Odette, and that it works again', async () => {
    const health = async () =>
      (await listHealth(world.database, world.fleet.integrationId)).filter(
        ({ connection }) => connection === 'apps_and_books',
      );
    world.knobs.licenses = 'refused';
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    expect(await health()).toMatchObject([{ ok: false, failureCode: 'apps_and_books.token_refused' }]);
    world.knobs.licenses = 'assigned';
    await world.rollOut(mac.id, 'the token was renewed');
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
    expect(await health()).toMatchObject([{ ok: true, failureCode: null, at: expect.any(Date) as Date }]);
  });

  test('asks a user who refused again at most daily; three refusals wait for the user and have not failed', async () => {
    const phone = await world.newDevice('iPhone');
    phone.refusesApp = true;
    await world.rollOut(phone.id);
    await world.until(async () => {
      const [row] = await world.database.query<{ appRefusals: number }>(
        'select app_refusals from device_trust where device_id = $1',
        [phone.id],
      );
      expect(row?.appRefusals).toBe(1);
    });
    expect(phone.carriedOut.filter((each) => each === 'InstallApplication')).toHaveLength(1);
    await world.database.query('update device_trust set app_refusals = 3 where device_id = $1', [phone.id]);
    await world.rollOut(phone.id);
    // The first run may see three by itself, and end before this message begins another.
    await world.told(phone.id);
    expect(await world.ended(phone.id)).toBe('COMPLETED');
    expect(await world.trust(phone.id)).toMatchObject({ phase: 'waits_for_user', failureCode: null });
    phone.refusesApp = false;
    const { runId } = await world.rollout(phone.id).describe();
    await world.rollOut(phone.id, 'a check of the day');
    await world.until(async () => {
      const next = await world.rollout(phone.id).describe();
      expect([next.runId === runId, next.status.name]).toEqual([false, 'COMPLETED']);
    });
    expect(phone.carriedOut.filter((each) => each === 'InstallApplication')).toHaveLength(1);
    await world.rollOut(phone.id, 'started by an operator', true);
    await world.until(async () => expect((await world.truths(phone.id))['oktaVerifyManaged']).toBe('held'));
  });

  test('what happens while the user has not yet accepted the app does not use up the week to accept it', async () => {
    const mac = await world.newDevice('Mac');
    mac.looksUntilManaged = 22;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.carriedOut).toContain('ManagedApplicationList'));
    let news = 0;
    // The news make it look far more often than it would by itself, until the user has accepted.
    await world.until(async () => {
      const { status } = await world.rollout(mac.id).describe();
      news += 1;
      if (status.name === 'RUNNING')
        await world
          .rollout(mac.id)
          .signal('desiredStateChanged', { eventId: `news ${news}`, reason: 'news' })
          .catch(() => undefined);
      expect(status.name).not.toBe('RUNNING');
    }, 150_000);
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null });
  }, 180_000);

  test('a profile that the device refuses fails the rollout by its code, in the words that people are shown; started again it ends well', async () => {
    const mac = await world.newDevice('Mac');
    mac.refuses.set('InstallProfile', 'mdm.profile_refused');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    await expect(world.rollout(mac.id).result()).rejects.toMatchObject({
      cause: {
        type: 'mdm.profile_refused',
        message: expect.stringContaining(FAILURES['mdm.profile_refused'].remedy),
      },
    });
    const { waitsFor } = (await world.trust(mac.id)) ?? {};
    await expect(world.rollout(mac.id).result()).rejects.toMatchObject({ cause: { message: waitsFor } });
    expect(await world.trust(mac.id)).toMatchObject({
      bucket: 'needs_you',
      phase: 'failed',
      failureCode: 'mdm.profile_refused',
    });
    const [told] = await world.database.query<{ detail: object }>(
      `select detail from device_timeline where device_id = $1 and kind = 'rollout_failed'`,
      [mac.id],
    );
    expect(told?.detail).toMatchObject({ code: 'mdm.profile_refused', requestType: 'InstallProfile' });
    mac.refuses.clear();
    await world.rollOut(mac.id);
    await world.until(async () =>
      expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    );
    expect(mac.certificates).toHaveLength(1);
    expect(mac.maxCertificates).toBe(1);
  });

  test("a Mac whose Okta Verify is not the App Store's is named, after its profiles", async () => {
    const mac = await world.newDevice('Mac');
    mac.appIsForeign = true;
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({
      failureCode: 'mdm.app_not_from_app_store',
      delivered: true,
    });
  });

  test('where the item says that Okta Verify comes from elsewhere, the package counts and nothing fails', async () => {
    await world.database.query(`update library_items set settings = '{"appComesFromElsewhere": true}'`);
    const mac = await world.newDevice('Mac');
    mac.appIsForeign = true;
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    await world.database.query(`update library_items set settings = '{}'`);
    expect(await world.trust(mac.id)).toMatchObject({
      phase: 'delivered',
      failureCode: null,
      certificatePresent: true,
      oktaVerifyManaged: true,
    });
    const [evidence] = await world.database.query<{ evidence: string }>(
      `select evidence from device_truths where device_id = $1 and truth = 'oktaVerifyManaged'`,
      [mac.id],
    );
    expect(evidence?.evidence).toContain('present (package)');
  });

  test('enrolled again in the middle: everything is planned anew, and the device ends with one certificate', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('asking_device'));
    await beginEnrollmentAgain(world.database, mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('not_enrolled'));
    mac.isAsleep = false;
    await finishEnrollment(world.database, mac.id);
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    expect(kinds(mac)).toEqual(['certificate.a', 'settings', 'sso']);
    expect(mac.certificates).toHaveLength(1);
  });

  test('switched off: after the delay the payloads go, the app stays, the certificate is not kept any more', async () => {
    const mac = await world.newDevice('Mac');
    const phone = await world.newDevice('iPhone');
    await Promise.all([world.rollOut(mac.id), world.rollOut(phone.id)]);
    await Promise.all([world.ended(mac.id), world.ended(phone.id)]);
    await world.fleet.switchTrust(false);
    await Promise.all([world.rollOut(mac.id), world.rollOut(phone.id)]);
    await world.until(async () => {
      expect((await world.trust(mac.id))?.phase).toBe('out_of_scope');
      expect((await world.trust(phone.id))?.phase).toBe('out_of_scope');
    });
    expect(kinds(mac)).toEqual([]);
    expect(mac.certificates).toEqual([]);
    expect(mac.appStatus).toBe('Managed');
    expect(kinds(phone)).toEqual([]);
    expect(phone.appConfiguration).toBeUndefined();
    // Its last workflow task comes after its reply to the rollout.
    await world.until(async () =>
      expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('COMPLETED'),
    );
    await world.fleet.switchTrust(true);
  });

  test('switched off while a locked device has a profile on offer: it is taken back at once, and never lands', async () => {
    const mac = await world.newDevice('Mac');
    mac.notNowTo = 'InstallProfile';
    mac.notNow = Infinity;
    await world.rollOut(mac.id);
    const offered = () =>
      world.database.query<{ state: string }>(
        `select state from commands where device_id = $1 and step like 'rollout.profile.%'`,
        [mac.id],
      );
    await world.until(async () => expect((await offered()).map(({ state }) => state)).toContain('not_now'));
    const delayMinutes = async (minutes: number) =>
      world.database.query(
        `update integrations set settings = settings || jsonb_build_object('removalDelayMinutes', $2::numeric) where id = $1`,
        [world.fleet.integrationId, minutes],
      );
    await delayMinutes(15);
    await world.fleet.switchTrust(false);
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('removal_delay'));
    expect((await offered()).map(({ state }) => state)).toEqual(['withdrawn', 'withdrawn']);
    mac.notNow = 0;
    await mac.wake();
    expect(kinds(mac)).not.toContain('settings');
    // Turned on again before the delay is over, it gets them after all.
    await delayMinutes(0.01);
    await world.fleet.switchTrust(true);
    await world.rollOut(mac.id);
    await world.until(() => expect(kinds(mac)).toEqual(['certificate.a', 'settings', 'sso']));
  });

  test('unassigned: the payloads go as the item said that it had, with its delay, and the app and its license too if it asked so', async () => {
    const { database, fleet } = world;
    await database.query(`update library_items set settings = '{"removeAppOnRemoval": true}' where id = $1`, [
      fleet.itemId,
    ]);
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.ended(mac.id);
    const [{ serialNumber } = { serialNumber: '' }] = await database.query<{ serialNumber: string }>(
      'select serial_number from devices where id = $1',
      [mac.id],
    );
    expect(world.knobs.held).toContain(serialNumber);
    await database.query('delete from library_item_blueprints where library_item_id = $1', [fleet.itemId]);
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('out_of_scope'));
    expect([kinds(mac), mac.certificates, mac.appStatus]).toEqual([[], [], undefined]);
    expect(world.knobs.held).not.toContain(serialNumber);
    expect(await database.query('select from licenses where device_id = $1', [mac.id])).toEqual([]);
    await database.query(
      'insert into library_item_blueprints (blueprint_id, library_item_id) values ($1, $2)',
      [fleet.blueprintId, fleet.itemId],
    );
    await database.query(`update library_items set settings = '{}' where id = $1`, [fleet.itemId]);
  });

  test('a Mac that claims a thousand profiles of Odette makes no more work than one that has them', async () => {
    const mac = await world.newDevice('Mac');
    for (let number = 0; number < 1_000; number += 1)
      mac.profiles.set(`odette.${randomUUID()}.${mac.id}.sso`, { uuid: randomUUID(), types: [] });
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.carriedOut).toContain('RemoveProfile'));
    const [asked] = await world.database.query<{ count: number }>(
      `select count(*) from commands where device_id = $1 and request_type = 'RemoveProfile'`,
      [mac.id],
    );
    expect(asked?.count).toBeLessThanOrEqual(20);
    await world.rollout(mac.id).terminate('the test is over');
  });

  test('switched off while its certificate is on its way: none comes later, and nobody keeps it', async () => {
    world.challenges.state.status = 503;
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('certificate'));
    await world.until(async () =>
      expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('RUNNING'),
    );
    await world.fleet.switchTrust(false);
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('out_of_scope'), 60_000);
    world.challenges.state.status = 200;
    await world.fleet.switchTrust(true);
    await world.until(async () =>
      expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('COMPLETED'),
    );
    expect(mac.certificates).toEqual([]);
  }, 120_000);

  test('canceled in Temporal while Apple still assigns its license, it ends', async () => {
    world.knobs.licenses = 'pending';
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(async () => {
      const rows = await world.database.query('select 1 from licenses where device_id = $1', [mac.id]);
      expect(rows).toHaveLength(1);
      expect(mac.pushes).toBeGreaterThan(0);
    });
    await world.rollout(mac.id).cancel();
    expect(await world.ended(mac.id)).toBe('CANCELLED');
    world.knobs.licenses = 'assigned';
  }, 120_000);

  test('canceled in Temporal: its commands are withdrawn, the device says so, and a replay ends well', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.pushes).toBeGreaterThan(0));
    await world.rollout(mac.id).cancel();
    expect(await world.ended(mac.id)).toBe('CANCELLED');
    expect(await world.trust(mac.id)).toMatchObject({
      bucket: 'needs_you',
      failureCode: 'rollout.canceled',
    });
    const states = await world.database.query<{ state: string }>(
      'select distinct state from commands where device_id = $1',
      [mac.id],
    );
    expect(states).toEqual([{ state: 'withdrawn' }]);
    mac.isAsleep = false;
    await world.rollOut(mac.id, 'replay by an operator');
    await world.until(async () =>
      expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    );
  });

  test('terminated in Temporal: the next hourly look starts it again, and its run is closed', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.pushes).toBeGreaterThan(0));
    const { runId } = await world.rollout(mac.id).describe();
    await world.rollout(mac.id).terminate();
    await world.leftLists(workflowIds.rollout(mac.id));
    await world.client.workflow.execute('enforceDesiredState', {
      workflowId: randomUUID(),
      taskQueue: TASK_QUEUE,
      args: [{ integrationId: world.fleet.integrationId }],
    });
    await world.until(async () => expect((await world.rollout(mac.id).describe()).runId).not.toBe(runId));
    mac.isAsleep = false;
    await mac.wake();
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null });
    expect(mac.maxCertificates).toBe(1);
    expect(await runsOf(mac.id)).toEqual([
      { outcome: 'failed', failureCode: 'rollout.canceled' },
      { outcome: 'completed', failureCode: null },
    ]);
  });

  test('without a worker Temporal still says what it waits for', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    // It is pushed before the workflow task is over that starts the timer.
    await world.until(async () => {
      const { events } = await world.rollout(mac.id).fetchHistory();
      expect(events?.find((event) => event.timerStartedEventAttributes)).toBeDefined();
    });
    await world.stopWorker();
    const described = await world.rollout(mac.id).describe();
    expect(await described.staticSummary()).toMatch(/^Okta Device Trust for /);
    expect(described.typedSearchAttributes.get(searchAttributes.rolloutPhase)).toBe('asking_device');
    const { events } = await world.rollout(mac.id).fetchHistory();
    const timer = events?.findLast((event) => event.timerStartedEventAttributes);
    const { data } = readRecorded(timer?.userMetadata?.summary ?? {});
    expect(Buffer.from(data ?? []).toString()).toBe('"waits for the device"');
    await world.restartWorker();
    mac.isAsleep = false;
    await mac.wake();
    expect(await world.ended(mac.id)).toBe('COMPLETED');
  });

  test('one whose answers never become signals is carried on by the next push', async () => {
    const mac = await world.newDevice('Mac');
    const lost = await world.database.query(
      `create function drop_answers() returns trigger language plpgsql as $$ begin
         if new.message ->> 'signal' = 'commandsResponded' and new.message ->> 'deviceId' = '${mac.id}' then return null; end if; return new; end $$`,
    );
    expect(lost).toEqual([]);
    await world.database.query(
      'create trigger drop_answers before insert on outbox for each row execute function drop_answers()',
    );
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.carriedOut).toContain('ManagedApplicationList'));
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('certificate'));
    await world.database.query('drop trigger drop_answers on outbox');
    await world.rollout(mac.id).terminate();
  });

  test('a signal that comes twice counts once, and one for a device that is gone ends', async () => {
    const id = randomUUID();
    await world.client.workflow.start('rollOutDevice', {
      workflowId: `rollout/${id}`,
      taskQueue: 'odette',
      args: [{ deviceId: id }],
    });
    expect(await world.ended(id)).toBe('COMPLETED');
  });
});
