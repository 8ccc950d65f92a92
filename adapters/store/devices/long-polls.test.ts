// A request's wait ends where nothing more is to come for its device, and not while anything may be.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { recordRunEnd } from '../rollout/rollout-runs.ts';
import { COMMANDS_CHANNEL } from './commands.ts';
import { beginLongPoll, endLongPollIfOver, isLongPollOpen, notifyCertificateOver } from './long-polls.ts';

let own: TestDatabase;
let id: string;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());
beforeEach(async () => {
  const [row] = await own.database.query<{ id: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id)
     values ('Mac', 'macOS', gen_random_uuid(), 'enrolled', gen_random_uuid()) returning id`,
  );
  id = row?.id ?? '';
});

const write = (statement: string) => own.database.query(statement, [id]);
const begin = async () => (await beginLongPoll(own.database, id, 60_000)).mark;
const RUN = `insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ('run-' || $1, $1::uuid, 'rollout/1', now())`;

describe('a wait goes on', () => {
  test.each<[string, string, string]>([
    ['a rollout runs', RUN, `update rollout_runs set closed_at = now() where device_id = $1`],
    ...['queued', 'handed_over', 'not_now'].map((state): [string, string, string] => [
      `a command is ${state}`,
      `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, body, state)
       values (gen_random_uuid(), $1, gen_random_uuid(), 'w', 's', 'ProfileList', 'x', '${state}')`,
      `update commands set state = 'responded' where device_id = $1`,
    ]),
    ...['sent', 'superseded'].map((state): [string, string, string] => [
      `a certificate is ${state}`,
      `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at)
       values ('of-' || $1, $1::uuid, gen_random_uuid(), 'a', gen_random_uuid(), gen_random_uuid(), '${state}', now())`,
      `update certificate_deliveries set state = 'removed' where device_id = $1`,
    ]),
    [
      'a workflow is to be told of a response',
      `insert into outbox (ordering_key, lane, message) values ($1, 1, '{"kind": "deviceSignal"}')`,
      `update outbox set claimed_until = now() + interval '15 seconds' where ordering_key = $1`,
    ],
    [
      'a rollout is being started',
      `insert into outbox (ordering_key, lane, message, claimed_until)
       values ($1, 1, '{"kind": "rollOutDevice"}', now() + interval '15 seconds')`,
      `update outbox set delivered_at = now() where ordering_key = $1`,
    ],
  ])('while %s', async (_, happens, passes) => {
    await write(happens);
    const mark = await begin();
    expect(await endLongPollIfOver(own.database, id, mark)).toBe(false);
    expect(await isLongPollOpen(own.database, id, mark)).toBe(true);
    await write(passes);
    expect(await endLongPollIfOver(own.database, id, mark)).toBe(true);
    expect(await isLongPollOpen(own.database, id, null)).toBe(true);
  });

  test('where it is that of a newer request', async () => {
    const mark = await begin();
    await beginLongPoll(own.database, id, 61_000);
    expect(await endLongPollIfOver(own.database, id, mark)).toBe(false);
  });
});

test('the end of a run is told to whoever waits, that of a certificate only where no run does', async () => {
  const told: string[] = [];
  const stop = await own.database.listen(COMMANDS_CHANNEL, (payload) => told.push(payload));
  const toldBefore = async (mark: string): Promise<string[]> => {
    await own.database.query(`select pg_notify('${COMMANDS_CHANNEL}', $1)`, [mark]);
    await expect.poll(() => told.at(-1)).toBe(mark);
    return told.splice(0).slice(0, -1);
  };
  await write(RUN);
  await notifyCertificateOver(own.database, id);
  expect(await toldBefore(randomUUID())).toEqual([]);
  await recordRunEnd(own.database, `run-${id}`, 'failed', null, new Date());
  expect(await toldBefore(randomUUID())).toEqual([`${id} over`]);
  await notifyCertificateOver(own.database, id);
  expect(await toldBefore(randomUUID())).toEqual([`${id} over`]);
  await stop();
});
