// Brings the database to the newest schema: each migration once, in order, one process at a time (docs/decisions/0013).
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Database, Sql } from './database.ts';
import { readMigrations, type Migration } from './migration-files.ts';

const FOLDER = fileURLToPath(new URL('../migrations/', import.meta.url));
const LOCK = 0x0de77e;

/**
 * Each file in a transaction of its own, or statement by statement when it says so. What stopped half-way is taken up by the next call.
 * @throws Error when the files and what this database has seen do not fit: one has changed, is gone, or comes too late
 */
export async function migrate(database: Database, folder: string = FOLDER): Promise<void> {
  const migrations = await readMigrations(folder);
  await database.inSession(async (sql) => {
    await takeLock(sql);
    await sql.query(
      `create table if not exists schema_migrations (
         name text primary key, sha256 text not null, expands boolean not null, applied_at timestamptz not null default now())`,
    );
    const applied = await sql.query<AppliedMigration>(
      'select name, sha256, expands from schema_migrations order by name',
    );
    for (const migration of pendingAfter(applied, migrations)) await run(sql, migration);
  });
}

interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
  readonly expands: boolean;
}

/**
 * What ran must be the beginning of what there is: otherwise the schema is not the one that this release was tested with. A newer release
 * may have added to it.
 */
function pendingAfter(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): readonly Migration[] {
  for (const [index, { name, sha256, expands }] of applied.entries()) {
    const file = migrations[index];
    if (file === undefined && expands) continue;
    if (file === undefined || file.name > name)
      throw new Error(
        `migration ${name} was applied to this database and is not part of this release: a database cannot go back to an older release`,
      );
    if (file.name < name)
      throw new Error(
        `migration ${file.name} comes before ${name}, which was applied to this database without it`,
      );
    if (file.sha256 !== sha256)
      throw new Error(`migration ${name} was applied to this database and has changed since`);
  }
  return migrations.slice(applied.length);
}

async function run(sql: Sql, { name, sha256, text, statements, expands }: Migration): Promise<void> {
  const record = () =>
    sql.query('insert into schema_migrations (name, sha256, expands) values ($1, $2, $3)', [
      name,
      sha256,
      expands,
    ]);
  if (statements !== undefined) {
    for (const statement of statements) await sql.query(statement);
    await record();
    return;
  }
  await sql.query('begin');
  await sql.query(text);
  await record();
  await sql.query('commit');
}

/** Asks again and again: a statement that waits for the lock would be waited for by an index that is built under it. */
async function takeLock(sql: Sql): Promise<void> {
  const isTaken = async () => {
    const [row] = await sql.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [LOCK]);
    return row?.taken === true;
  };
  while (!(await isTaken())) await pause(100);
}
