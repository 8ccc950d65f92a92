// The device list: filters, orders and pages by cursor; never an offset, never a count over the fleet for a page.
import type { DeviceFamily, Platform } from '../../domain/device.ts';
import type { FailureCode } from '../../domain/failures.ts';
import type { Truth, TrustBucket } from '../../domain/trust.ts';
import type { Sql } from './database.ts';
import type { EnrollmentStatus } from './devices.ts';

export interface FleetRow {
  readonly id: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  readonly name: string | null;
  readonly serialNumber: string | null;
  readonly udid: string;
  readonly model: string | null;
  readonly osVersion: string | null;
  readonly isSupervised: boolean | null;
  readonly user: string | null;
  readonly blueprint: { readonly id: string; readonly name: string } | null;
  readonly integrationId: string | null;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrolledAt: Date | null;
  readonly lastContactAt: Date | null;
  readonly bucket: TrustBucket;
  readonly delivered: boolean;
  readonly certificatePresent: boolean;
  readonly oktaVerifyManaged: boolean;
  readonly registered: boolean;
  readonly managed: boolean;
  readonly phase: string;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly certificateNotAfter: Date | null;
  readonly verifiedAt: Date | null;
  readonly trustedAt: Date | null;
}

export interface FleetFilter {
  readonly ids?: readonly string[] | undefined;
  readonly bucket?: readonly TrustBucket[] | undefined;
  readonly platform?: readonly Platform[] | undefined;
  readonly family?: readonly DeviceFamily[] | undefined;
  readonly blueprintId?: readonly string[] | undefined;
  readonly integrationId?: readonly string[] | undefined;
  readonly phase?: readonly string[] | undefined;
  readonly failureCode?: readonly FailureCode[] | undefined;
  readonly holds?: readonly Truth[] | undefined;
  readonly lacks?: readonly Truth[] | undefined;
  readonly certificateExpiresBefore?: string | undefined;
  /** The beginning of a serial number, a name or a login. */
  readonly search?: string | undefined;
}

const TRUTH_COLUMNS: Readonly<Record<Truth, string>> = {
  delivered: 'delivered',
  certificatePresent: 'certificate_present',
  oktaVerifyManaged: 'okta_verify_managed',
  registered: 'registered',
  managed: 'managed',
};

const COLUMNS = `device.id, device.family, device.platform, device.name, device.serial_number as "serialNumber", device.udid, device.model,
  device.os_version as "osVersion", device.is_supervised as "isSupervised", device.user_name as "user",
  case when blueprint.id is not null then jsonb_build_object('id', blueprint.id, 'name', blueprint.name) end as blueprint,
  trust.integration_id as "integrationId", device.enrollment_status as "enrollmentStatus", device.enrolled_at as "enrolledAt",
  device.last_contact_at as "lastContactAt", coalesce(trust.bucket, 'out_of_scope') as bucket,
  coalesce(trust.delivered, false) as delivered, coalesce(trust.certificate_present, false) as "certificatePresent",
  coalesce(trust.okta_verify_managed, false) as "oktaVerifyManaged", coalesce(trust.registered, false) as registered,
  coalesce(trust.managed, false) as managed, coalesce(trust.phase, 'waiting') as phase, trust.waits_for as "waitsFor",
  trust.failure_code as "failureCode", trust.certificate_not_after as "certificateNotAfter", trust.verified_at as "verifiedAt",
  trust.trusted_at as "trustedAt"`;
const FROM = `devices as device left join device_trust as trust on trust.device_id = device.id
  left join blueprints as blueprint on blueprint.id = device.blueprint_id`;

/** By the words of the API. The expressions are those of the indexes (migration 0005). */
const SORTS = {
  name: { by: `coalesce(device.name, '')`, type: 'text', needsTrust: false },
  serialNumber: { by: `coalesce(device.serial_number, '')`, type: 'text', needsTrust: false },
  user: { by: `coalesce(device.user_name, '')`, type: 'text', needsTrust: false },
  lastContact: {
    by: `coalesce(device.last_contact_at, '-infinity')`,
    type: 'timestamptz',
    needsTrust: false,
  },
  certificateNotAfter: {
    by: `coalesce(trust.certificate_not_after, 'infinity')`,
    type: 'timestamptz',
    needsTrust: true,
  },
  changed: { by: 'trust.changed_at', type: 'timestamptz', needsTrust: true },
} as const;
export type FleetSort = keyof typeof SORTS;

