// Totals of the fleet from kept counters, and what failed by cause.
import { TRUTHS, type Truth } from '../../../domain/trust.ts';
import { BUCKETS, type Obstacle, type TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Sql } from '../base/database.ts';

type FleetCounts = Readonly<Record<Truth | 'total' | 'certificateApplies', number>>;
export interface FleetTotals {
  readonly devices: FleetCounts;
  readonly buckets: Readonly<Record<TrustBucket, number>>;
}

type Counter = { readonly integrationId: string; readonly name: string; readonly value: number };

function totalsOf(counters: readonly Counter[]): FleetTotals {
  const sum = (name: string) =>
    counters.filter((counter) => counter.name === name).reduce((total, { value }) => total + value, 0);
  return {
    devices: Object.fromEntries(
      ['total', 'certificateApplies', ...TRUTHS].map((name) => [name, sum(name)]),
    ) as FleetCounts,
    buckets: Object.fromEntries(BUCKETS.map((bucket) => [bucket, sum(`bucket:${bucket}`)])) as Record<
      TrustBucket,
      number
    >,
  };
}

/** Devices in scope of a switched-on item: of each integration, and of all. */
export async function readTotals(
  sql: Sql,
): Promise<{ all: FleetTotals; byIntegration: Map<string, FleetTotals> }> {
  const counters = await sql.query<Counter>(
    'select integration_id, name, sum(value)::bigint as value from fleet_totals group by 1, 2',
  );
  const ids = [...new Set(counters.map(({ integrationId }) => integrationId))];
  return {
    all: totalsOf(counters),
    byIntegration: new Map(
      ids.map((id) => [id, totalsOf(counters.filter(({ integrationId }) => integrationId === id))]),
    ),
  };
}

export interface FailureGroupRow {
  readonly failureCode: string;
  readonly devices: number;
  readonly newestAt: Date;
  readonly examples: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly serialNumber: string | null;
  }[];
}

export const listFailureGroups = (sql: Sql): Promise<FailureGroupRow[]> =>
  sql.query<FailureGroupRow>(
    `with failed as (select array(select id from fleet_segments where bucket in ('needs_you', 'needs_user')) as segments)
     select grouped.failure_code, grouped.devices, grouped.newest as newest_at, coalesce(examples.list, '[]') as examples
       from failed
      cross join lateral (
        select failure_code, count(*)::int as devices, max(changed_at) as newest from fleet_list
         where failure_code is not null and segment = any(failed.segments) group by failure_code) as grouped
      cross join lateral (
        select jsonb_agg(jsonb_build_object('id', few.id, 'name', few.name, 'serialNumber', few.serial_number)) as list from (
          select device.id, device.name, device.serial_number from fleet_list as list join devices as device on device.id = list.device_id
           where list.failure_code = grouped.failure_code and list.segment = any(failed.segments)
           order by list.name_key, list.device_id limit 5) as few) as examples
      order by grouped.devices desc, grouped.failure_code`,
  );

export interface CauseRow {
  readonly bucket: TrustBucket;
  /** Null where the obstacle says it, and the other way round. */
  readonly failureCode: string | null;
  readonly obstacle: Obstacle | null;
  readonly devices: number;
  readonly since: Date;
}

/** Why devices need somebody: how many of each bucket share an obstacle or, without one, a failure; the most frequent first. */
export const listCauses = (sql: Sql): Promise<CauseRow[]> =>
  sql.query<CauseRow>(
    `with needy as (
       select id, bucket, obstacle from fleet_segments where bucket in ('needs_you', 'needs_user', 'unreachable'))
     select needy.bucket, list.failure_code, null as obstacle, count(*)::int as devices, min(list.changed_at) as since
       from needy join fleet_list as list on list.segment = needy.id
      where needy.obstacle = '' and list.failure_code is not null group by 1, 2
     union all
     select needy.bucket, null, needy.obstacle, count(*)::int, min(list.changed_at)
       from needy join fleet_list as list on list.segment = needy.id
      where needy.obstacle <> '' group by 1, 3
     order by devices desc, failure_code, obstacle`,
  );

export interface Lacking {
  readonly devices: number;
  readonly delivered: number;
  readonly certificatePresent: number;
  readonly oktaVerifyManaged: number;
}

/** What these devices still lack. */
export async function countLacking(sql: Sql, ids: readonly string[]): Promise<Lacking> {
  const [row] = await sql.query<Lacking>(
    `select count(*)::int as devices, count(*) filter (where not delivered)::int as delivered,
            count(*) filter (where not certificate_present)::int as certificate_present,
            count(*) filter (where not okta_verify_managed)::int as okta_verify_managed
       from device_trust where device_id = any($1)`,
    [ids],
  );
  return row ?? { devices: 0, delivered: 0, certificatePresent: 0, oktaVerifyManaged: 0 };
}
