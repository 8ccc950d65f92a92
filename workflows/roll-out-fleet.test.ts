import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { startFleetChange } from '../adapters/store/rollout/fleet-rollout-start.ts';
import {
  countMembers,
  findFleetRollout,
  lockFleetRollout,
  steerFleetRollout,
  type MemberCounts,
} from '../adapters/store/rollout/fleet-rollouts.ts';
import { findDueDevices } from '../adapters/store/library/scope.ts';
import type { FleetOrder } from '../domain/fleet-waves.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { fleetRolloutProgressQuery, workflowIds } from './messages.ts';

quietRuntime();
let world: RolloutWorld;
let devices: FakeDevice[];
/** In a blueprint of their own. */
let tested: FakeDevice[];

/** Twenty-three phones: more than go at once; three of them in a test blueprint. */
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  devices = [];
  for (let number = 0; number < 23; number += 1) devices.push(await world.newDevice('iPhone'));
  tested = devices.slice(20);
  const [blueprint] = await world.database.query<{ id: string }>(
    `insert into blueprints (name) values ('Okta Device Trust test') returning id`,
  );
  await world.database.query(
    'insert into library_item_blueprints (blueprint_id, library_item_id) values ($1, $2)',
    [blueprint?.id, world.fleet.itemId],
  );
  await world.database.query('update devices set blueprint_id = $1 where id = any($2)', [
    blueprint?.id,
    tested.map(({ id }) => id),
  ]);
});
afterAll(() => world.close());

async function change(reason = 'changed'): Promise<string> {
  const { fleetRolloutId } = await world.database.inTransaction((sql) =>
    startFleetChange(sql, {
      kind: 'integration',
      integrationId: world.fleet.integrationId,
      reason,
      by: 'person:ada',
      which: [{ integrationId: world.fleet.integrationId, platform: 'iOS' }],
    }),
  );
  return fleetRolloutId ?? '';
}

const order = (id: string, what: FleetOrder): Promise<void> =>
  world.database.inTransaction(async (sql) => {
    await lockFleetRollout(sql, id);
    await steerFleetRollout(sql, id, what, { actor: 'person:ada', reason: undefined });
    await appendOutboxMessage(sql, id, { kind: 'rollOutFleet', fleetRolloutId: id });
  });

const counts = (id: string): Promise<MemberCounts> => countMembers(world.database, id);
const status = async (id: string) => (await findFleetRollout(world.database, id))?.status;
const hasStatus = (id: string, wanted: string, ms = 60_000) =>
  world.until(async () => expect(await status(id)).toBe(wanted), ms);
/** Devices that have begun and whose rollout Temporal was told of. */
const countTold = async (id: string): Promise<number> => {
  const [row] = await world.database.query<{ told: number }>(
    `select count(*)::int as told from fleet_rollout_devices as member join outbox on outbox.id = member.outbox_id
      where member.fleet_rollout_id = $1 and member.state = 'begun' and outbox.delivered_at is not null`,
    [id],
  );
  return row?.told ?? 0;
};
const begunIds = async (id: string): Promise<string[]> => {
  const rows = await world.database.query<{ id: string }>(
    `select device_id as id from fleet_rollout_devices where fleet_rollout_id = $1 and begun_at is not null`,
    [id],
  );
  return rows.map((row) => row.id).sort();
};

