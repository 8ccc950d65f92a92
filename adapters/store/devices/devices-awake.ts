// Whether a device can be expected to take a command within moments.
import type { Sql } from '../base/database.ts';
import { ENROLLED } from './enrolled.ts';

/** Seconds since its last contact. */
const RECENTLY = 60;

/** Within this enrollment, a request of it waits, or its last contact was a moment ago. By the database's clock. */
export async function isAwake(sql: Sql, deviceId: string, enrollmentId: string): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(
    `select enrollment_id = $2 and ${ENROLLED}
            and (coalesce(long_poll_until > now(), false) or coalesce(last_contact_at > now() - make_interval(secs => $3), false)) as yes
       from devices where id = $1`,
    [deviceId, enrollmentId, RECENTLY],
  );
  return row?.yes ?? false;
}
