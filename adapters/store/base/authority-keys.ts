// Keys that Odette makes for itself, once for an installation: the certificate in the clear, the key as a sealed secret.
import type { Sql } from './database.ts';
import { readInstanceSetting, writeInstanceSetting } from './instance-settings.ts';

export interface AuthorityKey {
  readonly certificatePem: string;
  readonly secretId: string;
}

export type AuthorityKeyName = 'identity_authority' | 'profile_signer';

/** Waits until nobody else is about to make Odette's keys; for the rest of the transaction. */
export async function lockAuthorityKeys(sql: Sql): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(hashtextextended('odette:authority-keys', 0))`);
}

export const findAuthorityKey = (sql: Sql, name: AuthorityKeyName): Promise<AuthorityKey | undefined> =>
  readInstanceSetting<AuthorityKey>(sql, name);

export const storeAuthorityKey = (sql: Sql, name: AuthorityKeyName, key: AuthorityKey): Promise<void> =>
  writeInstanceSetting(sql, name, key);
