// What is shown of a device is written by many: whoever read it before another wrote does not write over it.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { COMMANDS_CHANNEL } from '../adapters/store/devices/commands.ts';
import { readDeviceState, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { refreshSeen, refreshTrust } from './refresh-trust.ts';

let own: TestDatabase;
let deviceId: string;
beforeAll(async () => {
  own = await createTestDatabase();
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  const { blueprintId } = await connectIntegration(own.database, sealer, 'localhost', {});
  const [row] = await own.database.query<{ id: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, blueprint_id)
     values ('Mac', 'macOS', $1, 'enrolled', gen_random_uuid(), $2) returning id`,
    [randomUUID(), blueprintId],
  );
  deviceId = row?.id ?? '';
  await own.database.inTransaction((sql) => refreshTrust(sql, deviceId, { now: new Date() }));
});
afterAll(() => own.drop());

async function seen(): Promise<DeviceState> {
  const state = await readDeviceState(own.database, deviceId);
  if (state === undefined) throw new Error('no device');
  return state;
}
const phase = async () =>
  (
    await own.database.query<{ phase: string }>('select phase from device_trust where device_id = $1', [
      deviceId,
    ])
  )[0]?.phase;
const timeline = async () =>
  (
    await own.database.query<{ kind: string }>(
      'select kind from device_timeline where device_id = $1 order by id',
      [deviceId],
    )
  ).map(({ kind }) => kind);
const runOf = (runId: string) => ({ runId, workflowId: `rollout/${deviceId}`, now: new Date() });

test('a plan that another has passed writes nothing, and one that reads again does', async () => {
  const old = await seen();
  await own.database.inTransaction((sql) =>
    refreshTrust(sql, deviceId, { now: new Date(), phase: 'removing' }),
  );
  const change = { now: new Date(), phase: 'profiles' } as const;
  const before = await timeline();
  expect(await refreshSeen(own.database, old, change, runOf('one'))).toBe('changed');
  expect([await phase(), await timeline()]).toEqual(['removing', before]);
  expect(await refreshSeen(own.database, await seen(), change, runOf('one'))).toMatchObject({
    bucket: expect.any(String),
  });
  expect([await phase(), await timeline()]).toEqual(['profiles', [...before, 'rollout_started']]);
});

test('a run ends in the statement that shows it, and its beginning was told once', async () => {
  const ended = [{ kind: 'rollout_completed', text: 'The device has everything that it needs.' }];
  const change = { now: new Date(), phase: 'delivered', failureCode: null, isVerified: true } as const;
  // Who begins with the end has to record the run first.
  expect(await refreshSeen(own.database, await seen(), change, runOf('two'), { ended })).toBe('needs_lock');
  await refreshSeen(own.database, await seen(), { now: new Date(), phase: 'app' }, runOf('two'));
  const before = await timeline();
  const told: string[] = [];
  const stop = await own.database.listen(COMMANDS_CHANNEL, (payload) => told.push(payload));
  await refreshSeen(own.database, await seen(), change, runOf('two'), { ended });
  expect(await timeline()).toEqual([...before, 'rollout_completed']);
  // A request of the device that waited for it waits no longer.
  await expect.poll(() => told).toEqual([`${deviceId} over`]);
  await stop();
  const [run] = await own.database.query(`select outcome, closed_at from rollout_runs where run_id = 'two'`);
  expect(run).toMatchObject({ outcome: 'completed', closedAt: expect.any(Date) });
});
