// POST /oauth2/v1/token of a pretend tenant: client_credentials by secret or by key, with Okta's refusals.
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { issueToken } from './access-tokens.ts';
import type { DpopProofs } from './dpop.ts';
import { refuseToken, type OAuthRefusal } from './refusals.ts';
import type { Tenant, TenantResponse, TenantRequest } from './tenant.ts';
import type { ApiServicesApp, Client } from './tenant-state.ts';

const KNOWN_SCOPE = /^okta\.[A-Za-z]+\.(read|manage)$/;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_ASSERTION_SECONDS = 3600;
/** An assertion made later than that by Okta's clock is refused. */
const MAX_FUTURE_SECONDS = 60;

export class TokenRoute {
  readonly #tenant: Tenant;
  /** Ids of assertions that were used, with their expiry in seconds since 1970. */
  readonly #used = new Map<string, number>();
  readonly #proofs: DpopProofs;
  /** Okta gives another one every day. */
  readonly #nonce = randomBytes(24).toString('base64url');

  constructor(tenant: Tenant, proofs: DpopProofs) {
    this.#tenant = tenant;
    this.#proofs = proofs;
  }

  async handle(request: TenantRequest): Promise<TenantResponse> {
    this.#tenant.count('token');
    if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
      return refuseToken('not_a_form');
    }
    const form = new URLSearchParams(request.body.toString('utf8'));
    if (form.get('grant_type') !== 'client_credentials') return refuseToken('grant_type');
    const client = await this.#authenticate(form, request.headers.authorization);
    if (typeof client === 'string') return refuseToken(client);
    if (this.#tenant.state.knobs.tokens.outsideNetworkZone) return refuseToken('network_zone');
    if (client.kind !== 'api_services_app' || !client.dpop)
      return this.#grant(client, form.get('scope') ?? '');
    const proven = await this.#proofs.check(request.headers['dpop'], {
      method: 'POST',
      url: `${this.#tenant.origin}/oauth2/v1/token`,
      nonce: this.#nonce,
    });
    if ('fault' in proven) return refuseToken(`dpop_${proven.fault}`, this.#nonce);
    return this.#grant(client, form.get('scope') ?? '', proven.thumbprint);
  }

  /** @param thumbprint of the key to which the token is bound */
  #grant(client: Client, asked: string, thumbprint?: string): TenantResponse {
    const wanted = asked.split(' ').filter((scope) => scope !== '');
    if (wanted.length === 0) return refuseToken('no_scope');
    if (!wanted.every((scope) => KNOWN_SCOPE.test(scope))) return refuseToken('scope_unknown');
    const granted = wanted.filter((scope) => client.scopes.includes(scope));
    if (granted.length === 0) return refuseToken('consent_required');
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        token_type: thumbprint === undefined ? 'Bearer' : 'DPoP',
        expires_in: this.#tenant.state.knobs.tokens.lifeSeconds,
        access_token: issueToken(this.#tenant, client, granted, thumbprint),
        scope: granted.join(' '),
      },
    };
  }

  async #authenticate(form: URLSearchParams, header: string | undefined): Promise<Client | OAuthRefusal> {
    const basic = readBasic(header);
    const clientId = basic?.id ?? form.get('client_id') ?? assertedClient(form.get('client_assertion'));
    if (clientId === undefined) return 'client_failed';
    const client = this.#tenant.state.clients.find((known) => known.clientId === clientId);
    if (client === undefined) return 'client_unknown';
    if (client.kind === 'api_service_integration') {
      if (basic === undefined) return form.has('client_secret') ? 'basic_required' : 'client_failed';
      return client.secrets.some(({ value }) => value === basic.secret) ? client : 'secret_wrong';
    }
    if (client.applicationType !== 'service') return 'not_a_service';
    const assertion = form.get('client_assertion');
    if (basic !== undefined || assertion === null || form.get('client_assertion_type') !== ASSERTION_TYPE) {
      return 'key_required';
    }
    return (await this.#isProven(client, assertion)) ? client : 'assertion_invalid';
  }

  /** By real time and Okta's skew, not the sandbox's: the clients' clocks do not move with it. */
  async #isProven(client: ApiServicesApp, assertion: string): Promise<boolean> {
    const skewMs = this.#tenant.state.knobs.clockSkewSeconds * 1_000;
    try {
      const keys = createLocalJWKSet({ keys: client.publicJwks.map((jwk) => ({ kty: 'RSA', ...jwk })) });
      const { payload, protectedHeader } = await jwtVerify(assertion, keys, {
        issuer: client.clientId,
        subject: client.clientId,
        audience: `${this.#tenant.origin}/oauth2/v1/token`,
        algorithms: ['RS256', 'RS384', 'RS512', 'ES256'],
        requiredClaims: ['exp', 'jti'],
        currentDate: new Date(Date.now() + skewMs),
      });
      const now = (Date.now() + skewMs) / 1_000;
      const { exp = 0, iat = 0, jti = '' } = payload;
      if (iat > now + MAX_FUTURE_SECONDS) return false;
      for (const [id, until] of this.#used) if (until < now) this.#used.delete(id);
      if (exp > now + MAX_ASSERTION_SECONDS || this.#used.has(jti) || protectedHeader.kid === undefined)
        return false;
      this.#used.set(jti, exp);
      return true;
    } catch {
      return false;
    }
  }
}

function readBasic(header: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  try {
    return {
      id: decodeURIComponent(text.slice(0, colon)),
      secret: decodeURIComponent(text.slice(colon + 1)),
    };
  } catch {
    return undefined;
  }
}

/** The client an assertion speaks for, before anything is proven. */
function assertedClient(assertion: string | null): string | undefined {
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(assertion?.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    return typeof claims === 'object' && claims !== null && 'sub' in claims ? String(claims.sub) : undefined;
  } catch {
    return undefined;
  }
}
