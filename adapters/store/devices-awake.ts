// Whether a device can be expected to take a command within moments.
import type { Sql } from './database.ts';

/** A request of it waits, or it was heard of less than `seconds` ago. By the database's clock. */
export async function isAwake(sql: Sql, deviceId: string, seconds = 60): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(
    `select coalesce(lingering_until > now(), false) or coalesce(last_contact_at > now() - make_interval(secs => $2), false) as yes
       from devices where id = $1`,
    [deviceId, seconds],
  );
  return row?.yes ?? false;
}
