// Devices whose channel is asked what became of their commands. A row is claimed by moving its time: who ends without an answer
// leaves it to the next process.
import type { Sql } from '../base/database.ts';

/** Told when something is to be asked at once. */
export const QUESTIONS_CHANNEL = 'odette_channel_questions';

/** So long a question may take, seconds: all its requests, each with its own limit. */
const LEASE_SECONDS = 120;
const SOON_SECONDS = 1;
/** A Date holds no more than milliseconds, and is compared with what it was. */
const ASKED_AT = `date_trunc('milliseconds', now())`;

/** A command was given, or is about to be. */
export async function scheduleQuestion(sql: Sql, deviceId: string): Promise<void> {
  await sql.query(
    `with asked as (
       insert into channel_questions (device_id, next_at) values ($1, now() + make_interval(secs => $2))
       on conflict (device_id) do update set next_at = least(channel_questions.next_at, excluded.next_at) returning 1)
     select pg_notify('${QUESTIONS_CHANNEL}', '') from asked`,
    [deviceId, SOON_SECONDS],
  );
}

export interface Question {
  readonly deviceId: string;
  readonly udid: string;
  readonly channelId: string;
  /** By the database's clock: what is asked was so then, or later. */
  readonly askedAt: Date;
}

/** Those that are due, the longest due first, of channels that are not paused. */
export const claimQuestions = (sql: Sql, limit: number): Promise<Question[]> =>
  sql.query<Question>(
    `with due as (
       select question.device_id, device.udid, device.channel_id
         from channel_questions as question join devices as device on device.id = question.device_id
         join channel_readings as reading on reading.channel_id = device.channel_id
        where question.next_at <= now() and coalesce(reading.paused_until <= now(), true)
        order by question.next_at limit $1 for update of question skip locked)
     update channel_questions as question set next_at = ${ASKED_AT} + make_interval(secs => ${LEASE_SECONDS}) from due
      where question.device_id = due.device_id
      returning question.device_id, due.udid, due.channel_id, ${ASKED_AT} as asked_at`,
    [limit],
  );

/** Milliseconds until the next one is due; undefined: there is none. */
export async function nextQuestionDueInMs(sql: Sql): Promise<number | undefined> {
  const [row] = await sql.query<{ ms: number | null }>(
    `select (extract(epoch from min(greatest(question.next_at, reading.paused_until)) - now()) * 1000)::float8 as ms
       from channel_questions as question join devices as device on device.id = question.device_id
       join channel_readings as reading on reading.channel_id = device.channel_id`,
  );
  return row?.ms ?? undefined;
}

/** A command of which its channel has not said what became of it. */
export interface OpenQuestion {
  readonly uuid: string;
  readonly workflowId: string;
  readonly step: string;
  readonly requestType: string;
  readonly handsOverOnce: boolean;
  /** Its own, and those under which it was given again, the newest first. */
  readonly names: readonly string[];
  /** Since it was last given, milliseconds. */
  readonly ageMs: number;
}

/** In the order in which they were queued. */
export const findOpenQuestions = (sql: Sql, deviceId: string): Promise<OpenQuestion[]> =>
  sql.query<OpenQuestion>(
    `select uuid, workflow_id, step, request_type, hands_over_once,
            (extract(epoch from now() - handed_over_at) * 1000)::float8 as age_ms,
            array(select alias from command_aliases where command_uuid = commands.uuid order by created_at desc) || commands.uuid as names
       from commands where device_id = $1 and state = 'handed_over' order by position`,
    [deviceId],
  );

/** Asked again then; sooner where a command was given meanwhile. */
export async function rescheduleQuestion(
  sql: Sql,
  { deviceId, askedAt }: Pick<Question, 'deviceId' | 'askedAt'>,
  inMs: number,
): Promise<void> {
  await sql.query(
    `update channel_questions set next_at = now() + make_interval(secs => $3 / 1000.0)
      where device_id = $1 and next_at = $2::timestamptz + make_interval(secs => ${LEASE_SECONDS})`,
    [deviceId, askedAt, inMs],
  );
}

/** Nothing is open any more. */
export async function stopAsking(sql: Sql, deviceId: string): Promise<void> {
  await sql.query(
    `delete from channel_questions where device_id = $1
       and not exists (select from commands where device_id = $1 and state = 'handed_over')`,
    [deviceId],
  );
}

/** Whoever has an open command and is not asked about; whoever is on another channel now is asked about no more. */
export async function scheduleForgottenQuestions(sql: Sql, channelId: string): Promise<void> {
  await sql.query(
    `delete from channel_questions where not exists (
       select from devices as device join channel_readings as reading on reading.channel_id = device.channel_id
        where device.id = channel_questions.device_id)`,
  );
  await sql.query(
    `insert into channel_questions (device_id, next_at)
     select id, now() from devices where channel_id = $1 and exists (select from commands where device_id = devices.id and state = 'handed_over')
     on conflict (device_id) do nothing`,
    [channelId],
  );
}
