// Which patches of workflows any version of Odette has run with here.
import type { Sql } from './database.ts';

/** Notes those that this version knows. @returns the others */
export async function recordWorkflowPatches(sql: Sql, known: readonly string[]): Promise<string[]> {
  await sql.query('insert into workflow_patches (id) select unnest($1::text[]) on conflict (id) do nothing', [
    known,
  ]);
  const others = await sql.query<{ id: string }>(
    'select id from workflow_patches where id <> all ($1::text[]) order by id',
    [known],
  );
  return others.map(({ id }) => id);
}
