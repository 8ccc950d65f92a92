// Enrolled devices that ask to enroll again with another identity: they were erased, or lost their profile without a word.
import type { Sql } from '../base/database.ts';

/** How long an admin's word holds: long enough to have the user at the device. */
const ALLOWED_HOURS = 24;

export const recordReturnRequest = async (sql: Sql, deviceId: string): Promise<void> =>
  void (await sql.query(
    'update devices set return_asked_at = coalesce(return_asked_at, now()), return_allowed_until = null where id = $1',
    [deviceId],
  ));

/** false: there is no such device, or it is not enrolled. */
export async function allowReturn(sql: Sql, deviceId: string, actor: string): Promise<boolean> {
  const rows = await sql.query(
    `update devices set return_asked_at = null, return_allowed_until = now() + make_interval(hours => ${ALLOWED_HOURS}), return_allowed_by = $2
      where id = $1 and enrollment_status in ('enrolled', 'unreachable', 'authenticated') returning 1`,
    [deviceId, actor],
  );
  return rows.length > 0;
}

/** An admin's no, or a sign of life of the earlier enrollment. false: nobody asked, nobody allowed. */
export async function refuseReturn(sql: Sql, deviceId: string): Promise<boolean> {
  const rows = await sql.query(
    `update devices set return_asked_at = null, return_allowed_until = null, return_allowed_by = null
      where id = $1 and (return_asked_at is not null or return_allowed_until is not null) returning 1`,
    [deviceId],
  );
  return rows.length > 0;
}
