// Who calls: a session's cookie or an API token, the role that goes with it, and the check against forged requests of browsers.
import type { Request, Response } from 'express';
import { findSession, openSession } from '../../adapters/store/people/sessions.ts';
import { findToken } from '../../adapters/store/people/tokens.ts';
import type { PersonRow } from '../../adapters/store/people/people.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { ROLES, type Role } from '../../domain/sign-in-roles.ts';
import type { Access } from '../contract/endpoint.ts';
import { randomToken, sha256 } from '../admin/passwords.ts';
import { ProblemError } from './problem.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface Caller {
  /** person:ID or token:ID: names can be chosen, and chosen again. */
  readonly id: string;
  /** As in the audit trail: person:NAME, token:NAME. */
  readonly actor: string;
  readonly name: string;
  readonly role: Role;
  readonly kind: 'person' | 'token';
  readonly expiresAt: Date | null;
  /** Of a token: the person it came from. */
  readonly personId?: string;
  readonly tokenId?: string;
  /** SHA-256 of the session's id. */
  readonly session?: Buffer;
  /** Until then the session does nothing else. */
  readonly mustSetUpSecondFactor?: true;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @throws ProblemError `request.not_signed_in` when a token was sent and is not good */
export async function findCaller(
  sql: Sql,
  request: Request,
  cookie: SessionCookie,
): Promise<Caller | undefined> {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token) return tokenCaller(sql, token);
  const session = cookieOf(request, cookie.name);
  if (session === undefined) return undefined;
  const found = await sessionCaller(sql, sha256(session));
  if (found) assertNotForged(request);
  return found;
}

async function sessionCaller(sql: Sql, idHash: Buffer): Promise<Caller | undefined> {
  const found = await findSession(sql, idHash);
  if (!found) return undefined;
  const { personId, name, role, expiresAt, mustSetUpSecondFactor } = found;
  return {
    id: `person:${personId}`,
    actor: `person:${name}`,
    name,
    role,
    kind: 'person',
    expiresAt,
    personId,
    session: idHash,
    ...(mustSetUpSecondFactor && { mustSetUpSecondFactor }),
  };
}

async function tokenCaller(sql: Sql, token: string): Promise<Caller> {
  const found = await findToken(sql, sha256(token));
  if (!found)
    throw new ProblemError('request.not_signed_in', {
      detail: 'The API token is wrong, revoked or expired.',
    });
  const { id, name, role, expiresAt, personId } = found;
  return {
    id: `token:${id}`,
    actor: `token:${name}`,
    name,
    role,
    kind: 'token',
    expiresAt,
    tokenId: id,
    ...(personId !== null && { personId }),
  };
}

/** @param isBeforeSecondFactor open to who still has to set up a second factor */
export function assertAllowed(
  caller: Caller | undefined,
  access: Access,
  isBeforeSecondFactor = false,
): void {
  if (access === 'public') return;
  if (!caller) throw new ProblemError('request.not_signed_in');
  if (caller.mustSetUpSecondFactor && !isBeforeSecondFactor)
    throw new ProblemError('people.second_factor_required');
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(access))
    throw new ProblemError('request.not_allowed', {
      detail: `This needs the role ${access}.`,
      facts: { role: caller.role },
    });
}

/**
 * A browser says where a request comes from. A request that changes something on the strength of a cookie must come from this
 * site's own pages; programs, which send neither header, do not carry somebody else's cookie.
 */
export function assertNotForged(request: Request): void {
  if (SAFE_METHODS.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  // The browser itself has compared, by the address that people see; a proxy may have put another Host.
  if (site === 'same-origin') return;
  if (site !== undefined && site !== 'none')
    throw new ProblemError('request.not_allowed', { detail: 'The request comes from a different site.' });
  const origin = request.headers.origin;
  if (origin !== undefined && originHost(origin) !== request.headers.host)
    throw new ProblemError('request.not_allowed', { detail: 'The request comes from a different site.' });
}

const originHost = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host : undefined;

export async function startSession(
  sql: Sql,
  response: Response,
  person: PersonRow,
  cookie: SessionCookie,
): Promise<Caller> {
  const id = randomToken('');
  await openSession(sql, sha256(id), person.id);
  const caller = await sessionCaller(sql, sha256(id));
  if (!caller) throw new Error('a session is gone that was just opened');
  response.cookie(cookie.name, id, cookie.options);
  return caller;
}

export const clearSessionCookie = (response: Response, { name, options }: SessionCookie): void =>
  void response.clearCookie(name, options);

export function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  return found === '' ? undefined : found;
}
