// Devices by the end of their certificate: next due, late, failed, or unused so long that Okta would revoke it.
import { DEFAULT_INTEGRATION_SETTINGS } from '../../domain/integration-settings.ts';
import type { Sql } from './database.ts';
import { listFleet, type FleetRow } from './fleet.ts';

export type RenewalState = 'due' | 'late' | 'failed' | 'unused';

/** The current certificate of each device; its window ends at `$3` of its life before its end. */
const CURRENT = `select distinct on (device_id) device_id, not_before, not_after from certificate_deliveries
  where state = 'proven' and not_after is not null order by device_id, not_after desc`;

const CONDITIONS: Readonly<Record<RenewalState, string>> = {
  due: 'true',
  late: `not_after - (not_after - not_before) * $3::float8 < now()`,
  failed: `exists (select from device_trust as trust where trust.device_id = current.device_id and trust.bucket = 'failed'
             and (trust.failure_code like 'certificate.%' or trust.failure_code like 'scep.%' or trust.failure_code like 'okta.challenge%'))`,
  unused: `not_before < now() - make_interval(days => $4::int) and exists (
             select from device_trust as trust where trust.device_id = current.device_id and not trust.managed)`,
};

export async function listRenewals(
  sql: Sql,
  state: RenewalState,
  page: {
    readonly after?: { readonly value: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<(FleetRow & { readonly sortValue: string })[]> {
  const { renewalWindowEnd, unusedWarnDays } = DEFAULT_INTEGRATION_SETTINGS;
  const due = await sql.query<{ id: string; sortValue: string }>(
    `select current.device_id as id, not_after::text as "sortValue" from (${CURRENT}) as current
      where ($1::timestamptz is null or (not_after, device_id) > ($1::timestamptz, $2::uuid))
        and ($3::float8 is not null and $4::int is not null) and ${CONDITIONS[state]}
      order by not_after, device_id limit $5`,
    [page.after?.value ?? null, page.after?.id ?? null, renewalWindowEnd, unusedWarnDays, page.limit],
  );
  const ids = due.map(({ id }) => id);
  const rows = await listFleet(sql, { ids }, { sort: 'name', order: 'asc', limit: ids.length });
  return due.flatMap(({ id, sortValue }) => {
    const row = rows.find((each) => each.id === id);
    return row ? [{ ...row, sortValue }] : [];
  });
}
