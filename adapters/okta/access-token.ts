// The access token of one integration: asked for once at a time, kept until shortly before it expires, never shown.
import { z } from 'zod';
import { LOG_SCOPE, NEEDED_SCOPES, OKTA_SCOPES } from '../../domain/setup-wizard.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { TOKEN_ENDPOINT } from '../../domain/okta-budget.ts';
import { clockFailure } from './clock.ts';
import { clientAssertion } from './api-services-app.ts';
import { dpopProof, lackedProof, newDpopKey, type DpopKey } from './dpop.ts';
import { tokenError } from './errors.ts';
import type { OktaBudget } from './budget.ts';
import { readJson, type GuardedHttp, type HttpResponse } from './guarded-http.ts';
import { assertNotLimited } from './rate-limits.ts';

export type OktaCredentials =
  | { readonly kind: 'api_service_integration'; readonly clientId: string; readonly clientSecret: string }
  | {
      readonly kind: 'api_services_app';
      readonly clientId: string;
      readonly privateKeyPem: string;
      readonly keyId: string;
    };

export interface AccessToken {
  readonly value: string;
  readonly scopes: readonly string[];
  readonly goodUntil: number; // performance.now() of this process
  /** The key that it is bound to; absent: whoever has the token may use it. */
  readonly dpopKey?: DpopKey | undefined;
}

/** A token as processes hand it to each other. */
export interface SharedToken {
  readonly value: string;
  readonly scopes: readonly string[];
  /** Milliseconds for which it may still be used. */
  readonly leftMs: number;
  readonly dpopKey?: DpopKey | undefined;
}

/** Where the processes of one integration share its token; sealed there. */
export interface TokenStore {
  read(): Promise<SharedToken | undefined>;
  save(token: SharedToken): Promise<void>;
  /** If it is still this one. */
  delete(value: string): Promise<void>;
}

/** Without a proof, without its nonce, with both. */
const MAX_PROOFS = 3;

const TokenResponse = z.object({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().positive(),
  scope: z.string().default(''),
});

export class AccessTokenSource {
  readonly #url: URL;
  readonly #credentials: OktaCredentials;
  readonly #http: GuardedHttp;
  readonly #budget: OktaBudget;
  readonly #store: TokenStore | undefined;
  #token: AccessToken | undefined;
  #underway: Promise<AccessToken> | undefined;

  constructor(options: {
    readonly host: string;
    readonly credentials: OktaCredentials;
    readonly http: GuardedHttp;
    readonly budget: OktaBudget;
    readonly store?: TokenStore | undefined;
  }) {
    this.#url = new URL(`https://${options.host}/oauth2/v1/token`);
    this.#credentials = options.credentials;
    this.#http = options.http;
    this.#budget = options.budget;
    this.#store = options.store;
  }

  /** Everyone who asks while a request is underway gets that request's token; so do other processes. */
  async get(): Promise<AccessToken> {
    if (this.#token !== undefined && performance.now() < this.#token.goodUntil) return this.#token;
    this.#underway ??= this.#obtain().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  /** Okta refused this token: the next caller fetches a new one, unless somebody has done so already. */
  async drop(refused: AccessToken): Promise<void> {
    if (this.#token === refused) this.#token = undefined;
    await this.#store?.delete(refused.value);
  }

  async #obtain(): Promise<AccessToken> {
    const known = await this.#store?.read();
    if (known !== undefined) return this.#keep(known);
    return this.#budget.within(TOKEN_ENDPOINT, 'lockout', async () => {
      // Whoever had the turn before may have left one.
      const left = await this.#store?.read();
      if (left !== undefined) return this.#keep(left);
      const fetched = await this.#fetch();
      await this.#store?.save(fetched);
      return this.#keep(fetched);
    });
  }

  #keep({ value, scopes, leftMs, dpopKey }: SharedToken): AccessToken {
    this.#token = { value, scopes, goodUntil: performance.now() + leftMs, dpopKey };
    return this.#token;
  }

  /** Okta grants of what is asked for what it may; should it refuse all for the sake of one, the needed ones are asked for alone. */
  async #fetch(): Promise<SharedToken> {
    try {
      return await this.#fetchFor([...OKTA_SCOPES, LOG_SCOPE]);
    } catch (error) {
      if (!(error instanceof CataloguedError) || error.code !== 'okta.scope_not_granted') throw error;
      return this.#fetchFor(NEEDED_SCOPES);
    }
  }

  async #fetchFor(scopes: readonly string[]): Promise<SharedToken> {
    const dpopKey = await newDpopKey();
    const response = await this.#answerFor(scopes, dpopKey);
    assertNotLimited(response);
    if (response.status !== 200) {
      const refusal = tokenError(response, this.#credentials.kind === 'api_services_app');
      throw (refusal.code === 'okta.key_refused' ? clockFailure(response) : undefined) ?? refusal;
    }
    const read = TokenResponse.safeParse(readJson(response));
    if (!read.success) throw new CataloguedError('okta.unexpected_response', { facts: { status: 200 } });
    const lifeMs = read.data.expires_in * 1_000;
    return {
      value: read.data.access_token,
      scopes: read.data.scope.split(' ').filter((scope) => scope !== ''),
      leftMs: lifeMs - Math.min(60_000, lifeMs / 10),
      ...(read.data.token_type.toLowerCase() === 'dpop' && { dpopKey }),
    };
  }

  /**
   * Apps with a key are asked with a proof at once: of new ones Okta demands it. Anything else gets one where it is demanded. The first
   * proof lacks the server's nonce, which comes with the refusal.
   */
  async #answerFor(scopes: readonly string[], key: DpopKey): Promise<HttpResponse> {
    let hasProof = this.#credentials.kind === 'api_services_app';
    let nonce: string | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const { headers, fields } = await this.#authentication();
      const proof = { key, method: 'POST', url: this.#url, nonce };
      const response = await this.#http.send({
        method: 'POST',
        url: this.#url,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
          ...(hasProof && { dpop: await dpopProof(proof) }),
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope: scopes.join(' '),
          ...fields,
        }).toString(),
        maxBytes: 64 * 1024,
      });
      const lacked = lackedProof(response);
      const isRefusedAgain = hasProof && lacked?.nonce === undefined;
      if (lacked === undefined || isRefusedAgain || attempt === MAX_PROOFS) return response;
      hasProof = true;
      nonce = lacked.nonce ?? nonce;
    }
  }

  async #authentication(): Promise<{ headers: Record<string, string>; fields: Record<string, string> }> {
    const credentials = this.#credentials;
    if (credentials.kind === 'api_service_integration') {
      // RFC 6749 §2.3.1: both are form-encoded before they are joined.
      const pair = [credentials.clientId, credentials.clientSecret].map(encodeURIComponent).join(':');
      return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, fields: {} };
    }
    return {
      headers: {},
      fields: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await clientAssertion({ ...credentials, audience: this.#url.href }),
      },
    };
  }
}
