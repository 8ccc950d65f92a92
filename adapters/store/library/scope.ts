// Devices in scope of an integration: in pages for the sweeps, and how many there are.
import type { Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';

const IN_SCOPE = `from device_scope as scope
  left join device_trust as trust on trust.device_id = scope.device_id
 where scope.integration_id = $1 and scope.is_in_scope`;

/** In scope and not seen to be as it should be since `before`; those that failed are left to an operator. */
export async function findUnverifiedDevices(
  sql: Sql,
  integrationId: string,
  before: Date,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select scope.device_id as id ${IN_SCOPE} and trust.failure_code is null and (trust.verified_at is null or trust.verified_at < $2)
        and ($3::uuid is null or scope.device_id > $3) order by scope.device_id limit $4`,
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
    `select scope.device_id as id ${IN_SCOPE} and exists (select from certificate_deliveries as delivery where delivery.device_id = scope.device_id and delivery.state = 'proven')
        and ($2::uuid is null or scope.device_id > $2) order by scope.device_id limit $3`,
    [integrationId, after, limit],
  );
  return rows.map(({ id }) => id);
}

/** How many devices its switched-on items reach, also of a platform that is not configured: they come in scope once it is. */
export async function countReached(sql: Sql, integrationId: string): Promise<Record<Platform, number>> {
  const [row] = await sql.query<Record<Platform, number>>(
    `select count(*) filter (where platform = 'macOS')::int as "macOS", count(*) filter (where platform = 'iOS')::int as "iOS"
       from device_scope where integration_id = $1 and is_switched_on and is_enrolled`,
    [integrationId],
  );
  return row ?? { macOS: 0, iOS: 0 };
}
