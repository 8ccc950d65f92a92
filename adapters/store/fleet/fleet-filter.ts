// A filter of the device list as conditions on `fleet_list`, and the index path that fits the filter.
import type { DeviceFamily, Platform } from '../../../domain/device.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import { type Truth } from '../../../domain/trust.ts';
import { BUCKETS, type Obstacle, type TrustBucket } from '../../../domain/trust-bucket.ts';

export interface FleetFilter {
  readonly ids?: readonly string[] | undefined;
  readonly bucket?: readonly TrustBucket[] | undefined;
  readonly platform?: readonly Platform[] | undefined;
  readonly family?: readonly DeviceFamily[] | undefined;
  readonly blueprintId?: readonly string[] | undefined;
  readonly integrationId?: readonly string[] | undefined;
  /** Ids of channels; built_in: Odette's own MDM server. */
  readonly channel?: readonly string[] | undefined;
  readonly phase?: readonly RolloutPhase[] | undefined;
  readonly failureCode?: readonly FailureCode[] | undefined;
  readonly obstacle?: readonly Obstacle[] | undefined;
  readonly holds?: readonly Truth[] | undefined;
  readonly lacks?: readonly Truth[] | undefined;
  readonly certificateExpiresBefore?: string | undefined;
  /** The beginning of a serial number, a name or a login. */
  readonly search?: string | undefined;
}

/**
 * How a page is read: along the wanted order within rows that the indexes keep together: one for each row of `from`, where `keys` of the list equal
 * `values`. Without `from` one walk through all.
 */
