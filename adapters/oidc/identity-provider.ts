// One OpenID provider: where a person is sent to sign in, and what its response says of them. Authorization code with PKCE, state and nonce.
import {
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
  type ClientAuth,
  type Configuration,
  type CustomFetch,
} from 'openid-client';
import { CataloguedError } from '../../domain/failures.ts';

/** HTTPS to the provider, given by the process: what guards other outward requests guards these. */
export type Send = (request: {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}) => Promise<{
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}>;

export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: string;
  /** The claim that roles are read from. */
  readonly roleClaim: string;
  readonly callbackUrl: string;
  readonly send: Send;
}

/** What must be kept of a sign-in from its start to its end; not for anybody else's eyes. */
export interface SignInAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface ProviderPerson {
  readonly issuer: string;
  readonly subject: string;
  /** For people to read; the provider may let its users choose it. */
  readonly name: string;
  readonly roleClaim: unknown;
}

/** The provider's own description is read again after this long. */
const KEPT_MS = 60 * 60_000;
const NAMES = ['preferred_username', 'email', 'name'];

export class IdentityProvider {
  readonly settings: ProviderSettings;
  #known: { readonly at: number; readonly configuration: Promise<Configuration> } | undefined;

  constructor(settings: ProviderSettings) {
    this.settings = settings;
  }

  /** @throws CataloguedError `sign_in.*` */
  async begin(): Promise<{ readonly url: string; readonly attempt: SignInAttempt }> {
    const configuration = await this.#configuration().catch(rethrow);
    const attempt = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: this.settings.callbackUrl,
      scope: this.settings.scopes,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, attempt };
  }

  /**
   * @param query what the provider sent the browser back with
   * @throws CataloguedError `sign_in.*`
   */
  async finish(query: URLSearchParams, attempt: SignInAttempt): Promise<ProviderPerson> {
    try {
      const configuration = await this.#configuration();
      // The address that was registered, not the one that the request names.
      const response = new URL(this.settings.callbackUrl);
      response.search = query.toString();
      const tokens = await authorizationCodeGrant(configuration, response, {
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        pkceCodeVerifier: attempt.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new CataloguedError('sign_in.response_refused');
      // Okta, for one, leaves groups and names out of an ID token that comes with an access token.
      const more = isWhole(claims, this.settings.roleClaim)
        ? {}
        : await fetchUserInfo(configuration, tokens.access_token, claims.sub);
      const all: Readonly<Record<string, unknown>> = { ...more, ...claims };
      return {
        issuer: claims.iss,
        subject: claims.sub,
        name: nameIn(all) ?? claims.sub,
        roleClaim: all[this.settings.roleClaim],
      };
    } catch (error) {
      return rethrow(error);
    }
  }

  #configuration(): Promise<Configuration> {
    const { issuer, clientId, clientSecret, send } = this.settings;
    if (this.#known && Date.now() - this.#known.at < KEPT_MS) return this.#known.configuration;
    const configuration = discovery(new URL(issuer), clientId, undefined, authenticate(clientSecret), {
      [customFetch]: fetchOver(send),
      // Signatures are checked too, although the ID token comes from the provider itself.
      execute: [enableNonRepudiationChecks],
    });
    const known = { at: Date.now(), configuration };
    this.#known = known;
    configuration.catch(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return configuration;
  }
}

/** HTTP Basic is what every provider must take; some say that they only take the form. */
const authenticate =
  (secret: string): ClientAuth =>
  (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authentication = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost;
    return authentication(secret)(server, client, body, headers);
  };

const fetchOver =
  (send: Send): CustomFetch =>
  async (url, { method, headers, body }) => {
    const response = await send({
      method: method === 'POST' ? 'POST' : 'GET',
      url: new URL(url),
      headers,
      ...(body !== undefined && body !== null && { body: await new Response(body).text() }),
    });
    const hasBody = response.status !== 204 && response.status !== 304;
    return new Response(hasBody ? new Uint8Array(response.body) : null, {
      status: response.status,
      headers: Object.entries(response.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((each): [string, string] => [name, each]),
      ),
    });
  };

const textIn = (claims: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = claims[name];
  if (typeof value !== 'string') return undefined;
  const line = value.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').trim();
  return line === '' ? undefined : line.slice(0, 100);
};
const nameIn = (claims: Readonly<Record<string, unknown>>): string | undefined =>
  NAMES.map((name) => textIn(claims, name)).find((name) => name !== undefined);
const isWhole = (claims: Readonly<Record<string, unknown>>, roleClaim: string): boolean =>
  claims[roleClaim] !== undefined && nameIn(claims) !== undefined;

/** Of what the provider said only its error code is kept; its description may hold anything. */
function rethrow(error: unknown): never {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CataloguedError) throw cause;
    if (cause instanceof AuthorizationResponseError)
      throw new CataloguedError('sign_in.provider_refused', { facts: { error: cause.error.slice(0, 100) } });
    // HTTP Basic refused is told in a header.
    if (cause instanceof WWWAuthenticateChallengeError)
      throw new CataloguedError('sign_in.client_refused', { facts: { status: cause.status } });
    if (cause instanceof ResponseBodyError) {
      const code = BY_ERROR[cause.error] ?? 'sign_in.provider_refused';
      throw new CataloguedError(code, { facts: { error: cause.error.slice(0, 100) } });
    }
  }
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  throw new CataloguedError('sign_in.response_refused', { facts: { reason }, cause: error });
}

const BY_ERROR: Readonly<Record<string, 'sign_in.client_refused' | 'sign_in.attempt_over'>> = {
  invalid_client: 'sign_in.client_refused',
  unauthorized_client: 'sign_in.client_refused',
  invalid_grant: 'sign_in.attempt_over',
};
