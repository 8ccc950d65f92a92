// A channel that tells nothing by itself, and is asked which devices it has: when it is asked next, and what came of it last.
import type { ChannelFinding } from '../../../domain/channel-findings.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import type { Database, Sql } from '../base/database.ts';
import { QUESTIONS_CHANNEL } from './channel-questions.ts';

/** As the server says itself. */
export interface ChannelServer {
  readonly version: string;
  readonly tier: string;
}

export interface ReadingRow {
  readonly channelId: string;
  readonly readAt: Date | null;
  /** null: it answered the last time. */
  readonly problem: FailureCode | null;
  readonly server: ChannelServer | null;
  readonly findings: readonly ChannelFinding[];
}

/** So long one reading may take, seconds. */
const LEASE_SECONDS = 10 * 60;

export async function beginReadings(sql: Sql, channelId: string, server: ChannelServer): Promise<void> {
  await sql.query('insert into channel_readings (channel_id, server) values ($1, $2)', [channelId, server]);
}

export const listReadings = (sql: Sql, channelIds: readonly string[]): Promise<ReadingRow[]> =>
  sql.query<ReadingRow>(
    'select channel_id, read_at, problem, server, findings from channel_readings where channel_id = any($1::uuid[])',
    [channelIds],
  );

/** Its devices are read at once. false: it is no channel that is asked. */
export async function readNow(sql: Sql, channelId: string): Promise<boolean> {
  const rows = await sql.query(
    `with wanted as (
       update channel_readings set next_at = now(), failures = 0, paused_until = null where channel_id = $1 returning 1)
     select pg_notify('${QUESTIONS_CHANNEL}', '') from wanted`,
    [channelId],
  );
  return rows.length > 0;
}

export interface DueReading {
  readonly channelId: string;
  readonly profilesDigest: string | null;
}

export async function claimReading(sql: Sql): Promise<DueReading | undefined> {
  const [row] = await sql.query<DueReading>(
    `update channel_readings set next_at = now() + make_interval(secs => ${LEASE_SECONDS})
      where channel_id = (select channel_id from channel_readings where next_at <= now() and coalesce(paused_until <= now(), true)
                           order by next_at limit 1 for update skip locked)
      returning channel_id, profiles_digest`,
  );
  return row;
}

/** Milliseconds until the next one is due; undefined: there is none. */
export async function nextReadingDueInMs(sql: Sql): Promise<number | undefined> {
  const [row] = await sql.query<{ ms: number | null }>(
    'select (extract(epoch from min(greatest(next_at, paused_until)) - now()) * 1000)::float8 as ms from channel_readings',
  );
  return row?.ms ?? undefined;
}

/** Its devices were read whole. Sooner than that where somebody asked for it meanwhile. */
export async function recordReading(sql: Sql, channelId: string, nextInMs: number): Promise<void> {
  await sql.query(
    `update channel_readings set read_at = now(),
            next_at = case when next_at > now() then now() + make_interval(secs => $2 / 1000.0) else next_at end
      where channel_id = $1`,
    [channelId, nextInMs],
  );
  await recordAnswer(sql, channelId);
}

/** A reading that failed: the next one begins as soon as the channel is not paused. */
export async function readAgain(sql: Sql, channelId: string): Promise<void> {
  await sql.query('update channel_readings set next_at = now() where channel_id = $1', [channelId]);
}

/**
 * It did not answer: neither devices nor commands are asked about for a while. What fails while it is paused had been under way, and counts
 * no more than once.
 * @param pauseMs by the failures in a row, from 1, in milliseconds
 * @returns milliseconds that are left of the pause
 */
export const recordFailedReading = (
  database: Database,
  channelId: string,
  problem: FailureCode,
  pauseMs: (failures: number) => number,
): Promise<number> =>
  database.inTransaction(async (sql) => {
    const [row] = await sql.query<{ failures: number; leftMs: number | null }>(
      // Who waited for the row began before the pause that it finds: now() would be too early.
      `select failures, (extract(epoch from paused_until - clock_timestamp()) * 1000)::float8 as left_ms
         from channel_readings where channel_id = $1 for update`,
      [channelId],
    );
    const { failures = 0, leftMs = null } = row ?? {};
    if (leftMs !== null && leftMs > 0) return leftMs;
    const ms = pauseMs(failures + 1);
    await sql.query(
      `update channel_readings set failures = failures + 1, problem = $2, paused_until = now() + make_interval(secs => $3 / 1000.0)
        where channel_id = $1`,
      [channelId, problem, ms],
    );
    return ms;
  });

/** It answers again. What had been under way when it failed ends no pause. */
export async function recordAnswer(sql: Sql, channelId: string): Promise<void> {
  await sql.query(
    `update channel_readings set failures = 0, problem = null, paused_until = null
      where channel_id = $1 and failures > 0 and coalesce(paused_until <= now(), true)`,
    [channelId],
  );
}

/** What the server says of itself, and what of it works against Odette. @param profilesDigest of the profiles looked into */
export async function recordFindings(
  sql: Sql,
  channelId: string,
  server: ChannelServer,
  findings: readonly ChannelFinding[],
  profilesDigest: string,
): Promise<void> {
  await sql.query(
    'update channel_readings set server = $2, findings = $3::jsonb, profiles_digest = $4 where channel_id = $1',
    [channelId, server, JSON.stringify(findings), profilesDigest],
  );
}
