// Access tokens of a pretend tenant: signed by the tenant, so that they hold over a restart, and opaque to everybody else.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Tenant } from './tenant.ts';
import type { Client } from './tenant-state.ts';

interface Content {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly id: string;
  /** Thumbprint of the key without whose proof it is worth nothing. */
  readonly boundTo?: string | undefined;
}

const KEPT_TOKENS = 50;

const seal = (tenant: Tenant, content: string): string =>
  createHmac('sha256', tenant.state.tokenKey).update(content).digest('base64url');

export function issueToken(
  tenant: Tenant,
  client: Client,
  scopes: readonly string[],
  boundTo?: string,
): string {
  const expiresAt = tenant.now() + tenant.state.knobs.tokens.lifeSeconds * 1_000;
  const content: Content = { clientId: client.clientId, scopes, expiresAt, id: randomUUID(), boundTo };
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  const token = `eyJ0${text}.${seal(tenant, text)}`;
  tenant.state.accessTokens = [...(tenant.state.accessTokens ?? []), token].slice(-KEPT_TOKENS);
  return token;
}

export interface AccessToken {
  readonly client: Client;
  readonly scopes: readonly string[];
  /** The thumbprint of the key that must prove each request (DPoP). */
  readonly boundTo?: string | undefined;
}

/** Undefined when the token is not this tenant's, has expired, or its client is gone. */
export function readAccessToken(tenant: Tenant, token: string): AccessToken | undefined {
  const [text, mac] = token.replace(/^eyJ0/, '').split('.');
  if (text === undefined || mac === undefined) return undefined;
  const expected = Buffer.from(seal(tenant, text));
  const given = Buffer.from(mac);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  const content = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Content;
  const client = tenant.state.clients.find(({ clientId }) => clientId === content.clientId);
  return client === undefined || content.expiresAt <= tenant.now()
    ? undefined
    : { client, scopes: content.scopes, boundTo: content.boundTo };
}
