// What the ids of audit entries are called today, and who can be an actor.
import type { Sql } from './database.ts';

/** By kind and id as in a subject (`device:ID`), and by the id alone. What was deleted is in none. */
export async function findAuditNames(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<{ kind: string; id: string; name: string | null }>(
    `select 'device' as kind, id, coalesce(name || coalesce(' (' || serial_number || ')', ''), serial_number, udid) as name
       from devices where id = any($1::uuid[])
     union all select 'integration', id, name from integrations where id = any($1::uuid[])
     union all select 'blueprint', id, name from blueprints where id = any($1::uuid[])
     union all select 'channel', id, name from channels where id = any($1::uuid[])
     union all select 'person', id, name from people where id = any($1::uuid[])
     union all select 'token', id, name from api_tokens where id = any($1::uuid[])
     union all select 'fleet_rollout', id, reason from fleet_rollouts where id = any($1::uuid[])
     union all select 'library_item', item.id, integration.name
       from library_items as item join integrations as integration on integration.id = item.integration_id where item.id = any($1::uuid[])
     union all select 'enrollment_code', code.id, blueprint.name
       from enrollment_codes as code join blueprints as blueprint on blueprint.id = code.blueprint_id where code.id = any($1::uuid[])`,
    [ids],
  );
  return new Map(
    rows.flatMap(({ kind, id, name }) =>
      name === null
        ? []
        : [
            [`${kind}:${id}`, name],
            [id, name],
          ],
    ),
  );
}

/** People and API tokens, by name: what `person:` and `token:` stand before in an entry. */
export async function listAuditActors(
  sql: Sql,
): Promise<{ readonly actor: string; readonly name: string }[]> {
  return sql.query(
    `select 'person:' || name as actor, name from people
     union select 'token:' || name, name from api_tokens order by 1`,
  );
}
