// Devices by the end of their certificate: next due, late, failed, or unused so long that Okta would revoke it.
import { FAILURES } from '../../../domain/failures.ts';
import { integrationSettingsOf, type IntegrationSettings } from '../../../domain/integration-settings.ts';
import type { Sql } from '../base/database.ts';
import { listFleet, type FleetRow } from './fleet.ts';
import { settingSql } from '../integration/integrations.ts';

export type RenewalState = 'due' | 'late' | 'failed' | 'unused';

/** Each device has one proven delivery, its current certificate; beside it the numbers of its integration. */
const CURRENT = `certificate_deliveries as delivery join integrations as integration on integration.id = delivery.integration_id`;
const [WINDOW_END, WARN_DAYS] = [settingSql('renewalWindowEnd'), settingSql('unusedWarnDays')];
/** No certificate lives longer: by it a walk in the order of their ends knows where to stop. */
const MAX_LIFETIME = `(select max(not_after - not_before) from certificate_deliveries where state = 'proven')`;
const OF_ANY = (number: string, pick: 'max' | 'min') =>
  `(select ${pick}(${number}) from integrations as integration)`;

const CERTIFICATE_FAILURES = Object.keys(FAILURES)
  .filter((code) => ['certificate.', 'scep.', 'okta.challenge'].some((area) => code.startsWith(area)))
  .join(',');

interface Listing {
  readonly from: string;
  readonly end: string;
  readonly where: string;
}
const BY_DELIVERY = { from: CURRENT, end: 'delivery.not_after' };

/** The same conditions as in domain/renewal-policy.ts. */
const LISTINGS: Readonly<Record<RenewalState, Listing>> = {
  due: { ...BY_DELIVERY, where: 'true' },
  late: {
    ...BY_DELIVERY,
    where: `not_after - (not_after - not_before) * ${WINDOW_END} < now()
        and not_after < now() + ${MAX_LIFETIME} * ${OF_ANY(WINDOW_END, 'max')}`,
  },
  failed: {
    ...BY_DELIVERY,
    where: `delivery.device_id in (
          select device_id from fleet_list as list join fleet_segments on fleet_segments.id = list.segment
           where list.failure_code = any('{${CERTIFICATE_FAILURES}}') and fleet_segments.phase = 'failed')`,
  },
  unused: {
    ...BY_DELIVERY,
    where: `delivery.use <> 'proven' and (delivery.use = 'none' or delivery.reason is distinct from 'unused')
        and coalesce(proven_at, not_before) < now() - make_interval(secs => ${WARN_DAYS} * 86400)
        and not_after < now() + ${MAX_LIFETIME} - make_interval(days => (${OF_ANY(WARN_DAYS, 'min')})::int - 1)`,
  },
};

interface Due {
  readonly id: string;
  readonly sortValue: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly provenAt: Date | null;
  readonly settings: Partial<IntegrationSettings>;
}

export type ListedRenewal = FleetRow & {
  readonly sortValue: string;
  readonly certificate: {
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly provenAt: Date | null;
    /** Of the integration that it is from. */
    readonly settings: IntegrationSettings;
  };
};

export async function listRenewals(
  sql: Sql,
  state: RenewalState,
  page: {
    readonly after?: { readonly value: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<ListedRenewal[]> {
  const { from, end, where } = LISTINGS[state];
  const { after, limit } = page;
  const beyond = after === undefined ? '' : `and (${end}, delivery.device_id) > ($2::timestamptz, $3::uuid)`;
  const due = await sql.query<Due>(
    `select delivery.device_id as id, ${end}::text as sort_value, not_before, not_after, proven_at, integration.settings from ${from}
      where delivery.state = 'proven' and not_before is not null and ${end} is not null and ${where} ${beyond}
      order by ${end}, delivery.device_id limit $1`,
    after === undefined ? [limit] : [limit, after.value, after.id],
  );
  const ids = due.map(({ id }) => id);
  const rows = await listFleet(sql, { ids }, { sort: 'name', order: 'asc', limit: ids.length });
  return due.flatMap(({ id, sortValue, settings, ...life }) => {
    const row = rows.find((each) => each.id === id);
    const certificate = { ...life, settings: integrationSettingsOf(settings) };
    return row ? [{ ...row, sortValue, certificate }] : [];
  });
}
