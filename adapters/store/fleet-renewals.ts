// Devices by the end of their certificate: next due, late, failed, or unused so long that Okta would revoke it.
import type { Sql } from './database.ts';
import { listFleet, type FleetRow } from './fleet.ts';
import { settingSql } from './integrations.ts';

export type RenewalState = 'due' | 'late' | 'failed' | 'unused';

/** The current certificate of each device, with the numbers of its integration. */
const CURRENT = `select distinct on (delivery.device_id) delivery.device_id, delivery.not_before, delivery.not_after, delivery.proven_at,
         ${settingSql('renewalWindowEnd')} as window_end, ${settingSql('unusedWarnDays')} as warn_days
    from certificate_deliveries as delivery join integrations as integration on integration.id = delivery.integration_id
   where delivery.state = 'proven' and delivery.not_after is not null order by delivery.device_id, delivery.not_after desc`;

/** The same conditions as in domain/renewal-policy.ts. */
const CONDITIONS: Readonly<Record<RenewalState, string>> = {
  due: 'true',
  late: `not_after - (not_after - not_before) * window_end < now()`,
  failed: `exists (select from device_trust as trust where trust.device_id = current.device_id and trust.bucket = 'failed'
             and (trust.failure_code like 'certificate.%' or trust.failure_code like 'scep.%' or trust.failure_code like 'okta.challenge%'))`,
  unused: `coalesce(proven_at, not_before) < now() - make_interval(secs => warn_days * 86400) and exists (
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
  const due = await sql.query<{ id: string; sortValue: string }>(
    `select current.device_id as id, not_after::text as "sortValue" from (${CURRENT}) as current
      where ($1::timestamptz is null or (not_after, device_id) > ($1::timestamptz, $2::uuid))
        and ${CONDITIONS[state]}
      order by not_after, device_id limit $3`,
    [page.after?.value ?? null, page.after?.id ?? null, page.limit],
  );
  const ids = due.map(({ id }) => id);
  const rows = await listFleet(sql, { ids }, { sort: 'name', order: 'asc', limit: ids.length });
  return due.flatMap(({ id, sortValue }) => {
    const row = rows.find((each) => each.id === id);
    return row ? [{ ...row, sortValue }] : [];
  });
}
