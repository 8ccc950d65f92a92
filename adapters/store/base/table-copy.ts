// The tables as lines of JSON, and back: a backup that needs no other program and is read by the release that wrote it.
import type { Sql } from './database.ts';

const ROWS_AT_ONCE = 500;
/** Events only tell open pages what changed; their order is that of transactions of the old server. */
const NOT_COPIED = ['events', 'schema_migrations'];

interface Header {
  readonly migrations: readonly string[];
}

/** Of one moment, while others write. @returns lines: which migrations, then for each batch its table and rows */
export async function* exportTables(sql: Sql): AsyncGenerator<string> {
  await sql.query('begin isolation level repeatable read read only');
  yield JSON.stringify({ migrations: await migrationsOf(sql) } satisfies Header);
  for (const table of await tablesInOrder(sql)) {
    await sql.query(`declare rows cursor for select to_jsonb(each)::text as row from ${table} as each`);
    for (;;) {
      const rows = await sql.query<{ row: string }>(`fetch ${ROWS_AT_ONCE} from rows`);
      if (rows.length === 0) break;
      yield `{"table":"${table}","rows":[${rows.map(({ row }) => row).join(',')}]}`;
    }
    await sql.query('close rows');
  }
  await sql.query('commit');
}

/**
 * All or nothing, into tables that hold nothing yet.
 * @throws Error one sentence when they do, or when the backup is of another schema
 */
export async function importTables(sql: Sql, lines: AsyncIterable<string>): Promise<void> {
  const tables = await tablesInOrder(sql);
  for (const table of tables)
    if ((await sql.query(`select from ${table} limit 1`)).length > 0)
      throw new Error(`The database is not empty (${table}); restore a backup into a new database.`);
  // What triggers keep is in the backup too.
  for (const table of tables) await sql.query(`alter table ${table} disable trigger user`);
  let isFirst = true;
  for await (const line of lines) {
    if (isFirst) {
      const { migrations } = JSON.parse(line) as Header;
      if (migrations.join() !== (await migrationsOf(sql)).join())
        throw new Error(
          'The backup is of another release; restore it with the release that wrote it, then update.',
        );
      isFirst = false;
      continue;
    }
    const { table } = JSON.parse(line) as { table: string };
    if (!tables.includes(table)) throw new Error(`The backup contains an unknown table: ${table}`);
    // The line itself, so that no number passes through JavaScript.
    await sql.query(
      `insert into ${table} overriding system value select * from jsonb_populate_recordset(null::${table}, $1::jsonb -> 'rows')`,
      [line],
    );
  }
  if (isFirst) throw new Error('The backup is empty.');
  for (const { table, column } of await identityColumns(sql))
    await sql.query(
      `select setval(pg_get_serial_sequence('${table}', '${column}'), coalesce(max(${column}), 0) + 1, false) from ${table}`,
    );
  for (const table of tables) await sql.query(`alter table ${table} enable trigger user`);
}

async function migrationsOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ sha256: string }>('select sha256 from schema_migrations order by name');
  return rows.map(({ sha256 }) => sha256);
}

/** A table after those that it refers to. */
async function tablesInOrder(sql: Sql): Promise<readonly string[]> {
  const tables = await sql.query<{ name: string; refersTo: string[] }>(
    `select relname::text as name, coalesce(array_agg(confrelid::regclass::text) filter (where confrelid <> conrelid), '{}') as refers_to
       from pg_class left join pg_constraint on conrelid = pg_class.oid and contype = 'f'
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all($1) group by 1 order by 1`,
    [NOT_COPIED],
  );
  const ordered: string[] = [];
  while (ordered.length < tables.length) {
    const ready = tables.filter(
      ({ name, refersTo }) => !ordered.includes(name) && refersTo.every((other) => ordered.includes(other)),
    );
    if (ready.length === 0) throw new Error('tables refer to each other in a circle');
    ordered.push(...ready.map(({ name }) => name));
  }
  return ordered;
}

function identityColumns(sql: Sql): Promise<{ table: string; column: string }[]> {
  return sql.query(
    `select attrelid::regclass::text as table, attname::text as column from pg_attribute join pg_class on pg_class.oid = attrelid
      where relkind = 'r' and relnamespace = 'public'::regnamespace and attidentity <> '' and relname <> all($1)`,
    [NOT_COPIED],
  );
}
