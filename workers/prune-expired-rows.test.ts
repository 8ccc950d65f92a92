// What is swept by age, and what stays however old it is.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendAudit } from '../adapters/store/base/audit.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import { beginEnrollment } from '../adapters/store/devices/enrollments.ts';
import { recordRunEnd } from '../adapters/store/rollout/rollout-runs.ts';
import { insertRun } from '../test/harness/recorded-run.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { pruneExpiredRows } from './prune-expired-rows.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

const enroll = (): Promise<string> =>
  beginEnrollment(own.database, {
    udid: randomUUID(),
    family: 'Mac',
    platform: 'macOS',
    topic: 'com.apple.mgmt.External.test',
    pushProblem: null,
    identityFingerprint: randomBytes(32),
    isNew: true,
  });

async function ran(deviceId: string, runId: string, from: Date, to: Date | undefined): Promise<void> {
  await insertRun(own.database, { runId, deviceId, workflowId: `rollout/${deviceId}` }, from);
  if (to) await recordRunEnd(own.database, runId, 'completed', null, to);
}

test('a timeline goes back two years', async () => {
  const deviceId = await enroll();
  await appendTimeline(own.database, deviceId, { kind: 'enrolled', text: 'long ago' }, daysAgo(731));
  await appendTimeline(own.database, deviceId, { kind: 'enrolled', text: 'within two years' }, daysAgo(729));
  await pruneExpiredRows(own.database);
  expect(await own.database.query('select text from device_timeline')).toEqual([
    { text: 'within two years' },
  ]);
});

test('of old rollouts those that run and the newest of each device stay', async () => {
  const [device, other] = [await enroll(), await enroll()];
  await ran(device, 'forgotten', daysAgo(900), daysAgo(899));
  await ran(device, 'runs since ever', daysAgo(890), undefined);
  await ran(device, 'ended lately', daysAgo(880), daysAgo(3));
  await ran(device, 'newest', daysAgo(800), daysAgo(799));
  await ran(other, 'newest of the other', daysAgo(900), daysAgo(899));
  await pruneExpiredRows(own.database);
  const left = await own.database.query<{ id: string }>(
    'select run_id as id from rollout_runs order by run_id',
  );
  expect(left.map(({ id }) => id)).toEqual([
    'ended lately',
    'newest',
    'newest of the other',
    'runs since ever',
  ]);
});

test('the audit trail is kept', async () => {
  await appendAudit(own.database, { actor: 'system', action: 'secret.used' });
  await own.database.query(`update audit_entries set at = now() - interval '10 years'`);
  await pruneExpiredRows(own.database);
  expect(await own.database.query('select action from audit_entries')).toEqual([{ action: 'secret.used' }]);
});

test('more than a batch is swept in one go', async () => {
  const deviceId = await enroll();
  await own.database.query(
    `insert into device_timeline (device_id, at, kind, text)
       select $1, now() - interval '3 years', 'enrolled', 'long ago' from generate_series(1, 25000)`,
    [deviceId],
  );
  await pruneExpiredRows(own.database);
  expect(
    await own.database.query(`select count(*) as old from device_timeline where text = 'long ago'`),
  ).toEqual([{ old: 0 }]);
});
