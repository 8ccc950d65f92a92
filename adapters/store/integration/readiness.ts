// Enforcement readiness in the tables: users of an integration's devices and of Okta's records, and who of them has a managed device.
import type { TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Sql } from '../base/database.ts';

/**
 * Each user beside each device: those that Odette knows by the enrollment, and those whom Okta lists on a Mac, iPhone or iPad. What Okta
 * counts as managed lets a user in, whoever manages it. $1: the integration.
 */
const ROWS = `
  select lower(device.user_name) as login, scope.blueprint_id, false as is_managed
    from device_scope as scope join devices as device on device.id = scope.device_id
   where scope.integration_id = $1 and scope.is_enrolled and device.user_name is not null
  union all
  select lower(each ->> 'login'), device.blueprint_id,
         each ->> 'managementStatus' = 'MANAGED' and record.status in ('ACTIVE', 'UNSUSPENDED')
    from okta_devices as record cross join lateral jsonb_array_elements(record.users) as each
    left join devices as device on device.id = record.device_id
   where record.integration_id = $1 and record.platform in ('MACOS', 'IOS') and each ->> 'login' <> ''`;

export interface ReadinessCount {
  readonly users: number;
  readonly ready: number;
}

export interface BlueprintReadiness extends ReadinessCount {
  /** null: users of devices that are in no blueprint, or not in Odette. */
  readonly blueprint: { readonly id: string; readonly name: string } | null;
}

export async function countReadiness(sql: Sql, integrationId: string): Promise<ReadinessCount> {
  const [row] = await sql.query<ReadinessCount>(
    `select count(*)::int as users, count(*) filter (where is_ready)::int as ready 
       from (select bool_or(is_managed) as is_ready from (${ROWS}) as rows group by login) as people`,
    [integrationId],
  );
  return row ?? { users: 0, ready: 0 };
}

export const countReadinessByBlueprint = (sql: Sql, integrationId: string): Promise<BlueprintReadiness[]> =>
  sql.query<BlueprintReadiness>(
    `with rows as materialized (${ROWS}),
     people as (select login, bool_or(is_managed) as is_ready, bool_or(blueprint_id is not null) as has_blueprint from rows group by login)
     select case when blueprint.id is null then null else jsonb_build_object('id', blueprint.id, 'name', blueprint.name) end as blueprint,
            count(distinct login)::int as users, count(distinct login) filter (where is_ready)::int as ready
       from rows join people using (login) left join blueprints as blueprint on blueprint.id = rows.blueprint_id
      where blueprint.id is not null or not has_blueprint
      group by blueprint.id, blueprint.name order by blueprint.name nulls last`,
    [integrationId],
  );

/** Enrolled devices of which neither Odette nor Okta knows a user: nobody is counted for them. */
export async function countDevicesWithoutUser(sql: Sql, integrationId: string): Promise<number> {
  const [row] = await sql.query<{ devices: number }>(
    `select count(*)::int as devices from device_scope as scope join devices as device on device.id = scope.device_id
      where scope.integration_id = $1 and scope.is_enrolled and device.user_name is null
        and not exists (select from okta_devices as record
                         where record.device_id = device.id and record.integration_id = $1 and jsonb_array_length(record.users) > 0)`,
    [integrationId],
  );
  return row?.devices ?? 0;
}

export interface ReadinessDay extends ReadinessCount {
  readonly day: string; // YYYY-MM-DD, UTC
}

/** The last whole sweep of a day is the one that counts. */
export async function recordReadiness(sql: Sql, integrationId: string, at: Date): Promise<void> {
  const { users, ready } = await countReadiness(sql, integrationId);
  await sql.query(
    `insert into readiness_days (integration_id, day, users, ready)
       select id, ($2::timestamptz at time zone 'UTC')::date, $3, $4 from integrations where id = $1
     on conflict (integration_id, day) do update set users = excluded.users, ready = excluded.ready`,
    [integrationId, at, users, ready],
  );
}

export const listReadinessDays = (sql: Sql, integrationId: string, days: number): Promise<ReadinessDay[]> =>
  sql.query<ReadinessDay>(
    `select to_char(day, 'YYYY-MM-DD') as day, users, ready from readiness_days
      where integration_id = $1 and day > (now() at time zone 'UTC')::date - $2::int order by day`,
    [integrationId, days],
  );

export interface ReadinessUser {
  readonly login: string;
  readonly isReady: boolean;
  readonly devices: readonly {
    readonly id: string;
    readonly name: string;
    readonly bucket: TrustBucket;
    readonly waitsFor: string | null;
  }[];
  /** Okta's records of this user that belong to no device of Odette. */
  readonly foreign: readonly { readonly displayName: string; readonly status: string }[];
}

export const listReadinessUsers = (
  sql: Sql,
  integrationId: string,
  page: {
    readonly isReady: boolean;
    readonly blueprintId?: string | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  },
): Promise<ReadinessUser[]> =>
  sql.query<ReadinessUser>(
    `with rows as (${ROWS}),
     people as (
       select login, bool_or(is_managed) as is_ready from rows group by login
       having bool_or(is_managed) = $2 and ($3::uuid is null or bool_or(blueprint_id = $3)) and ($4::text is null or login > $4)
        order by login limit $5)
     select login, is_ready, coalesce(owned.list, '[]') as devices, coalesce(others.list, '[]') as foreign
       from people
       left join lateral (
         select jsonb_agg(jsonb_build_object('id', device.id, 'name', coalesce(device.name, device.serial_number, device.udid),
                  'bucket', coalesce(trust.bucket, 'out_of_scope'), 'waitsFor', trust.waits_for) order by device.name, device.id) as list
           from devices as device join device_scope as scope on scope.device_id = device.id and scope.integration_id = $1
           left join device_trust as trust on trust.device_id = device.id
          where lower(device.user_name) = people.login) as owned on true
       left join lateral (
         select jsonb_agg(jsonb_build_object('displayName', record.display_name, 'status', record.status) order by record.okta_id) as list
           from okta_devices as record
          where record.integration_id = $1 and record.device_id is null and record.platform in ('MACOS', 'IOS')
            and okta_logins(record.users) @> array[people.login]) as others on true
      order by login`,
    [integrationId, page.isReady, page.blueprintId ?? null, page.after ?? null, page.limit],
  );
