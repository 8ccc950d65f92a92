// Seals everything in the tables anew under the newest key, so that older keys can go.
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from './database.ts';

/** Each column that holds something sealed, and the context it was sealed for, as SQL. The test compares it with the schema. */
export const SEALED_COLUMNS = [
  { table: 'secrets', column: 'sealed', context: `'secret:' || id` },
  { table: 'bootstrap_tokens', column: 'sealed', context: `'bootstrap_token:' || device_id` },
  { table: 'okta_tokens', column: 'sealed', context: `'okta-token:' || integration_id` },
  { table: 'commands', column: 'sealed_body', context: `'command:' || uuid` },
  { table: 'key_canary', column: 'sealed', context: `'key-canary'` },
] as const;

/** In one transaction of the caller's, while no process of Odette runs. Resolves with how many it sealed. */
export async function resealEverything(sql: Sql, sealer: Sealer): Promise<number> {
  let count = 0;
  for (const { table, column, context } of SEALED_COLUMNS) {
    const rows = await sql.query<{ place: string; context: string; sealed: Buffer }>(
      `select ctid::text as place, ${context} as context, ${column} as sealed from ${table} where ${column} is not null for update`,
    );
    for (const row of rows)
      await sql.query(`update ${table} set ${column} = $2 where ctid = $1::tid`, [
        row.place,
        Buffer.from(sealer.seal(sealer.open(row.sealed, row.context), row.context)),
      ]);
    count += rows.length;
  }
  await sql.query('update secrets set key_id = $1', [sealer.currentKeyId]);
  const settings = await sql.query<{ name: string; sealed: string }>(
    `select name, value ->> 'sealed' as sealed from instance_settings where jsonb_typeof(value) = 'object' and value ? 'sealed' for update`,
  );
  for (const { name, sealed } of settings) {
    const plain = sealer.open(Buffer.from(sealed, 'base64'), name);
    await sql.query('update instance_settings set value = $2 where name = $1', [
      name,
      { sealed: Buffer.from(sealer.seal(plain, name)).toString('base64') },
    ]);
  }
  // Saved responses live for a day and are asked for by nobody while nothing runs.
  await sql.query('delete from idempotency_keys');
  return count + settings.length;
}
