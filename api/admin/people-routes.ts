// Signing in and out, people, API tokens.
import type { Request } from 'express';
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import {
  addPerson,
  changePerson,
  countLocalAdmins,
  findPerson,
  findSignIn,
  listPeople,
} from '../../adapters/store/people/people.ts';
import { revokeCodesOf } from '../../adapters/store/devices/enrollment-codes.ts';
import { endSession, endSessionsOf, notifyAccessEnded } from '../../adapters/store/people/sessions.ts';
import { addToken, listTokens, revokeToken, revokeTokensOf } from '../../adapters/store/people/tokens.ts';
import { ROLES, type Role, type RoleRules } from '../../domain/sign-in-roles.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { DEFAULT_TOKEN_DAYS, SIGN_IN_REFUSALS, type people } from '../contract/people.ts';
import type { secondFactor } from '../contract/second-factor.ts';
import { assertNotForged, clearSessionCookie, startSession, type Caller } from '../http/caller.ts';
import { failureOrNull } from './failure-view.ts';
import { takeFirstRun } from './first-start.ts';
import { proveOwnPassword } from './own-password.ts';
import { hashPassword, isPassword, randomToken, sha256 } from './passwords.ts';
import { checkSecondFactor } from './second-factor.ts';
import { secondFactorHandlers } from './second-factor-routes.ts';
import { SignInAttempts } from './sign-in-attempts.ts';
import { CALLBACK_PATH, PROVIDER_PATH } from './provider-sign-in.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { SessionCookie } from '../http/session-cookie.ts';

const copied = ({ viewer, operator, admin }: RoleRules) => ({
  viewer: [...viewer],
  operator: [...operator],
  admin: [...admin],
});
const shown = ({ actor, name, role, kind, expiresAt, mustSetUpSecondFactor }: Caller) => ({
  actor,
  name,
  role,
  kind,
  expiresAt,
  mustSetUpSecondFactor: mustSetUpSecondFactor === true,
});

type PeopleHandlers<Names extends keyof typeof people> = Pick<Handlers<typeof people>, Names>;

export function peopleHandlers(
  dependencies: AdminDependencies,
  cookie: SessionCookie,
): Handlers<typeof people & typeof secondFactor> {
  const attempts = new SignInAttempts();
  return {
    ...secondFactorHandlers(dependencies, attempts),
    ...signInHandlers(dependencies, cookie, attempts),
    ...sessionHandlers(cookie, attempts),
    ...PERSON_HANDLERS,
    ...TOKEN_HANDLERS,
  };
}

const addressOf = (request: Request): string => request.ip ?? '';

