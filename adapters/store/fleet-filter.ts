// A filter of the device list as conditions on `fleet_list`, and the way through its indexes that fits the filter (migration 0006).
import type { DeviceFamily, Platform } from '../../domain/device.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { BUCKETS, type Truth, type TrustBucket } from '../../domain/trust.ts';
import type { Sql } from './database.ts';

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

/**
 * Which rows are read: a few found first and sorted, a walk along the wanted order, or such walks merged, one for each row of
 * `from`, within the rows that `fits` names.
 */
export type Way = 'few' | 'walk' | { readonly from: string; readonly fits: string };

export interface ReadFilter {
  readonly way: Way;
  /** On `fleet_list as list`. */
  readonly conditions: readonly string[];
}

/** Adds a value of the query and gives its place in it: `$1`. */
export type Give = (value: unknown) => string;

const TRUTH_COLUMNS: Readonly<Record<Truth, string>> = {
  delivered: 'delivered',
  certificatePresent: 'certificate_present',
  oktaVerifyManaged: 'okta_verify_managed',
  registered: 'registered',
  managed: 'managed',
};
const SEARCHED = ['name_key', 'serial_key', 'user_key'];
const PLATFORM_OF: Readonly<Record<DeviceFamily, Platform>> = { Mac: 'macOS', iPhone: 'iOS', iPad: 'iOS' };
const FAMILIES = Object.keys(PLATFORM_OF) as DeviceFamily[];

/** So many are found and sorted sooner than a walk along another order is sure to meet a page of them. */
const FEW = 50_000;

/** @param isByExpiry the page is sorted by what `certificateExpiresBefore` compares */
export async function readFilter(
  sql: Sql,
  filter: FleetFilter,
  isByExpiry: boolean,
  give: Give,
): Promise<ReadFilter> {
  const conditions: string[] = [];
  const ids = filter.ids && `list.device_id = any(${give(filter.ids)}::uuid[])`;
  if (ids !== undefined) conditions.push(ids);
  if (filter.integrationId)
    conditions.push(`list.integration_id = any(${give(filter.integrationId)}::uuid[])`);
  for (const truth of filter.holds ?? []) conditions.push(`list.${TRUTH_COLUMNS[truth]}`);
  for (const truth of filter.lacks ?? []) conditions.push(`not list.${TRUTH_COLUMNS[truth]}`);
  const ranges = rangesOf(filter, give);
  conditions.push(...ranges.map((either) => `(${either.map(({ text }) => text).join(' or ')})`));

  const segments = segmentsOf(filter, give);
  const blueprints = filter.blueprintId && `${give(filter.blueprintId)}::uuid[]`;
  const causes = filter.failureCode && `${give(filter.failureCode)}::text[]`;
  const inSegments = segments && `list.segment = any(array(${segments}))`;
  const inBlueprints = blueprints && `list.blueprint_id = any(${blueprints})`;
  const ofCauses = causes && `list.failure_code = any(${causes})`;
  const all = (...more: readonly (string | undefined)[]) => [
    ...conditions,
    ...more.filter((condition) => condition !== undefined),
  ];
  const isOnlyExpiry = filter.search === undefined && isByExpiry;
  if (ids !== undefined || (!isOnlyExpiry && (await areFew(sql, filter))))
    return { way: 'few', conditions: all(inSegments, inBlueprints, ofCauses) };
  if (causes !== undefined)
    return {
      way: { from: `unnest(${causes}) as cause (code)`, fits: 'list.failure_code = cause.code' },
      conditions: all(inSegments, inBlueprints),
    };
  if (blueprints !== undefined)
    return {
      way: {
        from: `unnest(${blueprints}) as blueprint (id) cross join (${segments ?? 'select id from fleet_segments'}) as segment`,
        fits: 'list.blueprint_id = blueprint.id and list.segment = segment.id',
      },
      conditions,
    };
  if (segments !== undefined)
    return { way: { from: `(${segments}) as segment`, fits: 'list.segment = segment.id' }, conditions };
  return { way: 'walk', conditions };
}

/** Those that may hold a device of the filter; undefined: all. */
function segmentsOf(filter: FleetFilter, give: Give): string | undefined {
  // Only Macs have a certificate that ends; and a trusted device lacks no truth.
  const isOfMacs = filter.certificateExpiresBefore !== undefined;
  const families = FAMILIES.filter(
    (family) =>
      (filter.family?.includes(family) ?? true) &&
      (filter.platform?.includes(PLATFORM_OF[family]) ?? true) &&
      (!isOfMacs || family === 'Mac'),
  );
  const buckets = BUCKETS.filter(
    (bucket) =>
      (filter.bucket?.includes(bucket) ?? true) &&
      (bucket !== 'trusted' || (filter.lacks ?? []).length === 0),
  );
  const parts = [
    ...(families.length < FAMILIES.length ? [`family = any(${give(families)}::text[])`] : []),
    ...(buckets.length < BUCKETS.length ? [`bucket = any(${give(buckets)}::text[])`] : []),
    ...(filter.phase ? [`phase = any(${give(filter.phase)}::text[])`] : []),
  ];
  return parts.length === 0 ? undefined : `select id from fleet_segments where ${parts.join(' and ')}`;
}

interface Range {
  readonly column: string;
  readonly text: string;
}

/** What an index finds as ranges; of each list one must hold. */
function rangesOf(filter: FleetFilter, give: Give): Range[][] {
  const ranges: Range[][] = [];
  if (filter.certificateExpiresBefore !== undefined) {
    const column = 'certificate_not_after';
    ranges.push([{ column, text: `list.${column} < ${give(filter.certificateExpiresBefore)}::timestamptz` }]);
  }
  if (filter.search !== undefined) {
    // In the database's own lower case, and up to the last character there is.
    const start = `left(lower(${give(filter.search)}::text), 100)`;
    const text = (column: string) =>
      `(list.${column} >= ${start} and list.${column} < ${start} || chr(1114111))`;
    ranges.push(SEARCHED.map((column) => ({ column, text: text(column) })));
  }
  return ranges;
}

/** Whether search or expiry alone leave so few that all of them may be found: counted along their indexes, and not further. */
async function areFew(sql: Sql, filter: FleetFilter): Promise<boolean> {
  const values: unknown[] = [];
  const ranges = rangesOf(filter, (value) => `$${values.push(value)}`);
  if (ranges.length === 0) return false;
  const most = `$${values.push(FEW + 1)}`;
  const count = ({ column, text }: Range) =>
    `(select count(*) from (select from fleet_list as list where ${text} order by list.${column} limit ${most}) as counted)`;
  const sums = ranges.map((either) => either.map(count).join(' + '));
  const [row] = await sql.query<{ least: number }>(`select least(${sums.join(', ')}) as least`, values);
  return (row?.least ?? 0) <= FEW;
}
