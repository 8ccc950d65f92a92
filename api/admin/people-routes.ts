// Signing in and out, people, API tokens.
import type { Request } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import {
  addPerson,
  changePerson,
  countLocalAdmins,
  findPerson,
  findSignIn,
  listPeople,
} from '../../adapters/store/people/people.ts';
import {
  addToken,
  endSession,
  endSessionsOf,
  listTokens,
  revokeToken,
  revokeTokensMadeBy,
} from '../../adapters/store/people/sessions.ts';
import type { RoleRules } from '../../domain/sign-in-roles.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { SIGN_IN_REFUSALS, type people } from '../contract/people.ts';
import { assertNotForged, clearSessionCookie, startSession, type Caller } from '../http/caller.ts';
import { failureOrNull } from './failure-view.ts';
import { takeFirstRun } from './first-start.ts';
import { hashPassword, isPassword, randomToken, sha256 } from './passwords.ts';
import { CALLBACK_PATH, PROVIDER_PATH } from './provider-sign-in.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { SessionCookie } from '../http/session-cookie.ts';

const copied = ({ viewer, operator, admin }: RoleRules) => ({
  viewer: [...viewer],
  operator: [...operator],
  admin: [...admin],
});
const shown = ({ actor, name, role, kind, expiresAt }: Caller) => ({ actor, name, role, kind, expiresAt });

export function peopleHandlers(
  { identityProvider, consoleUrl }: AdminDependencies,
  cookie: SessionCookie,
): Handlers<typeof people> {
  // In one process's memory: several API processes each allow as much.
  const byAddress = new RateLimiterMemory({ points: 30, duration: 15 * 60 });
  // Of one address: else anybody could lock an admin out by guessing at the name.
  const byName = new RateLimiterMemory({ points: 6, duration: 15 * 60 });
  const guessAt = (name: string, request: Request): string => `${request.ip ?? ''} ${name}`;
  const admit = async (limiter: RateLimiterMemory, key: string) => {
    await limiter.consume(key).catch((refused: unknown) => {
      const retryAfterMs = refused instanceof RateLimiterRes ? refused.msBeforeNext : 60_000;
      throw new ProblemError('request.too_many', { retryAfterMs });
    });
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
      await admit(byAddress, request.ip ?? '');
      if (!(await takeFirstRun(sql, body.token)) || (await countLocalAdmins(sql)) > 0)
        throw fieldProblem('people.first_run_refused', 'token');
      const person = await addPerson(sql, {
        name: body.name,
        role: 'admin',
        passwordHash: await hashPassword(body.password),
      });
      if (!person) throw new ProblemError('request.conflict', { detail: 'This name is taken.' });
      await appendAudit(sql, {
        actor: `person:${person.name}`,
        action: 'person.first_admin_made',
        subject: `person:${person.id}`,
      });
      return shown(await startSession(sql, response, person, cookie));
    },

    signIn: async ({ sql, body, request, response }) => {
      assertNotForged(request);
      await admit(byAddress, request.ip ?? '');
      await admit(byName, guessAt(body.name, request));
      const person = await findSignIn(sql, body.name);
      if (!(await isPassword(body.password, person?.passwordHash)) || !person)
        throw new ProblemError('people.sign_in_refused');
      await byName.delete(guessAt(body.name, request));
      await appendAudit(sql, { actor: `person:${person.name}`, action: 'session.started' });
      return shown(await startSession(sql, response, person, cookie));
    },

    getSession: ({ caller }) => Promise.resolve(shown(caller)),

    signOut: async ({ sql, caller, response }) => {
      if (caller.session) await endSession(sql, caller.session);
      clearSessionCookie(response, cookie);
      return undefined;
    },

    changePassword: async ({ sql, body, caller, request }) => {
      await admit(byName, guessAt(caller.name, request));
      const person = await findSignIn(sql, caller.name);
      if (!person || person.id !== caller.personId || !(await isPassword(body.current, person.passwordHash)))
        throw fieldProblem('people.sign_in_refused', 'current');
      await changePerson(sql, person.id, { passwordHash: await hashPassword(body.password) });
      await endSessionsOf(sql, person.id, caller.session);
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'person.password_changed',
        subject: `person:${person.id}`,
      });
      return undefined;
    },

    listPeople: async ({ sql }) => ({ items: await listPeople(sql) }),

    createPerson: async ({ sql, body, caller }) => {
      const { name, role } = body;
      const person = await addPerson(sql, { name, role, passwordHash: await hashPassword(body.password) });
      if (!person) throw fieldProblem('request.conflict', 'name', { detail: 'This name is taken.' });
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
          detail: 'Role and password of this person are those of the identity provider.',
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
      await revokeTokensMadeBy(sql, `person:${after.name}`, after.disabledAt ? null : after.role);
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'person.changed',
        subject: `person:${after.id}`,
        detail: {
          role: after.role,
          disabled: after.disabledAt !== null,
          newPassword: passwordHash !== undefined,
        },
      });
      return after;
    },

    listTokens: async ({ sql }) => ({ items: await listTokens(sql) }),

    createToken: async ({ sql, body, caller }) => {
      const { name, role, expiresInDays } = body;
      const token = randomToken('odt_');
      const row = await addToken(sql, {
        name,
        role,
        expiresInDays,
        tokenHash: sha256(token),
        createdBy: caller.actor,
      });
      if (!row) throw new ProblemError('request.conflict');
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'token.made',
        subject: `token:${row.id}`,
        detail: { name, role },
      });
      return { ...row, token };
    },

    revokeToken: async ({ sql, params, caller }) => {
      if (!(await revokeToken(sql, params.id))) throw notFound('token');
      await appendAudit(sql, { actor: caller.actor, action: 'token.revoked', subject: `token:${params.id}` });
      return undefined;
    },
  };
}
