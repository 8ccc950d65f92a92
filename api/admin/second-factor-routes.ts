// Setting up, replacing and turning off a second factor; requiring it of all local people.
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findPerson } from '../../adapters/store/people/people.ts';
import {
  addSecondFactor,
  confirmSecondFactor,
  findSecondFactor,
  isSecondFactorRequired,
  removeSecondFactor,
  replaceRecoveryCodes,
  setSecondFactorRequired,
} from '../../adapters/store/people/second-factors.ts';
import { endSessionsOf, notifyAccessEnded } from '../../adapters/store/people/sessions.ts';
import type { secondFactor } from '../contract/second-factor.ts';
import type { Caller } from '../http/caller.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { authenticatorKey, newCodeKey, newRecoveryCodes, recoveryCodeHash } from './one-time-codes.ts';
import { proveOwnPassword } from './own-password.ts';
import { takeAppCode } from './second-factor.ts';
import type { SignInAttempts } from './sign-in-attempts.ts';

type SecondFactorHandlers<Names extends keyof typeof secondFactor> = Pick<
  Handlers<typeof secondFactor>,
  Names
>;

export const secondFactorHandlers = (
  dependencies: AdminDependencies,
  attempts: SignInAttempts,
): Handlers<typeof secondFactor> => ({ ...ownHandlers(dependencies, attempts), ...ADMIN_HANDLERS });

function ownHandlers(
  dependencies: AdminDependencies,
  attempts: SignInAttempts,
): SecondFactorHandlers<
  | 'getSecondFactor'
  | 'beginSecondFactor'
  | 'confirmSecondFactor'
  | 'renewRecoveryCodes'
  | 'turnOffSecondFactor'
> {
  const host = new URL(dependencies.consoleUrl).hostname;
  return {
    getSecondFactor: async ({ sql, caller }) => {
      const person = await personOf(sql, caller);
      const factor = person ? await findSecondFactor(sql, person.id) : undefined;
      return {
        isLocalPerson: person?.isLocal ?? false,
        onSince: factor?.confirmedAt ?? null,
        recoveryCodesLeft: factor?.recoveryCodesLeft ?? 0,
        isRequired: await isSecondFactorRequired(sql),
      };
    },

    beginSecondFactor: async (call) => {
      const { sql, body, caller } = call;
      const person = await proveOwnPassword(attempts, call, body.password);
      if ((await findSecondFactor(sql, person.id))?.confirmedAt) throw alreadyOn();
      await removeSecondFactor(sql, person.id);
      const key = newCodeKey();
      const { id } = await storeSecret(sql, dependencies.sealer, {
        kind: 'one_time_code_key',
        value: key,
        by: caller.actor,
      });
      await addSecondFactor(sql, person.id, id);
      return authenticatorKey(key, `${person.name}@${host}`);
    },

    confirmSecondFactor: async ({ sql, body, caller, request }) => {
      const person = await personOf(sql, caller);
      const factor = person && (await findSecondFactor(sql, person.id));
      if (!factor)
        throw new ProblemError('request.conflict', { detail: 'Start again with a new key for the app.' });
      if (factor.confirmedAt) throw alreadyOn();
      await attempts.admit(request.ip ?? '', person.name, async () => {
        if (!(await takeAppCode(sql, dependencies.sealer, person, factor.secretId, body.code)))
          throw fieldProblem('people.code_refused', 'code');
      });
      await confirmSecondFactor(sql, person.id);
      // Whoever came by the password alone does not stay.
      await endSessionsOf(sql, person.id, caller.session);
      await audit(sql, caller, person.id, 'person.second_factor_on');
      return saveNewRecoveryCodes(sql, person.id);
    },

    renewRecoveryCodes: async (call) => {
      const { sql, body, caller } = call;
      const { id } = await proveOwnPassword(attempts, call, body.password);
      if (!(await findSecondFactor(sql, id))?.confirmedAt)
        throw new ProblemError('request.conflict', { detail: 'The second factor is off.' });
      await audit(sql, caller, id, 'person.recovery_codes_made');
      return saveNewRecoveryCodes(sql, id);
    },

    turnOffSecondFactor: async (call) => {
      const { sql, body, caller } = call;
      const { id } = await proveOwnPassword(attempts, call, body.password);
      if (await isSecondFactorRequired(sql)) throw new ProblemError('people.second_factor_required');
      if (await removeSecondFactor(sql, id)) await audit(sql, caller, id, 'person.second_factor_off');
      return undefined;
    },
  };
}

const ADMIN_HANDLERS: SecondFactorHandlers<'resetSecondFactor' | 'getSignInPolicy' | 'setSignInPolicy'> = {
  resetSecondFactor: async ({ sql, params: { id }, caller }) => {
    if (!(await findPerson(sql, id))) throw notFound('person');
    if (!(await removeSecondFactor(sql, id))) return undefined;
    await endSessionsOf(sql, id);
    await audit(sql, caller, id, 'person.second_factor_reset');
    return undefined;
  },

  getSignInPolicy: async ({ sql }) => ({ isSecondFactorRequired: await isSecondFactorRequired(sql) }),

  setSignInPolicy: async ({ sql, body, caller }) => {
    const before = { isSecondFactorRequired: await isSecondFactorRequired(sql) };
    await setSecondFactorRequired(sql, body.isSecondFactorRequired);
    // Open pages ask again: whoever has none sees nothing more.
    await notifyAccessEnded(sql, '');
    await appendAudit(sql, {
      actor: caller.actor,
      action: 'sign_in_policy.changed',
      detail: { ...body, changes: changesBetween(before, body) },
    });
    return body;
  },
};

const personOf = async (sql: Sql, { kind, personId }: Caller) =>
  kind === 'person' && personId !== undefined ? findPerson(sql, personId) : undefined;

const alreadyOn = (): ProblemError =>
  new ProblemError('request.conflict', { detail: 'The second factor is on. Turn it off first.' });

const audit = (sql: Sql, { actor }: Caller, personId: string, action: string): Promise<void> =>
  appendAudit(sql, { actor, action, subject: `person:${personId}` });

async function saveNewRecoveryCodes(sql: Sql, personId: string): Promise<{ recoveryCodes: string[] }> {
  const recoveryCodes = newRecoveryCodes();
  await replaceRecoveryCodes(sql, personId, recoveryCodes.map(recoveryCodeHash));
  return { recoveryCodes };
}