function signInHandlers(
  dependencies: AdminDependencies,
  cookie: SessionCookie,
  attempts: SignInAttempts,
): PeopleHandlers<'getSignIn' | 'getIdentityProvider' | 'getFirstRun' | 'finishFirstRun' | 'signIn'> {
  const { identityProvider, consoleUrl, database } = dependencies;
  /** A name that nobody has may be a password in the wrong field. */
  const refuse = async (
    request: Request,
    person: { readonly name: string } | undefined,
    code: 'people.sign_in_refused' | 'people.code_refused',
  ): Promise<never> => {
    const detail = {
      address: addressOf(request),
      name: person?.name ?? null,
      // Then somebody knows the password.
      ...(code === 'people.code_refused' && { secondFactor: 'wrong' }),
    };
    await appendAudit(database, { actor: 'system', action: 'session.refused', detail });
    throw new ProblemError(code);
  };

  return {
    getSignIn: ({ query }) =>
      Promise.resolve({
        identityProvider: identityProvider
          ? { host: new URL(identityProvider.provider.settings.issuer).host, path: PROVIDER_PATH }
          : null,
        refused: failureOrNull(SIGN_IN_REFUSALS.find((code) => code === query.refused) ?? null),
      }),

    getIdentityProvider: () => {
      const callbackUrl = consoleUrl + CALLBACK_PATH;
      if (!identityProvider) return Promise.resolve({ callbackUrl, provider: null });
      const { issuer, clientId, scopes, roleClaim } = identityProvider.provider.settings;
      const roles = copied(identityProvider.roles);
      return Promise.resolve({ callbackUrl, provider: { issuer, clientId, scopes, roleClaim, roles } });
    },

    getFirstRun: async ({ sql }) => ({ needed: (await countLocalAdmins(sql)) === 0 }),

    finishFirstRun: async ({ sql, body, request, response }) => {
      assertNotForged(request);
      await attempts.admit(addressOf(request), undefined, async () => {
        if (!(await takeFirstRun(sql, body.token)) || (await countLocalAdmins(sql)) > 0)
          throw fieldProblem('people.first_run_refused', 'token');
      });
      const person = await addPerson(sql, {
        name: body.name,
        role: 'admin',
        passwordHash: await hashPassword(body.password),
      });
      if (!person) throw new ProblemError('request.conflict', { detail: 'Another person has this name.' });
      await appendAudit(sql, {
        actor: `person:${person.name}`,
        action: 'person.first_admin_made',
        subject: `person:${person.id}`,
      });
      return shown(await startSession(sql, response, person, cookie));
    },

    // No connection is held while a password is hashed: guesses at once would have all of them.
    signIn: async ({ body, request, response }) => {
      assertNotForged(request);
      const { person, factor } = await attempts.admit(addressOf(request), body.name, async () => {
        const known = await findSignIn(database, body.name);
        const isRight = await isPassword(body.password, known?.passwordHash);
        if (!isRight || !known) return refuse(request, known, 'people.sign_in_refused');
        const result = await checkSecondFactor(dependencies, known, body.code);
        return result === 'wrong'
          ? refuse(request, known, 'people.code_refused')
          : { person: known, factor: result };
      });
      // Half a sign-in is no failure to be counted.
      if (factor === 'needed') throw new ProblemError('people.code_needed');
      return database.inTransaction(async (sql) => {
        await appendAudit(sql, {
          actor: `person:${person.name}`,
          action: 'session.started',
          detail: {
            address: addressOf(request),
            ...(factor !== 'not_set_up' && { secondFactor: factor }),
          },
        });
        return shown(await startSession(sql, response, person, cookie));
      });
    },
  };
}

function sessionHandlers(
  cookie: SessionCookie,
  attempts: SignInAttempts,
): PeopleHandlers<'getSession' | 'signOut' | 'changePassword'> {
  return {
    getSession: ({ caller }) => Promise.resolve(shown(caller)),

    signOut: async ({ sql, caller, response }) => {
      if (caller.session) await endSession(sql, caller.session);
      clearSessionCookie(response, cookie);
      return undefined;
    },

    changePassword: async (call) => {
      const { sql, body, caller } = call;
      const person = await proveOwnPassword(attempts, call, body.current, 'current');
      await changePerson(sql, person.id, { passwordHash: await hashPassword(body.password) });
      await endSessionsOf(sql, person.id, caller.session);
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'person.password_changed',
        subject: `person:${person.id}`,
      });
      return undefined;
    },
  };
}