export interface IndexPath {
  readonly from?: string;
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

/** What an index finds as a range of one column: from (included, if there is one) to (excluded), as expressions. */
export interface Range {
  readonly column: string;
  readonly from?: string;
  readonly to: string;
  readonly condition: string;
  /** The same for a row that a walk meets: no index may be found for it, or the planner leaves the walk. */
  readonly scanCondition: string;
}

export interface ReadFilter {
  readonly indexPath: IndexPath;
  /** On `fleet_list as list`; without those of the index path. */
  readonly rest: readonly string[];
  /** The conditions of the index path, for a query that does not use it. */
  readonly postFilter: readonly string[];
  /** One of them must hold; absent: nothing is searched. */
  readonly search?: readonly Range[];
  readonly expiry?: Range;
}

/** Adds a value of the query and gives its place in it: `$1`. */
export type Bind = (value: unknown) => string;

const TRUTH_COLUMNS: Readonly<Record<Truth, string>> = {
  delivered: 'delivered',
  certificatePresent: 'certificate_present',
  oktaVerifyManaged: 'okta_verify_managed',
  registered: 'registered',
  managed: 'managed',
};
const SEARCHED = ['name_key', 'serial_key', 'user_key'];
const PLATFORM_OF: Readonly<Record<DeviceFamily, Platform>> = {
  Mac: 'macOS',
  iPhone: 'iOS',
  iPad: 'iOS',
  Other: 'iOS',
};
const FAMILIES = Object.keys(PLATFORM_OF) as DeviceFamily[];

export function readFilter(filter: FleetFilter, bind: Bind): ReadFilter {
  const rest: string[] = [];
  if (filter.ids) rest.push(`list.device_id = any(${bind(filter.ids)}::uuid[])`);
  if (filter.integrationId) rest.push(`list.integration_id = any(${bind(filter.integrationId)}::uuid[])`);
  for (const truth of filter.holds ?? []) rest.push(`list.${TRUTH_COLUMNS[truth]}`);
  for (const truth of filter.lacks ?? []) rest.push(`not list.${TRUTH_COLUMNS[truth]}`);
  const expiry = expiryOf(filter, bind);
  const search = searchOf(filter, bind);
  const { segments, walked } = segmentsOf(filter, bind, expiry);
  const blueprints = filter.blueprintId && `${bind(filter.blueprintId)}::uuid[]`;
  const causes = filter.failureCode && `${bind(filter.failureCode)}::text[]`;
  const inSegments = segments === undefined ? [] : [`list.segment = any(array(${segments}))`];
  const inBlueprints = blueprints === undefined ? [] : [`list.blueprint_id = any(${blueprints})`];
  const ofCauses = causes === undefined ? [] : [`list.failure_code = any(${causes})`];
  const more = { ...(search && { search }), ...(expiry && { expiry }) };
  const postFilter = [...inSegments, ...inBlueprints, ...ofCauses];
  if (causes !== undefined) {
    const indexPath = {
      from: `unnest(${causes}) as cause (code)`,
      keys: ['failure_code'],
      values: ['cause.code'],
    };
    return { indexPath, rest: [...rest, ...inSegments, ...inBlueprints], postFilter, ...more };
  }
  if (blueprints !== undefined) {
    const from = `unnest(${blueprints}) as blueprint (id) cross join (${walked ?? 'select id from fleet_segments'}) as segment`;
    const indexPath = { from, keys: ['blueprint_id', 'segment'], values: ['blueprint.id', 'segment.id'] };
    return { indexPath, rest, postFilter, ...more };
  }
  if (walked !== undefined) {
    const indexPath = { from: `(${walked}) as segment`, keys: ['segment'], values: ['segment.id'] };
    return { indexPath, rest, postFilter, ...more };
  }
  return { indexPath: { keys: [], values: [] }, rest, postFilter, ...more };
}

/** Those that may hold a device of the filter, and of them those worth a walk; undefined: all. */
function segmentsOf(
  filter: FleetFilter,
  bind: Bind,
  expiry: Range | undefined,
): { segments: string | undefined; walked: string | undefined } {
  const families = FAMILIES.filter(
    (family) =>
      (filter.family?.includes(family) ?? true) && (filter.platform?.includes(PLATFORM_OF[family]) ?? true),
  );
  // A trusted device lacks no truth.
  const buckets = BUCKETS.filter(
    (bucket) =>
      (filter.bucket?.includes(bucket) ?? true) &&
      (bucket !== 'trusted' || (filter.lacks ?? []).length === 0),
  );
  const parts = [
    ...(families.length < FAMILIES.length ? [`family = any(${bind(families)}::text[])`] : []),
    ...(buckets.length < BUCKETS.length ? [`bucket = any(${bind(buckets)}::text[])`] : []),
    ...(filter.phase ? [`phase = any(${bind(filter.phase)}::text[])`] : []),
    ...(filter.obstacle ? [`obstacle = any(${bind(filter.obstacle)}::text[])`] : []),
    ...(filter.channel
      ? [`channel = any(${bind(filter.channel.map((one) => one.toLowerCase()))}::text[])`]
      : []),
  ];
  const select = (conditions: readonly string[]) =>
    conditions.length === 0 ? undefined : `select id from fleet_segments where ${conditions.join(' and ')}`;
  // iPhones, iPads and Macs without a certificate would be walked through for nothing.
  const ending =
    expiry &&
    `exists (select from fleet_list as list where list.segment = fleet_segments.id and ${expiry.condition})`;
  return { segments: select(parts), walked: select(ending === undefined ? parts : [...parts, ending]) };
}

function expiryOf({ certificateExpiresBefore: before }: FleetFilter, bind: Bind): Range | undefined {
  const column = 'certificate_not_after';
  if (before === undefined) return undefined;
  const to = `${bind(before)}::timestamptz`;
  return {
    column,
    to,
    condition: `list.${column} < ${to}`,
    scanCondition: `list.${column} + interval '0' < ${to}`,
  };
}

function searchOf(filter: FleetFilter, bind: Bind): Range[] | undefined {
  if (filter.search === undefined) return undefined;
  // In the database's own lower case, and up to the last character there is.
  const from = `left(lower(${bind(filter.search)}::text), 100)`;
  const to = `(${from} || chr(1114111))`;
  return SEARCHED.map((column) => ({
    column,
    from,
    to,
    condition: `(list.${column} >= ${from} and list.${column} < ${to})`,
    scanCondition: `(list.${column} || '' >= ${from} and list.${column} || '' < ${to})`,
  }));
}
