// The clock by which times in the tables are compared: a process's own may be hours off.
import type { Sql } from './database.ts';

/** In a transaction: when it began. */
export async function databaseNow(sql: Sql): Promise<Date> {
  const [row] = await sql.query<{ now: Date }>('select now() as now');
  if (row === undefined) throw new Error('PostgreSQL says no time');
  return row.now;
}
