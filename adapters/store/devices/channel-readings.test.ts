// When a channel that is asked may be asked: a failure pauses all of it once, and nothing but a pause holds its answers up.
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { claimQuestions, nextQuestionDueInMs } from './channel-questions.ts';
import {
  beginReadings,
  claimReading,
  recordAnswer,
  recordFailedReading,
  readAgain,
} from './channel-readings.ts';

const own: TestDatabase = await createTestDatabase();
const { database } = own;
afterAll(() => own.drop());

let channelId: string;
beforeEach(async () => {
  await database.query('delete from devices');
  await database.query('delete from channels');
  const [secret] = await database.query<{ id: string }>(
    `insert into secrets (kind, key_id, sealed, set_by, address) values ('channel_api_key', 'k', '\\x00', 'test', 'https://fleet.test:443') returning id`,
  );
  const [channel] = await database.query<{ id: string }>(
    `insert into channels (kind, name, url, api_key_secret_id) values ('fleet', 'Fleet', 'https://fleet.test', $1) returning id`,
    [secret?.id],
  );
  channelId = channel?.id ?? '';
  await beginReadings(database, channelId, { version: '1', tier: 'free' });
  await database.query(
    `with device as (
       insert into devices (family, platform, udid, enrollment_status, enrollment_id, channel_id)
       values ('Mac', 'macOS', 'UDID', 'enrolled', gen_random_uuid(), $1) returning id)
     insert into channel_questions (device_id, next_at) select id, now() from device`,
    [channelId],
  );
});

const pauseIsOver = () =>
  database.query(`update channel_readings set paused_until = now() - interval '1 second'`);
const failures = async () =>
  (await database.query<{ failures: number }>('select failures from channel_readings'))[0]?.failures;

test('a reading that is under way again after a failure holds no answer up', async () => {
  await claimReading(database);
  await recordFailedReading(database, channelId, 'channel.unreachable', () => 60_000);
  await readAgain(database, channelId);
  expect(await claimReading(database)).toBeUndefined();
  expect(await claimQuestions(database, 8)).toEqual([]);
  await pauseIsOver();
  expect(await claimReading(database)).toMatchObject({ channelId });
  expect(await claimQuestions(database, 8)).toHaveLength(1);
});

test('what was under way when a channel failed counts once, and ends its pause neither by failing nor by an answer', async () => {
  const fail = () =>
    recordFailedReading(database, channelId, 'channel.unreachable', (count) => count * 60_000);
  for (const leftMs of await Promise.all(Array.from({ length: 8 }, fail))) {
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  }
  expect(await failures()).toBe(1);
  await recordAnswer(database, channelId);
  expect([await failures(), await claimQuestions(database, 8)]).toEqual([1, []]);
  await pauseIsOver();
  await recordAnswer(database, channelId);
  expect([await failures(), (await claimQuestions(database, 8)).length]).toEqual([0, 1]);
});

test('what is due on a paused channel is waited for until the pause is over', async () => {
  expect(await nextQuestionDueInMs(database)).toBeLessThanOrEqual(0);
  await recordFailedReading(database, channelId, 'channel.rate_limited', () => 3_600_000);
  expect(await nextQuestionDueInMs(database)).toBeGreaterThan(3_000_000);
});
