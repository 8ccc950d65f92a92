// Okta's records of Macs, iPhones and iPads that belong to no device of Odette: pages by name, and how many there are of each state.
import type { ObservedState } from '../../../domain/observed-device.ts';
import type { OktaUser } from '../../../domain/okta-finding.ts';
import type { Sql } from '../base/database.ts';

export interface ObservedRecord {
  readonly oktaId: string;
  readonly displayName: string;
  readonly platform: 'MACOS' | 'IOS';
  readonly serialNumber: string | null;
  readonly model: string | null;
  readonly osVersion: string | null;
  readonly status: string;
  readonly registered: boolean;
  readonly users: readonly OktaUser[];
  readonly lastUpdatedAt: Date;
  readonly observedAt: Date;
  /** Of the System Log's last `pki.cert.bind`: when a sign-in first used the certificate; null: not known. */
  readonly boundAt: Date | null;
  readonly boundSerialNumber: string | null;
  /** By which the list is sorted. */
  readonly nameKey: string;
}

/** What domain/observed-device.ts makes of a record, for filters and counts. */
const STATE = `case
  when status = 'SUSPENDED' then 'suspended'
  when status = 'DEACTIVATED' then 'deactivated'
  when status not in ('ACTIVE', 'UNSUSPENDED') or not registered then 'not_registered'
  when users @> '[{"managementStatus": "MANAGED"}]' then 'managed'
  else 'not_managed' end`;

const OBSERVED = `okta_devices where integration_id = $1 and device_id is null and platform in ('MACOS', 'IOS')`;

export const listObservedDevices = (
  sql: Sql,
  integrationId: string,
  page: {
    readonly state?: ObservedState | undefined;
    /** Part of a name, of a serial number or of a login. */
    readonly search?: string | undefined;
    readonly after?: { readonly name: string; readonly oktaId: string } | undefined;
    readonly limit: number;
  },
): Promise<ObservedRecord[]> =>
  sql.query<ObservedRecord>(
    `select okta_id, display_name, platform, serial_number, model, os_version, status, registered, users, last_updated_at, observed_at,
            bound_at, bound_serial_number, lower(display_name) as name_key
       from ${OBSERVED}
        and ($2::text is null or ${STATE} = $2)
        and ($3::text is null or strpos(lower(display_name), $3) > 0 or strpos(lower(coalesce(serial_number, '')), $3) > 0
             or exists (select from unnest(okta_logins(users)) as login where strpos(login, $3) > 0))
        and ($4::text is null or (lower(display_name), okta_id) > ($4, $5))
      order by lower(display_name), okta_id limit $6`,
    [
      integrationId,
      page.state ?? null,
      page.search?.toLowerCase() ?? null,
      page.after?.name ?? null,
      page.after?.oktaId ?? null,
      page.limit,
    ],
  );

export async function countObservedDevices(
  sql: Sql,
  integrationId: string,
): Promise<Partial<Record<ObservedState, number>>> {
  const rows = await sql.query<{ state: ObservedState; devices: number }>(
    `select ${STATE} as state, count(*)::int as devices from ${OBSERVED} group by 1`,
    [integrationId],
  );
  return Object.fromEntries(rows.map(({ state, devices }) => [state, devices]));
}
