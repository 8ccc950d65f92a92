// Devices in scope that had a certificate of Odette's and list none any more: one is its rollout's business, many are an alarm.
import type { Sql } from '../base/database.ts';

/** Of the last day. */
export async function countCertificatesGone(
  sql: Sql,
): Promise<{ readonly devices: number; readonly since: Date | null }> {
  const [row] = await sql.query<{ devices: number; since: Date | null }>(
    `select count(*)::integer as devices, min(since) as since from device_truths as truth
      where truth = 'certificatePresent' and state = 'not_held' and since > now() - interval '1 day'
        and exists (select from device_scope where device_id = truth.device_id and is_in_scope)
        and exists (select from certificate_deliveries where device_id = truth.device_id and proven_at is not null)`,
  );
  return row ?? { devices: 0, since: null };
}
