// Signing in through the identity provider: two addresses that a browser goes through. What is refused ends on the sign-in page, which
// says why; a local account works there whatever the provider does.
import { Router, type Request, type Response } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { z } from 'zod';
import type { SignInAttempt, ProviderPerson } from '../../adapters/oidc/identity-provider.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { findProviderPerson, saveProviderPerson } from '../../adapters/store/people/people.ts';
import { endSessionsOf, notifyAccessEnded } from '../../adapters/store/people/sessions.ts';
import { revokeTokensOf } from '../../adapters/store/people/tokens.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { roleOf, type Role, type RoleRules } from '../../domain/sign-in-roles.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { cookieOf, startSession } from '../http/caller.ts';
import { SIGN_IN_REFUSALS, type SignInRefusal } from '../contract/people.ts';
import type { SessionCookie } from '../http/session-cookie.ts';

export const PROVIDER_PATH = '/sign-in/oidc';
export const CALLBACK_PATH = `${PROVIDER_PATH}/callback`;
const WITHIN_MS = 10 * 60_000;
/** What the sealed attempt is for: it opens as nothing else. */
const CONTEXT = 'provider sign-in';

const SavedAttempt = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  next: z.string(),
  at: z.number(),
});
type SavedAttempt = z.output<typeof SavedAttempt>;

export function providerSignIn(dependencies: AdminDependencies, session: SessionCookie): Router {
  const { identityProvider, database, sealer, log, consoleUrl } = dependencies;
  const router = Router();
  if (identityProvider === undefined) return router;
  const { provider, roles } = identityProvider;
  const attempts = {
    name: `${session.name}_sign_in`,
    // Back from the provider is a visit from another site: `lax` lets the cookie come along, `strict` would not.
    options: { ...session.options, sameSite: 'lax', path: '/' },
  } as const;
  const byAddress = new RateLimiterMemory({ points: 60, duration: 5 * 60 });

  const saveAttempt = (response: Response, saved: SavedAttempt): void => {
    const sealed = Buffer.from(sealer.seal(Buffer.from(JSON.stringify(saved)), CONTEXT)).toString(
      'base64url',
    );
    response.cookie(attempts.name, sealed, { ...attempts.options, maxAge: WITHIN_MS });
  };
  const readAttempt = (request: Request): SavedAttempt | undefined => {
    const sealed = cookieOf(request, attempts.name);
    if (sealed === undefined) return undefined;
    try {
      const text = Buffer.from(sealer.open(Buffer.from(sealed, 'base64url'), CONTEXT)).toString();
      const read = SavedAttempt.parse(JSON.parse(text));
      return Date.now() - read.at < WITHIN_MS ? read : undefined;
    } catch {
      // Of another key ring, or not ours at all.
      return undefined;
    }
  };
  const refuse = (response: Response, error: unknown, next: string): void => {
    const code = refusalOf(error);
    const facts = error instanceof CataloguedError ? error.facts : {};
    log.warn({ code, ...facts, requestId: response.locals['requestId'] as string }, 'sign-in refused');
    response.locals['failureCode'] = code;
    const query = new URLSearchParams({ refused: code, ...(next !== '/' && { next }) });
    response.redirect(303, `/sign-in?${query.toString()}`);
  };

  router.get(PROVIDER_PATH, async (request, response) => {
    response.locals['operationId'] = 'beginProviderSignIn';
    const next = ownAddress(request.query['next'], consoleUrl);
    try {
      await byAddress.consume(request.ip ?? '');
      const { url, attempt } = await provider.begin();
      saveAttempt(response, { ...attempt, next, at: Date.now() });
      response.redirect(303, url);
    } catch (error) {
      refuse(response, error, next);
    }
  });

  router.get(CALLBACK_PATH, async (request, response) => {
    response.locals['operationId'] = 'finishProviderSignIn';
    const attempt = readAttempt(request);
    // Whatever comes of it: a second answer to the same attempt is one too many.
    response.clearCookie(attempts.name, attempts.options);
    try {
      await byAddress.consume(request.ip ?? '');
      if (attempt === undefined) throw new CataloguedError('sign_in.attempt_over');
      const person = await provider.finish(queryOf(request), attemptOf(attempt));
      await admit({ database, roles }, session, person, request, response);
      response.redirect(303, attempt.next);
    } catch (error) {
      refuse(response, error, attempt?.next ?? '/');
    }
  });
  return router;
}

