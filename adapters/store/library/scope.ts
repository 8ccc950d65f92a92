// Devices in scope of an integration: in pages for the sweeps, and how many there are.
import type { Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from '../devices/enrolled.ts';

const IN_SCOPE = `from devices as device
  join library_item_blueprints as assigned on assigned.blueprint_id = device.blueprint_id
  join library_items as item on item.id = assigned.library_item_id and item.integration_id = $1 and item.device_trust_on
  join integration_platforms as platform on platform.integration_id = item.integration_id and platform.platform = device.platform
  left join device_trust as trust on trust.device_id = device.id
 where device.${ENROLLED}`;

/** In scope and not seen to be as it should be since `before`; those that failed are left to an operator. */
export async function findUnverifiedDevices(
  sql: Sql,
  integrationId: string,
  before: Date,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select device.id ${IN_SCOPE} and trust.failure_code is null and (trust.verified_at is null or trust.verified_at < $2)
        and ($3::uuid is null or device.id > $3) order by device.id limit $4`,
    [integrationId, before, after, limit],
  );
  return rows.map(({ id }) => id);
}

/** Macs in scope that have had a certificate. */
export async function findCertificateHolders(
  sql: Sql,
  integrationId: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select device.id ${IN_SCOPE} and exists (select from certificate_deliveries as delivery where delivery.device_id = device.id and delivery.state = 'proven')
        and ($2::uuid is null or device.id > $2) order by device.id limit $3`,
    [integrationId, after, limit],
  );
  return rows.map(({ id }) => id);
}

/** How many devices its switched-on items reach, also of a platform that is not configured: they come in scope once it is. */
export async function countReached(sql: Sql, integrationId: string): Promise<Record<Platform, number>> {
  const [row] = await sql.query<Record<Platform, number>>(
    `select count(*) filter (where device.platform = 'macOS')::int as "macOS", count(*) filter (where device.platform = 'iOS')::int as "iOS"
       from library_items as item
       join library_item_blueprints as assigned on assigned.library_item_id = item.id
       join devices as device on device.blueprint_id = assigned.blueprint_id and device.${ENROLLED}
      where item.integration_id = $1 and item.device_trust_on`,
    [integrationId],
  );
  return row ?? { macOS: 0, iOS: 0 };
}
