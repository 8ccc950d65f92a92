// Rollouts that are reset in Temporal, as its UI and CLI do it: the device is asked again, or keeps what it has still to answer.
// Long, because all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import type { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeNextCommand } from '../adapters/store/devices/next-command.ts';
import { FAILURES } from '../domain/failures.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { oktaRecordOf } from '../test/harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { atRest, fastForward } from '../test/harness/time-skipping.ts';
import { TASK_QUEUE, workflowIds } from './messages.ts';

quietRuntime();
const HOUR_MS = 60 * 60 * 1000;
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], patienceHours: 1 });
});
afterAll(() => world.close());

/** For rollouts that begin from now on. Of a license it is the time that an activity has, which no workflow's clock moves on. */
const setPatience = (seconds: number): Promise<unknown> =>
  world.database.query('update integrations set settings = settings || $1::jsonb', [
    JSON.stringify({ patienceHours: seconds / 3600 }),
  ]);

const commandsOf = (deviceId: string, step: string) =>
  world.database.query<{ uuid: string; state: string }>(
    'select uuid, state from commands where device_id = $1 and step = $2',
    [deviceId, step],
  );

/** Moves the clock of its rollout on until it has failed. What is left of the time must not pass in the run after it. */
async function failsWithin(mac: FakeDevice, milliseconds: number): Promise<void> {
  const ending = new AbortController();
  const id = workflowIds.rollout(mac.id);
  const moving = fastForward(world.connection, world.namespace, id, milliseconds, ending.signal).catch(
    () => undefined,
  );
  // An order to move on that met a task under way is given again after ten seconds, more than once on a busy machine.
  expect(await world.ended(mac.id, 120_000)).toBe('FAILED');
  ending.abort();
  await moving;
}

/** Moves its clock on from look to look at the app, and never while a response of the device is on its way: that would leap over all the looks. */
async function failsOfApp(mac: FakeDevice): Promise<void> {
  const id = workflowIds.rollout(mac.id);
  const { connection, namespace } = world;
  const ended = world.ended(mac.id, 150_000);
  for (;;) {
    const resting = atRest(connection, namespace, id).catch(() => null);
    const leftMs = await Promise.race([ended.then(() => null), resting]);
    if (leftMs === null) break;
    await fastForward(connection, namespace, id, leftMs + 1000);
  }
  expect(await ended).toBe('FAILED');
}

