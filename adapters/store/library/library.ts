// Library items ("Okta Verify") and the blueprints they are assigned to.
import type { ItemSettings } from '../../../domain/payload-set.ts';
import type { TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Sql } from '../base/database.ts';

export interface LibraryItemRow {
  readonly id: string;
  readonly integrationId: string;
  readonly deviceTrustOn: boolean;
  readonly appConfiguration: Readonly<Record<string, unknown>> | null;
  readonly settings: ItemSettings;
  readonly version: number;
  readonly changedAt: Date;
  readonly blueprints: readonly { readonly id: string; readonly name: string; readonly devices: number }[];
}

const SELECT = `select item.id, item.integration_id, item.device_trust_on,
    item.app_configuration, item.settings, item.version, item.changed_at,
    coalesce((select jsonb_agg(jsonb_build_object('id', blueprint.id, 'name', blueprint.name,
                'devices', (select count(*) from devices where blueprint_id = blueprint.id)) order by blueprint.name)
                from library_item_blueprints as assigned join blueprints as blueprint on blueprint.id = assigned.blueprint_id
               where assigned.library_item_id = item.id), '[]') as blueprints
  from library_items as item`;

export const listLibraryItems = (sql: Sql): Promise<LibraryItemRow[]> =>
  sql.query<LibraryItemRow>(`${SELECT} order by item.changed_at`);

export async function findLibraryItem(sql: Sql, id: string): Promise<LibraryItemRow | undefined> {
  const [row] = await sql.query<LibraryItemRow>(`${SELECT} where item.id = $1`, [id]);
  return row;
}

/** Held until the transaction ends, so that two saves of one item do not mix. */
export async function lockLibraryItem(sql: Sql, id: string): Promise<void> {
  await sql.query('select from library_items where id = $1 for update', [id]);
}

export interface SavedItem {
  readonly id: string;
  readonly integrationId: string;
  readonly deviceTrustOn: boolean;
  readonly appConfiguration: object | null;
  readonly settings: ItemSettings;
}

export async function saveLibraryItem(sql: Sql, item: SavedItem): Promise<void> {
  await sql.query(
    `insert into library_items (id, integration_id, device_trust_on, app_configuration, settings)
     values ($1, $2, $3, $4::jsonb, $5::jsonb)
     on conflict (id) do update set integration_id = excluded.integration_id, device_trust_on = excluded.device_trust_on,
       app_configuration = excluded.app_configuration, settings = excluded.settings, version = library_items.version + 1, changed_at = now()`,
    [
      item.id,
      item.integrationId,
      item.deviceTrustOn,
      item.appConfiguration === null ? null : JSON.stringify(item.appConfiguration),
      JSON.stringify(item.settings),
    ],
  );
}

export const removeLibraryItem = async (sql: Sql, id: string): Promise<void> =>
  void (await sql.query('delete from library_items where id = $1', [id]));

/** Blueprints of the list that have another item already. */
export async function findTakenBlueprints(
  sql: Sql,
  itemId: string,
  blueprintIds: readonly string[],
): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    `select blueprint.name from library_item_blueprints as assigned join blueprints as blueprint on blueprint.id = assigned.blueprint_id
      where assigned.blueprint_id = any($2) and assigned.library_item_id <> $1`,
    [itemId, blueprintIds],
  );
  return rows.map(({ name }) => name);
}

export async function assignBlueprints(
  sql: Sql,
  itemId: string,
  blueprintIds: readonly string[],
): Promise<void> {
  await sql.query(
    'delete from library_item_blueprints where library_item_id = $1 and blueprint_id <> all($2)',
    [itemId, blueprintIds],
  );
  await sql.query(
    `insert into library_item_blueprints (blueprint_id, library_item_id) select unnest($2::uuid[]), $1 on conflict do nothing`,
    [itemId, blueprintIds],
  );
}

/** Of the item's devices. */
export async function countItemBuckets(sql: Sql, itemId: string): Promise<Map<TrustBucket, number>> {
  const rows = await sql.query<{ bucket: TrustBucket; devices: number }>(
    `select trust.bucket, count(*)::int as devices from device_scope as scope
       join device_trust as trust on trust.device_id = scope.device_id
      where scope.library_item_id = $1 group by trust.bucket`,
    [itemId],
  );
  return new Map(rows.map(({ bucket, devices }) => [bucket, devices]));
}

export interface NamedDevice {
  readonly id: string;
  readonly name: string | null;
  readonly serialNumber: string | null;
}

/** Macs of the item whose Okta Verify is not the App Store's, a hundred at most. */
export const listForeignInstallations = (sql: Sql, itemId: string): Promise<NamedDevice[]> =>
  sql.query<NamedDevice>(
    `select device.id, device.name, device.serial_number from devices as device
       join device_scope as scope on scope.device_id = device.id
       join device_trust as trust on trust.device_id = device.id
      where scope.library_item_id = $1 and trust.failure_code = 'mdm.app_not_from_app_store'
      order by device.name, device.id limit 100`,
    [itemId],
  );