const PERSON_HANDLERS: PeopleHandlers<'listPeople' | 'createPerson' | 'updatePerson'> = {
  listPeople: async ({ sql }) => ({ items: await listPeople(sql) }),

  createPerson: async ({ sql, body, caller }) => {
    const { name, role } = body;
    const person = await addPerson(sql, { name, role, passwordHash: await hashPassword(body.password) });
    if (!person) throw fieldProblem('request.conflict', 'name', { detail: 'Another person has this name.' });
    await appendAudit(sql, {
      actor: caller.actor,
      action: 'person.added',
      subject: `person:${person.id}`,
      detail: { name, role },
    });
    return person;
  },

  updatePerson: async ({ sql, body, params, caller }) => {
    const before = await findPerson(sql, params.id);
    if (!before) throw notFound('person');
    if (!before.isLocal && (body.role !== undefined || body.password !== undefined))
      throw fieldProblem('request.conflict', body.role === undefined ? 'password' : 'role', {
        detail: 'The identity provider sets the role and the password of this person.',
      });
    const admins = await countLocalAdmins(sql);
    const passwordHash = body.password === undefined ? undefined : await hashPassword(body.password);
    const after = await changePerson(sql, params.id, {
      role: body.role,
      disabled: body.disabled,
      passwordHash,
    });
    if (!after) throw notFound('person');
    if (admins > 0 && (await countLocalAdmins(sql)) === 0) throw new ProblemError('people.last_admin');
    if (after.disabledAt || passwordHash !== undefined) await endSessionsOf(sql, after.id);
    await revokeTokensOf(sql, after.id, after.disabledAt ? null : after.role);
    if (after.disabledAt) await revokeCodesOf(sql, after.id);
    // Open event streams come back, and who asks is checked again.
    if (after.disabledAt || after.role !== before.role) await notifyAccessEnded(sql, `person:${after.id}`);
    await appendAudit(sql, {
      actor: caller.actor,
      action: 'person.changed',
      subject: `person:${after.id}`,
      detail: {
        role: after.role,
        disabled: after.disabledAt !== null,
        newPassword: passwordHash !== undefined,
        changes: changesBetween(
          { role: before.role, disabled: before.disabledAt !== null, password: 'the old one' },
          {
            role: after.role,
            disabled: after.disabledAt !== null,
            ...(passwordHash !== undefined && { password: 'a new one' }),
          },
        ),
      },
    });
    return after;
  },
};

const TOKEN_HANDLERS: PeopleHandlers<'listTokens' | 'createToken' | 'revokeToken'> = {
  listTokens: async ({ sql }) => ({ items: await listTokens(sql) }),

  createToken: async ({ sql, body, caller }) => {
    const { name, role } = body;
    const expiresAt = endOfToken(caller, role, body.expiresInDays);
    const token = randomToken('odt_');
    const row = await addToken(sql, {
      name,
      role,
      expiresAt,
      tokenHash: sha256(token),
      createdBy: caller.actor,
      personId: caller.personId,
      parentId: caller.tokenId,
    });
    if (!row) throw new ProblemError('request.conflict');
    await appendAudit(sql, {
      actor: caller.actor,
      action: 'token.made',
      subject: `token:${row.id}`,
      detail: { name, role, expiresAt },
    });
    return { ...row, token };
  },

  revokeToken: async ({ sql, params, caller }) => {
    if (!(await revokeToken(sql, params.id))) throw notFound('token');
    await appendAudit(sql, { actor: caller.actor, action: 'token.revoked', subject: `token:${params.id}` });
    return undefined;
  },
};

/**
 * When a token ends that `caller` makes; 90 days that nobody asked for end with the token that makes it.
 * @throws ProblemError `request.not_allowed` when it would do more or live longer than that
 */
function endOfToken(caller: Caller, role: Role, days: number | null | undefined): Date | null {
  const refuse = (field: string, detail: string) => fieldProblem('request.not_allowed', field, { detail });
  if (ROLES.indexOf(role) > ROLES.indexOf(caller.role))
    throw refuse('role', `A token cannot have a higher role than yours (${caller.role}).`);
  const wanted = days === null ? null : new Date(Date.now() + (days ?? DEFAULT_TOKEN_DAYS) * DAY_MS);
  const limit = caller.kind === 'token' ? caller.expiresAt : null;
  if (limit === null || (wanted !== null && wanted <= limit)) return wanted;
  if (days === undefined) return limit;
  throw refuse('expiresInDays', `A token cannot outlive the token that creates it (${limit.toISOString()}).`);
}

const DAY_MS = 24 * 3_600_000;
