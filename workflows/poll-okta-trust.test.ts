// Okta is asked about devices that were just delivered, by one workflow for each integration.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lookSoon } from '../activities/okta-looks.ts';
import { claimWake, planWake, requestLook, saveLook } from '../adapters/store/integration/okta-looks.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { oktaRecordOf } from '../test/harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { workflowIds } from './messages.ts';

quietRuntime();
let world: RolloutWorld;
let integrationId: string;
beforeAll(async () => {
  // Nobody looks because of a rollout.
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  ({ integrationId } = world.fleet);
});
afterAll(() => world.close());
beforeEach(async () => {
  world.knobs.oktaDevices = [];
  await world.client.workflow
    .getHandle(workflowIds.trust(integrationId))
    .terminate()
    .catch(() => undefined);
  await world.database.query('delete from okta_looks');
  await world.database.query('update okta_reads set looks_at = null');
});

const poll = () => world.client.workflow.getHandle(workflowIds.trust(integrationId));
const soon = (deviceId: string, ...seconds: [number, ...number[]]) =>
  lookSoon(world.deps, { deviceId, integrationId, seconds, eventId: randomUUID() });
const left = async () =>
  (await world.database.query<{ deviceId: string }>('select device_id from okta_looks order by due_at')).map(
    ({ deviceId }) => deviceId,
  );
const isAsked = () =>
  world.until(async () => {
    const [row] = await world.database.query<{ at: Date | null }>('select looks_at as at from okta_reads');
    expect(row?.at?.getTime()).toBeGreaterThan(Date.now());
  });
const delivered = async (): Promise<FakeDevice> => {
  const mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  expect(await world.ended(mac.id)).toBe('COMPLETED');
  return mac;
};
const isTrusted = (mac: FakeDevice) =>
  world.until(async () => expect((await world.trust(mac.id))?.bucket).toBe('trusted'));

describe('Okta is asked about single devices', () => {
  test('at each of the times until a device is trusted; then nothing runs any more', async () => {
    const [mac, other] = [await delivered(), await delivered()];
    await soon(mac.id, 1, 2, 3600);
    await soon(other.id, 1, 2);
    await world.until(async () => expect(await left()).toEqual([mac.id]));
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await world.database.query('update okta_looks set due_at = now()');
    await poll().signal('oktaLooksWanted', { eventId: randomUUID() });
    await isTrusted(mac);
    await poll().result();
    expect(await left()).toEqual([]);
  });

  test('many that were delivered at about the same time cost one start and one look', async () => {
    const macs = [await delivered(), await delivered(), await delivered(), await delivered()];
    for (const mac of macs) await soon(mac.id, 2, 3600);
    const due = () =>
      world.database.query(`select from okta_looks where due_at < now() + interval '10 minutes'`);
    await world.until(async () => expect(await due()).toEqual([]));
    const { events } = await poll().fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(1);
    const tasks = events?.filter((event) => event.workflowTaskCompletedEventAttributes) ?? [];
    expect(tasks.length).toBeLessThanOrEqual(2);
  });

  test('at once for a person, though the workflow sleeps until somebody else’s look in an hour', async () => {
    const [mac, other] = [await delivered(), await delivered()];
    await soon(other.id, 3600);
    await poll().signal('oktaLooksWanted', { eventId: randomUUID() });
    await isAsked();
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await world.database.inTransaction((sql) => requestLook(sql, { deviceId: mac.id, integrationId }));
    await isTrusted(mac);
    expect(await left()).toEqual([other.id]);
  });

  test('about the others, when Okta refuses to answer for one; that one is asked about again', async () => {
    const [first, second] = [await delivered(), await delivered()];
    world.knobs.oktaDevices = [
      await oktaRecordOf(world.database, first.id),
      await oktaRecordOf(world.database, second.id),
    ];
    world.knobs.oktaRefusals = 1;
    await soon(first.id, 1);
    await soon(second.id, 1);
    await world.until(async () => expect(await left()).toHaveLength(1));
    const [refused] = await left();
    await isTrusted(refused === first.id ? second : first);
    await world.database.query('update okta_looks set due_at = now()');
    await poll().signal('oktaLooksWanted', { eventId: randomUUID() });
    await isTrusted(refused === first.id ? first : second);
  });

  test('by a workflow that is started anew, when the one that should have woken was ended by somebody', async () => {
    const mac = await delivered();
    await soon(mac.id, 3600);
    await poll().terminate('by a stranger');
    await world.database.query(`update okta_reads set looks_at = now() - interval '6 minutes'`);
    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await soon(mac.id, 1);
    await isTrusted(mac);
  });
});

describe('who wakes the workflow', () => {
  const look = (deviceId: string, ...seconds: number[]) =>
    saveLook(world.database, { deviceId, integrationId, seconds, isWish: false });

  test('only the first of several that are due about then, and whoever is due sooner', async () => {
    const mac = await world.newDevice('Mac');
    await look(mac.id, 60);
    expect(await claimWake(world.database, integrationId, 60)).toBe(true);
    expect(await claimWake(world.database, integrationId, 60)).toBe(false);
    expect(await claimWake(world.database, integrationId, 600)).toBe(false);
    expect(await claimWake(world.database, integrationId, 5)).toBe(true);
  });

  test('nobody, where a row is committed before the workflow has said when it wakes: it sees the row', async () => {
    const [mac, other] = [await world.newDevice('Mac'), await world.newDevice('Mac')];
    await look(mac.id, 600);
    expect(await planWake(world.database, integrationId)).toBeGreaterThan(500_000);
    // Committed between the two statements of planWake.
    let statements = 0;
    const interrupted: typeof world.database = {
      ...world.database,
      query: async (text, values) => {
        const rows = await world.database.query(text, values);
        if (++statements === 1) await look(other.id, 5);
        return rows as never;
      },
    };
    const leftMs = await planWake(interrupted, integrationId);
    expect(leftMs).toBeLessThan(6_000);
    expect(leftMs).toBeGreaterThan(1_000);
  });

  test('it wakes at once for rows that are overdue, and once', async () => {
    await look((await world.newDevice('Mac')).id, 5);
    await world.database.query(`update okta_looks set due_at = now() - interval '1 hour'`);
    expect(await planWake(world.database, integrationId)).toBe(0);
  });

  test('no wake is planned where nothing is left', async () => {
    expect(await planWake(world.database, integrationId)).toBeNull();
  });
});