/** @throws CataloguedError `sign_in.no_role`, `sign_in.disabled` */
async function admit(
  { database, roles }: Pick<AdminDependencies, 'database'> & { readonly roles: RoleRules },
  session: SessionCookie,
  vouched: ProviderPerson,
  request: Request,
  response: Response,
): Promise<void> {
  const address = request.ip ?? '';
  const role = roleOf(vouched.roleClaim, roles);
  const { issuer, subject, name } = vouched;
  const refused = await database.inTransaction(async (sql): Promise<SignInRefusal | undefined> => {
    const known = await findProviderPerson(sql, vouched);
    const code = known?.disabledAt ? 'sign_in.disabled' : role === undefined ? 'sign_in.no_role' : undefined;
    if (code !== undefined || role === undefined) {
      await recordRefusal(sql, known, { code, issuer, subject, name, address });
      return code;
    }
    const person = await saveProviderPerson(sql, vouched, role);
    const actor = `person:${person.name}`;
    await revokeTokensOf(sql, person.id, person.role);
    await recordRole(sql, person, known, { role, issuer });
    await appendAudit(sql, { actor, action: 'session.started', detail: { issuer, role, address } });
    await startSession(sql, response, person, session);
    response.locals['actor'] = actor;
    return undefined;
  });
  if (refused !== undefined) throw new CataloguedError(refused);
}

type KnownPerson = Awaited<ReturnType<typeof findProviderPerson>>;

/** Who has lost every group at the provider has lost the sessions here, too, and the tokens. */
async function recordRefusal(
  sql: Sql,
  known: KnownPerson,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (known) {
    await endSessionsOf(sql, known.id);
    await revokeTokensOf(sql, known.id, null);
    await notifyAccessEnded(sql, `person:${known.id}`);
  }
  await appendAudit(sql, { actor: 'system', action: 'session.refused', detail });
}

/** A person who is new, or whose role at the provider has changed. */
async function recordRole(
  sql: Sql,
  person: { readonly id: string; readonly name: string },
  known: KnownPerson,
  { role, issuer }: { readonly role: Role; readonly issuer: string },
): Promise<void> {
  if (known?.role === role) return;
  if (known) await notifyAccessEnded(sql, `person:${person.id}`);
  await appendAudit(sql, {
    actor: `person:${person.name}`,
    action: known ? 'person.changed' : 'person.added',
    subject: `person:${person.id}`,
    detail: known
      ? { role, before: known.role, changes: changesBetween({ role: known.role }, { role }) }
      : { role, issuer },
  });
}

const attemptOf = ({ state, nonce, verifier }: SavedAttempt): SignInAttempt => ({ state, nonce, verifier });

const queryOf = (request: Request): URLSearchParams =>
  new URL(request.originalUrl, 'http://localhost').searchParams;

/** An address of this console, as a path; else its first page. Read as browsers read it: `//host`, `/\host` and `/⇥/host` lead away. */
export function ownAddress(next: unknown, consoleUrl: string): string {
  if (typeof next !== 'string' || !next.startsWith('/') || !URL.canParse(next, consoleUrl)) return '/';
  const { origin, pathname, search, hash } = new URL(next, consoleUrl);
  const isOwn = origin === new URL(consoleUrl).origin && !pathname.startsWith('//');
  return isOwn ? pathname + search + hash : '/';
}

/** @throws what is Odette's own mistake */
function refusalOf(error: unknown): SignInRefusal {
  const code = error instanceof CataloguedError ? error.code : undefined;
  const known = SIGN_IN_REFUSALS.find((refusal) => refusal === code);
  if (known) return known;
  if (typeof error === 'object' && error !== null && 'msBeforeNext' in error) return 'request.too_many';
  throw error;
}
