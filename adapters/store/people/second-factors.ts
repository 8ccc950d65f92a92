// The second factor of local people: which secret its codes are made of, which of them were used, and the recovery codes.
import type { Sql } from '../base/database.ts';
import { readInstanceSetting, writeInstanceSetting } from '../base/instance-settings.ts';

const SETTING = 'second_factor';
/** SQL: whether local people must have one. */
export const IS_SECOND_FACTOR_REQUIRED = `coalesce((select (value ->> 'required')::boolean from instance_settings where name = '${SETTING}'), false)`;

export const isSecondFactorRequired = async (sql: Sql): Promise<boolean> =>
  (await readInstanceSetting<{ required: boolean }>(sql, SETTING))?.required ?? false;

export const setSecondFactorRequired = (sql: Sql, required: boolean): Promise<void> =>
  writeInstanceSetting(sql, SETTING, { required });

export interface SecondFactorRow {
  readonly secretId: string;
  /** null: the app has shown no right code yet, so that it is not asked for. */
  readonly confirmedAt: Date | null;
  readonly recoveryCodesLeft: number;
}

export async function findSecondFactor(sql: Sql, personId: string): Promise<SecondFactorRow | undefined> {
  const [row] = await sql.query<SecondFactorRow>(
    `select secret_id, confirmed_at,
       (select count(*)::integer from recovery_codes where recovery_codes.person_id = $1 and used_at is null) as recovery_codes_left
     from second_factors where person_id = $1`,
    [personId],
  );
  return row;
}

/** Not on before it is confirmed. The caller has removed one that was there. */
export async function addSecondFactor(sql: Sql, personId: string, secretId: string): Promise<void> {
  await sql.query('insert into second_factors (person_id, secret_id) values ($1, $2)', [personId, secretId]);
}

/** With its secret and its recovery codes. False: there was none. */
export async function removeSecondFactor(sql: Sql, personId: string): Promise<boolean> {
  const rows = await sql.query<{ secretId: string }>(
    'delete from second_factors where person_id = $1 returning secret_id',
    [personId],
  );
  for (const { secretId } of rows) await sql.query('delete from secrets where id = $1', [secretId]);
  return rows.length > 0;
}

/** A code has a million values and three are right at a time: so many an hour, for all processes, whoever tries from wherever. */
const MAX_ATTEMPTS = 10;

/**
 * Counts one more code before it is looked at, so that codes tried at once are counted too. Not in a transaction, which a wrong
 * code would roll back.
 */
export async function admitCode(sql: Sql, personId: string): Promise<boolean> {
  const rows = await sql.query(
    `update second_factors set attempts = case when is_over then 1 else attempts + 1 end,
       attempts_since = case when is_over then now() else attempts_since end
     from (select person_id as id, attempts_since < now() - interval '1 hour' as is_over from second_factors where person_id = $1) as before
     where person_id = id and (is_over or attempts < ${MAX_ATTEMPTS}) returning 1`,
    [personId],
  );
  return rows.length > 0;
}

/** False: a code of this time step, or of a later one, was accepted before (RFC 6238, section 5.2). */
export async function takeTimeStep(sql: Sql, personId: string, step: number): Promise<boolean> {
  const rows = await sql.query(
    'update second_factors set last_step = $2, attempts = 0 where person_id = $1 and last_step < $2 returning 1',
    [personId, step],
  );
  return rows.length > 0;
}

/** False: it is none, or it was used. */
export async function takeRecoveryCode(sql: Sql, personId: string, hash: Buffer): Promise<boolean> {
  const rows = await sql.query(
    `with taken as (
       update recovery_codes set used_at = now() where person_id = $1 and code_hash = $2 and used_at is null returning person_id)
     update second_factors set attempts = 0 from taken where second_factors.person_id = taken.person_id returning 1`,
    [personId, hash],
  );
  return rows.length > 0;
}

export async function confirmSecondFactor(sql: Sql, personId: string): Promise<void> {
  await sql.query('update second_factors set confirmed_at = now() where person_id = $1', [personId]);
}

/** Those from before open nothing any more. */
export async function replaceRecoveryCodes(
  sql: Sql,
  personId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  await sql.query('delete from recovery_codes where person_id = $1', [personId]);
  await sql.query('insert into recovery_codes (person_id, code_hash) select $1, unnest($2::bytea[])', [
    personId,
    hashes,
  ]);
}