describe('a rollout that failed', () => {
  test("of silence ends well after a reset to its last patience timer's workflow task, with the same commands", async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.pushes).toBeGreaterThan(0));
    // By the wall's clock, what is left of the patience after the reset would be a race with the device.
    await failsWithin(mac, 2 * HOUR_MS);
    expect(await world.trust(mac.id)).toMatchObject({
      bucket: 'needs_user',
      failureCode: 'mdm.device_silent',
    });
    const asked = await commandsOf(mac.id, 'rollout.ProfileList');
    expect(asked.map(({ state }) => state)).toEqual(['withdrawn']);

    mac.isAsleep = false;
    const { events } = await world.rollout(mac.id).fetchHistory();
    const timer = events?.filter((event) => event.timerStartedEventAttributes).at(-1);
    const event = Number(timer?.timerStartedEventAttributes?.workflowTaskCompletedEventId);
    expect(await world.eventShown(mac.id)).toBe(event);
    await world.reset(mac.id, event);
    await world.until(async () =>
      expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    );
    expect(mac.certificates).toHaveLength(1);
    expect(mac.maxCertificates).toBe(1);
  }, 180_000);

  test('of what its certificate met all the time is named so, and said while it lasts', async () => {
    world.challenges.state.status = 503;
    await setPatience(11);
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.until(async () => expect((await world.trust(mac.id))?.waitsFor).toContain('Okta'));
    expect(await world.ended(mac.id)).toBe('FAILED');
    await setPatience(3600);
    world.challenges.state.status = 200;
    expect((await world.trust(mac.id))?.failureCode).toMatch(/^okta\./);
  }, 60_000);

  test('of a license ends with the patience, and says why Apple gave none', async () => {
    const mac = await world.newDevice('Mac');
    world.knobs.licenses = 'unreachable';
    await setPatience(11);
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    await setPatience(3600);
    world.knobs.licenses = 'assigned';
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'apps_and_books.unreachable' });
    const { events } = await world.rollout(mac.id).fetchHistory();
    const asked = events?.map((event) => event.activityTaskScheduledEventAttributes) ?? [];
    expect(
      asked.map((each) => [each?.activityType?.name, Number(each?.scheduleToCloseTimeout?.seconds)]),
    ).toContainEqual(['assignLicense', 11]);
  }, 60_000);

  test("of an activity ends well after a reset to the failed activity's workflow task", async () => {
    const mac = await world.newDevice('Mac');
    world.knobs.licenses = 'refused';
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'apps_and_books.token_refused' });
    world.knobs.licenses = 'assigned';
    const { events } = await world.rollout(mac.id).fetchHistory();
    const failed = events?.filter((event) => event.activityTaskFailedEventAttributes).at(-1);
    const scheduledId = failed?.activityTaskFailedEventAttributes?.scheduledEventId?.toString();
    const scheduled = events?.find((event) => event.eventId?.toString() === scheduledId);
    const event = Number(scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId);
    expect(await world.eventShown(mac.id)).toBe(event);
    // Nothing hides the reason: it failed on purpose.
    const error = await world
      .rollout(mac.id)
      .result()
      .then(String, (thrown: WorkflowFailedError) => thrown);
    const { title, remedy } = FAILURES['apps_and_books.token_refused'];
    expect(error).toMatchObject({
      cause: { type: 'apps_and_books.token_refused', message: `${title} ${remedy}`, stack: '' },
    });
    await world.reset(mac.id, event);
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
    expect(mac.certificates).toHaveLength(1);
    expect(mac.maxCertificates).toBe(1);
  });

  test('starts again with commands of its own', async () => {
    const mac = await world.newDevice('Mac');
    mac.refuses.set('ProfileList', 'mdm.command_refused');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    mac.refuses.clear();
    await world.rollOut(mac.id, 'replay by an operator');
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
    expect(
      new Set((await commandsOf(mac.id, 'rollout.ProfileList')).map(({ uuid }) => uuid)).size,
    ).toBeGreaterThan(1);
    expect(mac.maxCertificates).toBe(1);
  });

  test('reset to its beginning after a refusal does not meet the old refusal again', async () => {
    const mac = await world.newDevice('Mac');
    mac.refuses.set('InstallApplication', 'mdm.command_refused');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    mac.refuses.clear();
    const { events } = await world.rollout(mac.id).fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    expect(await world.eventShown(mac.id)).toBe(Number(first?.eventId));
    await world.reset(mac.id, Number(first?.eventId));
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
    expect(mac.maxCertificates).toBe(1);
  });

  test('of an app that the device acknowledged and never showed asks it again after a reset to its beginning', async () => {
    const mac = await world.newDevice('Mac');
    mac.looksUntilManaged = Infinity;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.carriedOut).toContain('InstallApplication'));
    await failsOfApp(mac);
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.app_not_installed' });

    mac.appStatus = undefined;
    mac.looksUntilManaged = 0;
    const before = [...mac.carriedOut];
    const { events } = await world.rollout(mac.id).fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await world.reset(mac.id, Number(first?.eventId));
    await world.until(async () =>
      expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    );
    expect(mac.carriedOut.slice(before.length)).toEqual(
      expect.arrayContaining(['ProfileList', 'InstallApplication', 'ManagedApplicationList']),
    );
    expect(mac.maxCertificates).toBe(1);
  }, 180_000);

  /** How a device stands to its commands when its rollout is reset. */
  const HELD: Readonly<Record<string, (mac: FakeDevice) => Promise<unknown> | void>> = {
    queued: (mac) => void (mac.isAsleep = true),
    handed_over: (mac) => {
      mac.isAsleep = true;
      // It takes them, and says nothing.
      return world.until(async () => {
        await world.database.inTransaction((sql) => takeNextCommand(sql, mac.id));
        expect((await commandsOf(mac.id, 'rollout.ProfileList'))[0]?.state).toBe('handed_over');
      });
    },
    not_now: (mac) => void (mac.notNow = Infinity),
  };

  test.each(Object.keys(HELD))(
    'keeps the command that its device still has to answer through a reset: %s',
    async (state) => {
      const mac = await world.newDevice('Mac');
      mac.isAsleep = state === 'handed_over';
      const holds = HELD[state]?.(mac);
      await world.rollOut(mac.id);
      await holds;
      const first = await world.until(async () => {
        expect((await commandsOf(mac.id, 'rollout.ProfileList'))[0]?.state).toBe(state);
        const { events } = await world.rollout(mac.id).fetchHistory();
        const completed = events?.find((event) => event.workflowTaskCompletedEventAttributes);
        expect(completed).toBeDefined();
        return completed;
      });
      const [before] = await commandsOf(mac.id, 'rollout.ProfileList');
      await world.reset(mac.id, Number(first?.eventId));
      mac.isAsleep = false;
      mac.notNow = 0;
      await mac.wake();
      await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
      const kept = await commandsOf(mac.id, 'rollout.ProfileList');
      expect(kept.find(({ uuid }) => uuid === before?.uuid)?.state).toBe('responded');
      expect(mac.maxCertificates).toBe(1);
    },
  );

  test('of a cancellation goes on after a reset to its beginning', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.pushes).toBeGreaterThan(0));
    await world.rollout(mac.id).cancel();
    expect(await world.ended(mac.id)).toBe('CANCELLED');
    const { events } = await world.rollout(mac.id).fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    expect(await world.eventShown(mac.id)).toBe(Number(first?.eventId));
    mac.isAsleep = false;
    await world.reset(mac.id, Number(first?.eventId));
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
  });
});

