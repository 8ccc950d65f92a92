// What was refused is audited and raises an alarm; a flood of it leaves few rows.
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alarmsOf } from '../api/admin/status.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { RefusalRecord } from './refusal-record.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

const log = pino({ enabled: false });
const rows = () =>
  own.database.query<{ subject: string; detail: object }>(
    `select subject, detail from audit_entries where action = 'temporal.refused' order by at`,
  );
const settled = async (count: number) => expect.poll(async () => (await rows()).length).toBe(count);

test('a refusal is in the audit trail and raises an alarm; the same again in a minute is not written again', async () => {
  let now = 0;
  const record = new RefusalRecord(own.database, log, () => now);
  const refusal = { kind: 'signal', name: 'certificateNotNeeded', workflowId: 'certificate/1' } as const;
  expect((await alarmsOf(own.database)).map(({ failure }) => failure.code)).toEqual([]);
  for (let count = 0; count < 1000; count += 1) record.note(refusal);
  await settled(1);
  expect(await rows()).toEqual([
    { subject: 'workflow:certificate/1', detail: { kind: 'signal', name: 'certificateNotNeeded' } },
  ]);
  expect((await alarmsOf(own.database)).map(({ failure }) => failure.code)).toEqual([
    'temporal.unauthenticated',
  ]);
  now += 60_000;
  record.note(refusal);
  await settled(2);
});

test('a flood over invented workflows leaves twenty rows a minute', async () => {
  await own.database.query('delete from audit_entries');
  const record = new RefusalRecord(own.database, log, () => 0);
  for (let count = 0; count < 1000; count += 1)
    record.note({ kind: 'start', name: 'rollOutDevice', workflowId: `rollout/${count}` });
  await settled(20);
});

test('a message that Odette sealed with a wrong body is audited, and is no alarm', async () => {
  await own.database.query('delete from audit_entries');
  const record = new RefusalRecord(own.database, log, () => 0);
  record.note({ kind: 'signal_body', name: 'renewNow', workflowId: 'certificate/1' });
  await expect
    .poll(() => own.database.query('select action, subject, detail from audit_entries'))
    .toEqual([
      {
        action: 'temporal.body_refused',
        subject: 'workflow:certificate/1',
        detail: { kind: 'signal_body', name: 'renewNow' },
      },
    ]);
  expect(await alarmsOf(own.database)).toEqual([]);
});
