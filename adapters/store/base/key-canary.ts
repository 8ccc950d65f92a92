// Proves at start that the key ring opens what was sealed in this database, before anything new is sealed under a wrong key.
import { CataloguedError } from '../../../domain/failures.ts';
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from './database.ts';

const CONTEXT = 'key-canary';
const TEXT = Buffer.from('odette');

/** Whether a key file may still be made: only while nothing sealed exists. */
export async function holdsSealed(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ sealed: boolean }>(
    'select exists (select from key_canary) or exists (select from secrets) as sealed',
  );
  return row?.sealed ?? false;
}

/** @throws CataloguedError `secrets.key_missing`, `secrets.tampered`: the key file is not the one of this database */
export async function proveKey(sql: Sql, sealer: Sealer): Promise<void> {
  await sql.query('insert into key_canary (sealed) values ($1) on conflict do nothing', [
    Buffer.from(sealer.seal(TEXT, CONTEXT)),
  ]);
  const [canary] = await sql.query<{ sealed: Buffer }>('select sealed from key_canary');
  if (!canary || !TEXT.equals(sealer.open(canary.sealed, CONTEXT)))
    throw new CataloguedError('secrets.tampered');
}
