// Devices that leave: what their removal concerns and on which terms, and the end of a record.
import type { RemovalTerms } from '../../../domain/rollout-view.ts';
import type { Sql } from '../base/database.ts';

/** Of these devices those that are in a blueprint, and the longest removal delay among their integrations (none set: null). */
export async function readLeaving(
  sql: Sql,
  deviceIds: readonly string[],
): Promise<{ ids: string[]; delayMinutes: number | null }> {
  const [row] = await sql.query<{ ids: string[]; delayMinutes: number | null }>(
    `select coalesce(array_agg(scope.device_id), '{}') as ids,
            max((integration.settings ->> 'removalDelayMinutes')::int) as delay_minutes
       from device_scope as scope
       left join integrations as integration on integration.id = scope.integration_id
      where scope.device_id = any($1) and scope.blueprint_id is not null`,
    [deviceIds],
  );
  return row ?? { ids: [], delayMinutes: null };
}

/** Blueprints leave an item with a last word about it. */
export async function setRemovalTerms(
  sql: Sql,
  blueprintIds: readonly string[],
  terms: RemovalTerms,
): Promise<void> {
  await sql.query(
    `update device_trust set removal_terms = $2 from devices
      where devices.id = device_trust.device_id and devices.blueprint_id = any($1)`,
    [blueprintIds, terms],
  );
}

/**
 * With everything that is known of it; its workflows end when they look next. False: it is enrolled and calls, or there is none.
 */
export async function deleteDevice(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(
    `delete from devices
      where id = $1 and (enrollment_status in ('checked_out', 'unreachable')
                         or exists (select from device_trust where device_id = devices.id and bucket = 'unreachable'))
      returning 1`,
    [id],
  );
  return rows.length > 0;
}
