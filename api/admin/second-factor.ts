// Whether somebody who gave the right password also gives the right code.
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import {
  admitCode,
  findSecondFactor,
  takeRecoveryCode,
  takeTimeStep,
} from '../../adapters/store/people/second-factors.ts';
import type { PersonRow } from '../../adapters/store/people/people.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { ProblemError } from '../http/problem.ts';
import { isAppCode, normalizedCode, recoveryCodeHash, timeStepOf } from './one-time-codes.ts';

const RETRY_AFTER_MS = 10 * 60_000;

interface CodeDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
}

export type CodeResult = 'not_set_up' | 'needed' | 'wrong' | 'app_code' | 'recovery_code';

/**
 * Takes the code: it is accepted this once. `wrong` has changed nothing but the count of attempts.
 * @throws ProblemError `request.too_many`
 */
export async function checkSecondFactor(
  { database, sealer }: CodeDependencies,
  person: Pick<PersonRow, 'id' | 'name'>,
  typed: string | undefined,
): Promise<CodeResult> {
  const factor = await findSecondFactor(database, person.id);
  if (!factor?.confirmedAt) return 'not_set_up';
  if (typed === undefined) return 'needed';
  if (!(await admitCode(database, person.id)))
    throw new ProblemError('request.too_many', { retryAfterMs: RETRY_AFTER_MS });
  if (await takeAppCode(database, sealer, person, factor.secretId, typed)) return 'app_code';
  return (await takeRecoveryCode(database, person.id, recoveryCodeHash(typed))) ? 'recovery_code' : 'wrong';
}

/** Whoever calls has counted the attempt. */
export async function takeAppCode(
  sql: Sql,
  sealer: Sealer,
  person: Pick<PersonRow, 'id' | 'name'>,
  secretId: string,
  typed: string,
): Promise<boolean> {
  const code = normalizedCode(typed);
  if (!isAppCode(code)) return false;
  const { value } = await openSecret(sql, sealer, secretId, {
    actor: `person:${person.name}`,
    purpose: 'second factor',
    kind: 'one_time_code_key',
    owner: { personId: person.id },
  });
  const step = timeStepOf(value, code);
  return step !== undefined && (await takeTimeStep(sql, person.id, step));
}
