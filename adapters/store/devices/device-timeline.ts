// What happened to a device, in product words: one line each, newest last.
import type { Sql } from '../base/database.ts';

export interface TimelineEntry {
  /** e.g. rollout_started, profile_delivered, certificate_proven, rollout_failed */
  readonly kind: string;
  /** One sentence. Never a secret. */
  readonly text: string;
  readonly detail?: object;
}

/** `at`: when it happened by the workflow's clock; absent: now. */
export async function appendTimeline(
  sql: Sql,
  deviceId: string,
  entry: TimelineEntry,
  at?: Date,
): Promise<void> {
  await sql.query(
    'insert into device_timeline (device_id, at, kind, text, detail) values ($1, coalesce($2, now()), $3, $4, $5::jsonb)',
    [deviceId, at ?? null, entry.kind, entry.text, JSON.stringify(entry.detail ?? {})],
  );
}

/** In batches; returns how many rows went. */
export async function pruneTimeline(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from device_timeline where id in (
       select id from device_timeline where at < now() - make_interval(days => $1) limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}

/** Whether an entry of this kind that holds this detail is younger than a day. */
export async function isToldToday(
  sql: Sql,
  deviceId: string,
  kind: string,
  detail: Readonly<Record<string, string>>,
): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from device_timeline where device_id = $1 and kind = $2 and detail @> $3::jsonb and at > now() - interval '1 day' limit 1`,
    [deviceId, kind, JSON.stringify(detail)],
  );
  return rows.length > 0;
}
