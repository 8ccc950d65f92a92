// Blueprints: named groups of devices. A device has one; a blueprint has at most one Okta Verify item.
import type { Sql } from '../base/database.ts';

export interface BlueprintRow {
  readonly id: string;
  readonly name: string;
  readonly devices: number;
  readonly libraryItemId: string | null;
  readonly createdAt: Date;
}

const COLUMNS = `blueprint.id, blueprint.name, blueprint.created_at, assigned.library_item_id,
  devices_in_blueprint(blueprint.id) as devices`;
const FROM =
  'blueprints as blueprint left join library_item_blueprints as assigned on assigned.blueprint_id = blueprint.id';

export const listBlueprints = (sql: Sql): Promise<BlueprintRow[]> =>
  sql.query<BlueprintRow>(`select ${COLUMNS} from ${FROM} order by blueprint.name`);

export async function findBlueprint(sql: Sql, id: string): Promise<BlueprintRow | undefined> {
  const [row] = await sql.query<BlueprintRow>(`select ${COLUMNS} from ${FROM} where blueprint.id = $1`, [id]);
  return row;
}

/** The wanted name, with the next number after it if it is taken: names are unique. */
export async function freeBlueprintName(sql: Sql, wanted: string): Promise<string> {
  const rows = await sql.query<{ name: string }>('select name from blueprints where starts_with(name, $1)', [
    wanted,
  ]);
  const taken = new Set(rows.map(({ name }) => name));
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted} ${number}`;
  return name;
}

/** Undefined when the name is taken. */
export async function addBlueprint(sql: Sql, name: string): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    'insert into blueprints (name) values ($1) on conflict (name) do nothing returning id',
    [name],
  );
  return row?.id;
}

/** False when the name is taken. */
export async function renameBlueprint(sql: Sql, id: string, name: string): Promise<boolean> {
  const rows = await sql.query(
    'update blueprints set name = $2 where id = $1 and not exists (select from blueprints where name = $2 and id <> $1) returning 1',
    [id, name],
  );
  return rows.length > 0;
}

/** False while devices are in it. */
export async function removeBlueprint(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(
    'delete from blueprints where id = $1 and not exists (select from devices where blueprint_id = $1) returning 1',
    [id],
  );
  return rows.length > 0;
}

/** Devices that were not in the blueprint before; the others stay as they are. */
export async function moveDevices(
  sql: Sql,
  deviceIds: readonly string[],
  blueprintId: string | null,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    'update devices set blueprint_id = $2 where id = any($1) and blueprint_id is distinct from $2::uuid returning id',
    [deviceIds, blueprintId],
  );
  return rows.map(({ id }) => id);
}