/** Conditions of a filter, with their values appended to `values`. */
function conditionsOf(filter: FleetFilter, values: unknown[]): string[] {
  const conditions: string[] = [];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const among = (column: string, list: readonly string[] | undefined, type: string) => {
    if (list !== undefined) conditions.push(`${column} = any(${given(list)}::${type}[])`);
  };
  among('device.id', filter.ids, 'uuid');
  // A device without a row of trust is out of scope; only then is the index of no use.
  const bucket = filter.bucket?.includes('out_of_scope')
    ? `coalesce(trust.bucket, 'out_of_scope')`
    : 'trust.bucket';
  among(bucket, filter.bucket, 'text');
  among('device.platform', filter.platform, 'text');
  among('device.family', filter.family, 'text');
  among('device.blueprint_id', filter.blueprintId, 'uuid');
  among('trust.integration_id', filter.integrationId, 'uuid');
  among('trust.phase', filter.phase, 'text');
  among('trust.failure_code', filter.failureCode, 'text');
  for (const truth of filter.holds ?? []) conditions.push(`trust.${TRUTH_COLUMNS[truth]}`);
  for (const truth of filter.lacks ?? []) conditions.push(`not trust.${TRUTH_COLUMNS[truth]}`);
  if (filter.certificateExpiresBefore !== undefined)
    conditions.push(
      `coalesce(trust.certificate_not_after, 'infinity') < ${given(filter.certificateExpiresBefore)}::timestamptz`,
    );
  if (filter.search !== undefined) {
    const start = given(`${filter.search.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`);
    const fits = ['serial_number', 'name', 'user_name'].map(
      (column) => `lower(device.${column}) like ${start}`,
    );
    conditions.push(`(${fits.join(' or ')})`);
  }
  return conditions;
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

export interface FleetPage {
  readonly sort: FleetSort;
  readonly order: 'asc' | 'desc';
  /** The last row of the page before. */
  readonly after?: { readonly value: string; readonly id: string } | undefined;
  readonly limit: number;
}

export async function listFleet(
  sql: Sql,
  filter: FleetFilter,
  page: FleetPage,
): Promise<(FleetRow & { readonly sortValue: string })[]> {
  const values: unknown[] = [];
  const conditions = conditionsOf(filter, values);
  const { by, type, needsTrust } = SORTS[page.sort];
  if (needsTrust) conditions.push('trust.device_id is not null');
  const tie = needsTrust ? 'trust.device_id' : 'device.id';
  if (page.after) {
    const [value, id] = [values.push(page.after.value), values.push(page.after.id)];
    conditions.push(`(${by}, ${tie}) ${page.order === 'asc' ? '>' : '<'} ($${value}::${type}, $${id}::uuid)`);
  }
  const limit = values.push(page.limit);
  return sql.query(
    `select ${COLUMNS}, (${by})::text as "sortValue" from ${FROM} ${where(conditions)}
      order by ${by} ${page.order}, ${tie} ${page.order} limit $${limit}`,
    values,
  );
}

export async function findFleetRow(sql: Sql, id: string): Promise<FleetRow | undefined> {
  const [row] = await sql.query<FleetRow>(`select ${COLUMNS} from ${FROM} where device.id = $1`, [id]);
  return row;
}

/** For an action on all that a filter finds: their ids, `limit` at most. */
export async function listFleetIds(sql: Sql, filter: FleetFilter, limit: number): Promise<string[]> {
  const values: unknown[] = [];
  const conditions = conditionsOf(filter, values);
  const rows = await sql.query<{ id: string }>(
    `select device.id from ${FROM} ${where(conditions)} order by device.id limit $${values.push(limit)}`,
    values,
  );
  return rows.map(({ id }) => id);
}
