// Commands that are queued in one statement, and what is noted with them.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { queueCommandsAtOnce } from './queue-commands.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

test('a profile counts as sent with its command, and not before: the device is held by somebody else', async () => {
  const { database } = own;
  const [device] = await database.query<{ id: string; enrollmentId: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id)
     values ('Mac', 'macOS', 'UDID', 'enrolled', gen_random_uuid()) returning id, enrollment_id`,
  );
  const { id: deviceId, enrollmentId } = device ?? { id: '', enrollmentId: '' };
  const sent = [{ kind: 'settings', identifier: 'i', payloadUuid: randomUUID(), revision: '1' }] as const;
  const command = {
    uuid: randomUUID(),
    deviceId,
    enrollmentId,
    workflowId: 'rollout/1',
    step: 'rollout.profile',
    requestType: 'InstallProfile',
    body: Buffer.from('x'),
  };
  const counts = async () =>
    (
      await database.query(
        `select (select count(*)::int from sent_profiles) as sent, (select count(*)::int from commands) as queued`,
      )
    )[0];
  const isWaiting = () =>
    database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
  let queueing: Promise<unknown> | undefined;
  await database.inTransaction(async (sql) => {
    await sql.query('select from devices where id = $1 for no key update', [deviceId]);
    queueing = queueCommandsAtOnce(database, { deviceId, enrollmentId, sent }, [command]);
    await expect.poll(async () => (await isWaiting()).length, { timeout: 20_000 }).toBe(1);
    expect(await counts()).toEqual({ sent: 0, queued: 0 });
  });
  await queueing;
  expect(await counts()).toEqual({ sent: 1, queued: 1 });
});
