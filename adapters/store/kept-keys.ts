// Keys that Odette makes for itself, once for an installation: the certificate in the clear, the key as a sealed secret.
import type { Sql } from './database.ts';

export interface KeptKey {
  readonly certificatePem: string;
  readonly secretId: string;
}

export type KeptKeyName = 'identity_authority' | 'profile_signer';

/** Waits until nobody else is about to make Odette's keys; for the rest of the transaction. */
export async function lockKeptKeys(sql: Sql): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(hashtextextended('odette:kept-keys', 0))`);
}

export async function findKeptKey(sql: Sql, name: KeptKeyName): Promise<KeptKey | undefined> {
  const [row] = await sql.query<{ value: KeptKey }>('select value from instance_settings where name = $1', [
    name,
  ]);
  return row?.value;
}

export async function storeKeptKey(sql: Sql, name: KeptKeyName, key: KeptKey): Promise<void> {
  await sql.query(
    `insert into instance_settings (name, value) values ($1, $2::jsonb)
     on conflict (name) do update set value = excluded.value, set_at = now()`,
    [name, JSON.stringify(key)],
  );
}