describe('a change of a fleet', () => {
  test('goes to the test blueprint first, then to all, and ends completed', async () => {
    for (const device of devices) device.isAsleep = true;
    const id = await change();
    await world.until(async () => expect((await counts(id)).begun).toBe(3));
    expect(await begunIds(id)).toEqual(tested.map((device) => device.id).sort());
    expect(await status(id)).toBe('running');
    const workflow = world.client.workflow.getHandle(workflowIds.fleet(id));
    await world.until(async () =>
      expect(await workflow.query(fleetRolloutProgressQuery)).toMatchObject({
        status: 'running',
        text: 'Canary: 0 of 3 devices finished, 20 to go.',
      }),
    );
    for (const device of devices) {
      device.isAsleep = false;
      void device.wake();
    }
    await hasStatus(id, 'completed', 90_000);
    expect(await counts(id)).toMatchObject({ completed: 23, failed: 0, waiting: 0 });
    await workflow.result();
  }, 120_000);

  test('holds devices back from the daily check until it is their turn', async () => {
    for (const device of tested) device.isAsleep = true;
    await world.database.query(`update device_trust set verified_at = now() - interval '3 days'`);
    const id = await change();
    // What no relay holds yet an abort takes back.
    await world.until(async () => expect(await countTold(id)).toBe(3));
    const now = new Date();
    const terms = { now, periodHours: 24, failedBefore: now };
    await world.until(async () => {
      const due = await findDueDevices(world.database, world.fleet.integrationId, terms, null, 100);
      expect(due.map((device) => device.id).sort()).toEqual(tested.map((device) => device.id).sort());
    });
    await order(id, 'abort');
    for (const device of tested) {
      device.isAsleep = false;
      void device.wake();
    }
    await world.until(async () =>
      expect(await counts(id)).toMatchObject({ completed: 3, left: 20, waiting: 0, begun: 0 }),
    );
    await world.client.workflow.getHandle(workflowIds.fleet(id)).result();
    expect(await status(id)).toBe('aborted');
  }, 120_000);

  test('halts by itself when a device of the canary fails, and goes on when a person says so', async () => {
    const [broken] = tested;
    broken?.refuses.set('InstallProfile', 'mdm.profile_refused');
    broken?.profiles.clear();
    const id = await change();
    await hasStatus(id, 'halted');
    expect(await findFleetRollout(world.database, id)).toMatchObject({
      halt: { reason: 'canary_failed', devices: 1 },
    });
    expect((await counts(id)).waiting).toBe(20);
    broken?.refuses.clear();
    await order(id, 'resume');
    await hasStatus(id, 'completed', 90_000);
    expect(await counts(id)).toMatchObject({ completed: 22, failed: 1, waiting: 0 });
  }, 150_000);

  test('pauses; go on at once takes the rest without waves; a later change overtakes what waits', async () => {
    for (const device of tested) device.isAsleep = true;
    const first = await change('the first');
    // What no relay holds yet a pause takes back, and a later change overtakes.
    await world.until(async () => expect(await countTold(first)).toBe(3));
    await order(first, 'pause');
    const second = await change('the second');
    expect(await counts(first)).toMatchObject({ overtaken: 20, begun: 3 });
    for (const device of tested) {
      device.isAsleep = false;
      void device.wake();
    }
    await order(second, 'all_at_once');
    await hasStatus(second, 'completed', 90_000);
    expect(await counts(second)).toMatchObject({ completed: 23 });
    // Nothing of it waits any more: it ends, paused as it is.
    await hasStatus(first, 'completed');
  }, 150_000);

  test('an order that comes while it looks for the last time is looked at', async () => {
    for (const device of tested) device.isAsleep = true;
    const id = await change();
    await world.until(async () => expect(await countTold(id)).toBe(3));
    const workflow = world.client.workflow.getHandle(workflowIds.fleet(id));
    const tell = () => appendOutboxMessage(world.database, id, { kind: 'rollOutFleet', fleetRolloutId: id });
    await world.database.inTransaction(async (sql) => {
      await lockFleetRollout(sql, id);
      await tell();
      await world.until(async () => {
        const { raw } = await workflow.describe();
        expect(raw.pendingActivities).toHaveLength(1);
      });
      await tell();
      await world.told(id);
      await sql.query(`update fleet_rollout_devices set state = 'completed' where fleet_rollout_id = $1`, [
        id,
      ]);
    });
    await world.until(async () => expect((await workflow.describe()).status.name).toBe('COMPLETED'));
    const { events = [] } = await workflow.fetchHistory();
    const last = (isOne: (event: (typeof events & object)[number]) => unknown) =>
      events?.findLastIndex((event) => isOne(event)) ?? 0;
    expect(last((event) => event.activityTaskScheduledEventAttributes)).toBeGreaterThan(
      last((event) => event.workflowExecutionSignaledEventAttributes),
    );
    for (const device of tested) {
      device.isAsleep = false;
      void device.wake();
    }
  }, 60_000);

  test('survives a worker that dies in the middle, and somebody who terminates its workflow', async () => {
    // Else the whole fleet may have ended before its workflow is terminated.
    for (const device of tested) device.isAsleep = true;
    const id = await change();
    await world.until(async () => expect((await counts(id)).begun).toBeGreaterThan(0));
    await world.client.workflow.getHandle(workflowIds.fleet(id)).terminate('by a stranger');
    await world.restartWorker();
    for (const device of tested) {
      device.isAsleep = false;
      void device.wake();
    }
    await appendOutboxMessage(world.database, id, { kind: 'rollOutFleet', fleetRolloutId: id });
    await hasStatus(id, 'completed', 90_000);
    expect(await counts(id)).toMatchObject({ completed: 23 });
  }, 150_000);
});

test('a change of twenty devices goes to all of them at once', async () => {
  const ids = devices.slice(0, 20).map(({ id }) => id);
  const started = await world.database.inTransaction((sql) =>
    startFleetChange(sql, {
      kind: 'removal',
      integrationId: null,
      reason: 'few',
      by: 'person:ada',
      which: [{ deviceIds: ids }],
    }),
  );
  expect(started).toEqual({ devices: 20, fleetRolloutId: null });
});
