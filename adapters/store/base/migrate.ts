// Brings the database to the newest schema: the numbered .sql files of migrations/, each applied once, in order.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { Database } from './database.ts';

const FOLDER = new URL('../migrations/', import.meta.url);
const LOCK = 0x0de77e;

/**
 * All new files in one transaction under an advisory lock, so that several processes may call it at once.
 * @throws Error when a file that was applied has changed or is gone
 */
export async function migrate(database: Database): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(new URL(name, FOLDER), 'utf8');
      return { name, text, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
  await database.inTransaction(async (sql) => {
    await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await sql.query(
      `create table if not exists schema_migrations (
         name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
    );
    const applied = await sql.query<{ name: string; sha256: string }>(
      'select name, sha256 from schema_migrations',
    );
    for (const { name, sha256 } of applied) {
      const file = migrations.find((migration) => migration.name === name);
      if (file?.sha256 !== sha256)
        throw new Error(`migration ${name} was applied to this database and has changed since`);
    }
    for (const { name, text, sha256 } of migrations) {
      if (applied.some((row) => row.name === name)) continue;
      await sql.query(text);
      await sql.query('insert into schema_migrations (name, sha256) values ($1, $2)', [name, sha256]);
    }
  });
}