test('a batch reset of rollouts that ended well makes no device fail, whether it answers or sleeps', async () => {
  const cases = [
    { sleeps: true, isSignedIn: true },
    { sleeps: false, isSignedIn: true },
    { sleeps: true, isSignedIn: false },
  ];
  const rolledOut = await Promise.all(
    cases.map(async ({ sleeps, isSignedIn }) => {
      const mac = await world.newDevice('Mac');
      await world.rollOut(mac.id);
      expect(await world.ended(mac.id)).toBe('COMPLETED');
      if (isSignedIn) await signIn(mac);
      mac.isAsleep = sleeps;
      const [trust, { runId }] = [await world.trust(mac.id), await world.rollout(mac.id).describe()];
      expect(trust?.bucket).toBe(isSignedIn ? 'trusted' : 'needs_user');
      return { mac, runId, trust, serials: serialsOf(mac) };
    }),
  );
  const ids = rolledOut.map(({ mac }) => workflowIds.rollout(mac.id));
  await world.leftLists(...ids);
  // So long those that sleep are waited for.
  await setPatience(11);
  await world.connection.workflowService.startBatchOperation({
    namespace: world.namespace,
    jobId: randomUUID(),
    reason: 'test',
    visibilityQuery: `WorkflowId IN (${ids.map((id) => `'${id}'`).join(', ')})`,
    resetOperation: { options: { firstWorkflowTask: {} } },
  });
  for (const { mac, runId, trust, serials } of rolledOut) {
    await world.until(async () => expect((await world.rollout(mac.id).describe()).runId).not.toBe(runId));
    await world.ended(mac.id);
    const { bucket, waitsFor } = trust ?? {};
    expect(await world.trust(mac.id)).toMatchObject({
      bucket,
      waitsFor,
      phase: 'delivered',
      failureCode: null,
    });
    expect(serialsOf(mac)).toEqual(serials);
    expect(mac.maxCertificates).toBe(1);
  }
}, 60_000);

/** Okta counts the device as managed at the next look. */
async function signIn(mac: FakeDevice): Promise<void> {
  const record = await oktaRecordOf(world.database, mac.id);
  world.knobs.oktaDevices = [...world.knobs.oktaDevices, record];
  const sweep = {
    workflowId: randomUUID(),
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  };
  await world.client.workflow.execute('observeTrust', sweep);
}

const serialsOf = (mac: FakeDevice) => mac.certificates.map(({ serialNumber }) => serialNumber);
