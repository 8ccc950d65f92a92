// What saving a library item would touch: counted before it is saved.
import type { DeviceFamily, Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from '../devices/enrolled.ts';

export interface PreviewCounts {
  readonly Mac: number;
  readonly iPhone: number;
  readonly iPad: number;
  /** Devices that have what they should have already. */
  readonly unchanged: number;
  readonly licensesNeeded: number;
  /** Unsupervised iPhones and iPads that do not have the app yet. */
  readonly usersAsked: number;
}

/** Blueprints whose devices have the item already, and the platforms to which something is sent even so. */
export interface HasItem {
  readonly blueprintIds: readonly string[];
  readonly touched: readonly Platform[];
}

/** Devices of the blueprints, of the platforms that are configured. */
export async function countArriving(
  sql: Sql,
  integrationId: string,
  blueprintIds: readonly string[],
  adamId: string,
  has: HasItem,
): Promise<PreviewCounts> {
  const [row] = await sql.query<PreviewCounts>(
    `with counted as (
       select *, not (blueprint_id = any($3) and platform <> all($4)) as changes
         from devices as device where blueprint_id = any($1) and device.${ENROLLED} and device.platform in (select platform from integration_platforms where integration_id = $5))
     select count(*) filter (where changes and family = 'Mac')::int as "Mac", count(*) filter (where changes and family = 'iPhone')::int as "iPhone",
            count(*) filter (where changes and family = 'iPad')::int as "iPad",
            count(*) filter (where not changes)::int as unchanged,
            count(*) filter (where changes and license.state is distinct from 'associated')::int as licenses_needed,
            count(*) filter (where changes and family <> 'Mac' and is_supervised is not true and not coalesce(trust.okta_verify_managed, false))::int as users_asked
       from counted as device
       left join licenses as license on license.device_id = device.id and license.adam_id = $2
       left join device_trust as trust on trust.device_id = device.id`,
    [blueprintIds, adamId, has.blueprintIds, has.touched, integrationId],
  );
  return row ?? { Mac: 0, iPhone: 0, iPad: 0, unchanged: 0, licensesNeeded: 0, usersAsked: 0 };
}

/** Devices of the item that would no longer be in its scope. */
export async function countLeaving(
  sql: Sql,
  itemId: string,
  remainingBlueprintIds: readonly string[],
): Promise<number> {
  const [row] = await sql.query<{ devices: number }>(
    `select count(*)::int as devices from device_scope
      where library_item_id = $1 and blueprint_id <> all($2) and is_enrolled and is_configured`,
    [itemId, remainingBlueprintIds],
  );
  return row?.devices ?? 0;
}

export interface UsersLosingTrust {
  readonly total: number;
  /** In alphabetical order, a hundred at most. */
  readonly logins: readonly string[];
}

/** Users whom Okta knows as managed only through devices that leave. */
export async function listUsersLosingTrust(
  sql: Sql,
  itemId: string,
  remainingBlueprintIds: readonly string[],
): Promise<UsersLosingTrust> {
  const rows = await sql.query<{ login: string; total: number }>(
    `with managed as (
       select person.value ->> 'login' as login,
              scope.library_item_id = $1 and scope.blueprint_id <> all($2) as leaves
         from okta_devices as record
        cross join lateral jsonb_array_elements(record.users) as person(value)
         join device_scope as scope on scope.device_id = record.device_id
        where person.value ->> 'managementStatus' = 'MANAGED')
     select login, (count(*) over ())::int as total from managed
      where login <> '' group by login having bool_and(coalesce(leaves, false)) order by login limit 100`,
    [itemId, remainingBlueprintIds],
  );
  return { total: rows[0]?.total ?? 0, logins: rows.map(({ login }) => login) };
}

/**
 * A few enrolled devices to try it on first: those with the latest contact, of each family.
 * @param blueprintIds empty: of the devices that no library item has
 */
export const suggestTestDevices = (
  sql: Sql,
  blueprintIds: readonly string[],
): Promise<{ id: string; name: string | null; family: DeviceFamily }[]> =>
  sql.query(
    `select id, name, family from (
       select device.id, device.name, device.family, device.last_contact_at,
              row_number() over (partition by device.family order by device.last_contact_at desc nulls last, device.id) as place
         from devices as device
         join device_scope as scope on scope.device_id = device.id
        where scope.is_enrolled
          and case when cardinality($1::uuid[]) = 0 then scope.library_item_id is null else device.blueprint_id = any($1) end) as ranked
      where place <= 2 order by place, last_contact_at desc nulls last limit 5`,
    [blueprintIds],
  );

/** Whether any device of the item was delivered already: then the test is done. */
export async function wasEverDelivered(sql: Sql, itemId: string): Promise<boolean> {
  const [row] = await sql.query<{ delivered: boolean }>(
    `select exists (select from device_scope as scope
       join device_trust as trust on trust.device_id = scope.device_id
      where scope.library_item_id = $1 and trust.delivered) as delivered`,
    [itemId],
  );
  return row?.delivered ?? false;
}
