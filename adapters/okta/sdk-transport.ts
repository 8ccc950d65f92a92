// Okta's own SDK on Odette's connection: its generated clients build the requests and read the responses; connection, token, budget and
// errors are Odette's. The SDK's `Client` is not used (docs/decisions/0003). Deep imports, because the SDK's index loads all of its APIs.
import {
  createConfiguration,
  type Configuration,
} from '@okta/okta-sdk-nodejs/src/generated/configuration.js';
import {
  ResponseContext,
  wrapHttpLibrary,
  type RequestContext,
} from '@okta/okta-sdk-nodejs/src/generated/http/http.js';
import { ServerConfiguration } from '@okta/okta-sdk-nodejs/src/generated/servers.js';
import { CataloguedError } from '../../domain/failures.ts';
import type { AccessToken, AccessTokenSource } from './access-token.ts';
import type { Lane } from '../../domain/okta-budget.ts';
import type { OktaBudget } from './budget.ts';
import { dpopProof, lackedProof } from './dpop.ts';
import { managementError } from './errors.ts';
import type { GuardedHttp, HttpResponse } from './guarded-http.ts';
import { assertNotLimited, quotaOf } from './rate-limits.ts';

export class SdkTransport {
  /** What the SDK's request factories are made with. */
  readonly configuration: Configuration;
  readonly #host: string;
  readonly #http: GuardedHttp;
  readonly #tokens: AccessTokenSource;
  readonly #budget: OktaBudget;

  constructor(options: {
    readonly host: string;
    readonly http: GuardedHttp;
    readonly tokens: AccessTokenSource;
    readonly budget: OktaBudget;
  }) {
    this.#host = options.host;
    this.#http = options.http;
    this.#tokens = options.tokens;
    this.#budget = options.budget;
    this.configuration = createConfiguration({
      baseServer: new ServerConfiguration(`https://${options.host}`, {}),
      // Nothing that the SDK does goes around the budget.
      httpApi: wrapHttpLibrary({ send: async (request) => asContext(await this.#send(request, 'routine')) }),
    });
  }

  /**
   * What a request factory built is sent; what a response processor makes of the response is returned, with the response's Link and Date headers.
   * @throws CataloguedError `okta.*`; `okta.unexpected_response` when the SDK cannot read the response
   */
  async call<Answer>(
    request: Promise<RequestContext>,
    read: (response: ResponseContext) => Promise<Answer>,
    lane: Lane,
  ): Promise<{
    readonly answer: Answer;
    readonly link: string | undefined;
    readonly date: string | undefined;
  }> {
    const response = asContext(await this.#send(await request, lane));
    try {
      const { link, date } = response.headers;
      return { answer: await read(response), link, date };
    } catch {
      // Not as a cause: a parser quotes what it could not read.
      throw unexpected();
    }
  }

  async #send(request: RequestContext, lane: Lane): Promise<HttpResponse> {
    const { pathname, search } = new URL(request.getUrl());
    const url = new URL(`https://${this.#host}${pathname}${search}`);
    const endpoint = pathname.split('/').slice(1, 4).join('/');
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#tokens.get();
      try {
        return await this.#budget.within(endpoint, lane, () => this.#once(url, token), quotaOf);
      } catch (error) {
        const isRefused = error instanceof CataloguedError && error.code === 'okta.token_invalid';
        if (!isRefused) throw error;
        // Revoked, or expired by Okta's clock: a new one is fetched once.
        await this.#tokens.drop(token);
        if (attempt === 2) throw error;
      }
    }
  }

  async #once(url: URL, token: AccessToken): Promise<HttpResponse> {
    let response = await this.#http.send({ url, headers: await authorization(url, token) });
    const nonce = token.dpopKey && lackedProof(response)?.nonce;
    if (nonce !== undefined)
      response = await this.#http.send({ url, headers: await authorization(url, token, nonce) });
    assertNotLimited(response);
    if (response.status === 200) return response;
    throw managementError(response);
  }
}

async function authorization(
  url: URL,
  { value, dpopKey: key }: AccessToken,
  nonce?: string,
): Promise<Record<string, string>> {
  if (key === undefined) return { authorization: `Bearer ${value}` };
  const dpop = await dpopProof({ key, method: 'GET', url, accessToken: value, nonce });
  return { authorization: `DPoP ${value}`, dpop };
}

/** The SDK makes an empty list of a web page: what is not JSON, as behind a captive portal, never reaches it. */
function asContext(response: HttpResponse): ResponseContext {
  const text = response.body.toString('utf8');
  const isJson = /^application\/json\b/i.test(response.headers['content-type'] ?? '');
  if (!isJson || !/^\s*[[{]/.test(text)) throw unexpected();
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
  return new ResponseContext(response.status, Object.fromEntries(headers), {
    text: async () => text,
    binary: async () => response.body,
  });
}

const unexpected = (): CataloguedError =>
  new CataloguedError('okta.unexpected_response', { facts: { status: 200 } });
