// Settings of the whole installation, by name: what must survive a restart and is not a subject of its own.
import type { Sql } from './database.ts';

export async function readInstanceSetting<Value extends object>(
  sql: Sql,
  name: string,
): Promise<Value | undefined> {
  const [row] = await sql.query<{ value: Value }>('select value from instance_settings where name = $1', [
    name,
  ]);
  return row?.value;
}

export async function writeInstanceSetting(sql: Sql, name: string, value: object): Promise<void> {
  await sql.query(
    `insert into instance_settings (name, value) values ($1, $2::jsonb)
     on conflict (name) do update set value = excluded.value, set_at = now()`,
    [name, JSON.stringify(value)],
  );
}

/** Writes only what is not there yet, and returns what is there: of several processes the first one decides. */
export async function saveInstanceSettingOnce<Value extends object>(
  sql: Sql,
  name: string,
  value: Value,
): Promise<Value> {
  await sql.query(
    'insert into instance_settings (name, value) values ($1, $2::jsonb) on conflict (name) do nothing',
    [name, JSON.stringify(value)],
  );
  return (await readInstanceSetting<Value>(sql, name)) ?? value;
}

/** Removes the setting if its value holds this one, and says whether it did: of several callers one gets true. */
export async function takeInstanceSetting(sql: Sql, name: string, value: object): Promise<boolean> {
  const rows = await sql.query(
    'delete from instance_settings where name = $1 and value @> $2::jsonb returning 1',
    [name, JSON.stringify(value)],
  );
  return rows.length > 0;
}
