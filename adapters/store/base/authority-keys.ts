// Keys that Odette makes for itself, once for an installation: the certificate in the clear, the key as a sealed secret.
import type { Sql } from './database.ts';
import { readInstanceSetting, writeInstanceSetting } from './instance-settings.ts';

export interface KeptKey {
  readonly certificatePem: string;
  readonly secretId: string;
}

export type KeptKeyName = 'identity_authority' | 'profile_signer';

/** Waits until nobody else is about to make Odette's keys; for the rest of the transaction. */
export async function lockKeptKeys(sql: Sql): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(hashtextextended('odette:kept-keys', 0))`);
}

export const findKeptKey = (sql: Sql, name: KeptKeyName): Promise<KeptKey | undefined> =>
  readInstanceSetting<KeptKey>(sql, name);

export const storeKeptKey = (sql: Sql, name: KeptKeyName, key: KeptKey): Promise<void> =>
  writeInstanceSetting(sql, name, key);
