// Who is signed in proves the password once more: a page left open changes nothing of how its person signs in.
import { findSignIn, type PersonRow } from '../../adapters/store/people/people.ts';
import type { Call } from '../http/serve.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { fieldProblem } from '../http/problem.ts';
import { isPassword } from './passwords.ts';
import type { SignInAttempts } from './sign-in-attempts.ts';

/**
 * The person who calls.
 * @throws ProblemError `people.sign_in_refused` at `field`: wrong, or no local person calls; `request.too_many`
 */
export function proveOwnPassword(
  attempts: SignInAttempts,
  { sql, caller, request }: Pick<Call<Endpoint>, 'sql' | 'caller' | 'request'>,
  password: string,
  field = 'password',
): Promise<PersonRow> {
  return attempts.admit(request.ip ?? '', caller.name, async () => {
    const known = caller.kind === 'person' ? await findSignIn(sql, caller.name) : undefined;
    if (known?.id === caller.personId && (await isPassword(password, known?.passwordHash)) && known)
      return known;
    throw fieldProblem('people.sign_in_refused', field);
  });
}
