// What another MDM server said last of a device's relation, by that server's clock: its webhooks come twice, late and in any order.
// Every function expects the device's row to be locked. Times are text, for PostgreSQL keeps the microseconds that tell them apart.
import type { Sql } from '../base/database.ts';

/** How an event stands to those that were taken before. */
export interface EventPlace {
  /** Of an enrollment before this one, or told before. */
  readonly isBeforeEnrollment: boolean;
  /** Something newer was said of the relation. */
  readonly isOvertaken: boolean;
  /** A TokenUpdate of this enrollment came before its Authenticate. */
  readonly isTokenKnown: boolean;
}

export async function placeOf(sql: Sql, deviceId: string, at: string): Promise<EventPlace> {
  const [row] = await sql.query<EventPlace>(
    `select coalesce($2::timestamptz <= authenticated_at, false) as is_before_enrollment, $2::timestamptz < relation_at as is_overtaken, is_token_known
       from channel_devices where device_id = $1`,
    [deviceId, at],
  );
  return row ?? { isBeforeEnrollment: false, isOvertaken: false, isTokenKnown: false };
}

/** An enrollment began. @param isAdopted nothing is known of how */
export async function recordEnrollmentBegun(
  sql: Sql,
  deviceId: string,
  at: string,
  { isAdopted, isTokenKnown }: { readonly isAdopted: boolean; readonly isTokenKnown: boolean },
): Promise<void> {
  await sql.query(
    `insert into channel_devices (device_id, authenticated_at, relation_at, is_token_known)
     values ($1, case when $3 then null else $2::timestamptz end, $2::timestamptz, $4)
     on conflict (device_id) do update set authenticated_at = coalesce(excluded.authenticated_at, channel_devices.authenticated_at),
       relation_at = greatest(channel_devices.relation_at, excluded.relation_at), is_token_known = excluded.is_token_known, lists_at = '{}'`,
    [deviceId, at, isAdopted, isTokenKnown],
  );
}

/** TokenUpdate, or what proves one; CheckOut. */
export async function recordRelation(
  sql: Sql,
  deviceId: string,
  at: string,
  isTokenKnown: boolean,
): Promise<void> {
  await sql.query(
    `update channel_devices set relation_at = greatest(relation_at, $2::timestamptz), is_token_known = $3 where device_id = $1`,
    [deviceId, at, isTokenKnown],
  );
}

/** false: a newer response of this kind was taken before, and what it listed stays. */
export async function recordNewerList(
  sql: Sql,
  deviceId: string,
  requestType: string,
  at: string,
): Promise<boolean> {
  const rows = await sql.query(
    `update channel_devices set lists_at = lists_at || jsonb_build_object($2::text, $3::timestamptz)
      where device_id = $1 and coalesce((lists_at ->> $2)::timestamptz < $3::timestamptz, true) returning 1`,
    [deviceId, requestType, at],
  );
  return rows.length > 0;
}

/** It enrolled with another MDM server than Odette's: where it is pushed is that server's to know. */
export async function markEnrolled(sql: Sql, deviceId: string): Promise<void> {
  await sql.query(
    `update devices set enrollment_status = 'enrolled', enrolled_at = now(), last_contact_at = now() where id = $1`,
    [deviceId],
  );
}

/** As the other server calls this enrollment; null: it does not. */
export async function findEnrolledMark(sql: Sql, deviceId: string): Promise<string | null> {
  const [row] = await sql.query<{ enrolledMark: string | null }>(
    'select enrolled_mark from channel_devices where device_id = $1',
    [deviceId],
  );
  return row?.enrolledMark ?? null;
}

export async function recordEnrolledMark(sql: Sql, deviceId: string, mark: string | null): Promise<void> {
  await sql.query('update channel_devices set enrolled_mark = $2 where device_id = $1', [deviceId, mark]);
}
