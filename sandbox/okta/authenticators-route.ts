// GET /api/v1/authenticators and their methods, of a pretend tenant.
import { createHash } from 'node:crypto';
import { refuse } from './refusals.ts';
import type { Tenant, TenantResponse } from './tenant.ts';

interface Part {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly isActive: boolean;
  readonly methods: readonly string[];
}

const PASSWORD: Part = {
  key: 'okta_password',
  name: 'Password',
  type: 'password',
  isActive: true,
  methods: ['password'],
};

function partsOf(tenant: Tenant): Part[] {
  const { oktaVerify, fastPass } = tenant.state.knobs.authenticators;
  const app = (key: string, name: string, methods: string[], isActive = true): Part => ({
    key,
    name,
    type: 'app',
    isActive,
    methods,
  });
  if (oktaVerify === 'missing') return [PASSWORD];
  if (oktaVerify === 'split') {
    return [
      PASSWORD,
      app('okta_verify_totp', 'Okta Verify code', ['totp']),
      app('okta_verify_push', 'Okta Verify push', ['push']),
      app('okta_verify_fastpass', 'Okta FastPass', ['signed_nonce'], fastPass),
    ];
  }
  const methods = ['push', 'signed_nonce', 'totp'];
  return [PASSWORD, app('okta_verify', 'Okta Verify', methods, oktaVerify === 'active')];
}

/** The same id over restarts: it comes from the organization and the key. */
const idOf = (tenant: Tenant, { key }: Part): string =>
  `aut${createHash('sha256')
    .update(tenant.state.orgId + key)
    .digest('hex')
    .slice(0, 17)}`;

const link = (href: string) => ({ href, hints: { allow: ['GET', 'PUT'] } });
const CREATED = '2024-03-01T09:00:00.000Z';

function authenticator(tenant: Tenant, part: Part) {
  const url = `${tenant.origin}/api/v1/authenticators/${idOf(tenant, part)}`;
  const settings =
    part.type === 'app'
      ? {
          settings: {
            channelBinding: { style: 'NUMBER_CHALLENGE', required: 'HIGH_RISK_ONLY' },
            compliance: { fips: tenant.state.knobs.authenticators.fips },
            userVerification: 'PREFERRED',
            appInstanceId: `0oa${tenant.state.orgId.slice(3)}`,
          },
        }
      : {};
  return {
    type: part.type,
    id: idOf(tenant, part),
    key: part.key,
    status: part.isActive ? 'ACTIVE' : 'INACTIVE',
    name: part.name,
    created: CREATED,
    lastUpdated: CREATED,
    ...settings,
    _links: { self: link(url), methods: { href: `${url}/methods`, hints: { allow: ['GET'] } } },
  };
}

function method(tenant: Tenant, part: Part, type: string) {
  const { fastPass, showSignInWithOV, keyProtection } = tenant.state.knobs.authenticators;
  const isOn = part.isActive && (type !== 'signed_nonce' || fastPass);
  const settings: Record<string, object> = {
    push: { algorithms: ['RS256', 'ES256'], keyProtection: 'ANY', transactionTypes: ['LOGIN'] },
    signed_nonce: { algorithms: ['RS256', 'ES256'], keyProtection, showSignInWithOV },
    totp: { timeIntervalInSeconds: 30, encoding: 'base32', algorithm: 'HMACSHA1', passCodeLength: 6 },
  };
  return { type, status: isOn ? 'ACTIVE' : 'INACTIVE', ...(settings[type] && { settings: settings[type] }) };
}

/** @param path behind `/api/v1/authenticators`: '', '/ID', '/ID/methods', '/ID/methods/TYPE' */
export function handleAuthenticators(tenant: Tenant, path: string): TenantResponse {
  const parts = partsOf(tenant);
  if (path === '') return { status: 200, body: parts.map((part) => authenticator(tenant, part)) };
  const [, id, collection, type] = path.split('/');
  const part = parts.find((known) => idOf(tenant, known) === id);
  if (part === undefined) return refuse('E0000007');
  if (collection === undefined) return { status: 200, body: authenticator(tenant, part) };
  const methods = part.methods.map((known) => method(tenant, part, known));
  if (collection !== 'methods') return refuse('E0000007');
  if (type === undefined) return { status: 200, body: methods };
  const found = methods.find((known) => known.type === type);
  return found === undefined ? refuse('E0000007') : { status: 200, body: found };
}
