// HTTPS to places an admin names: private addresses refused at the moment of connecting, no redirects, bounded bodies and time.
import { channel } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as directRequest } from 'node:https';
import { isIP } from 'node:net';
import { request } from 'undici';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { EXCHANGE_CHANNEL, type Exchange } from '../../domain/field-recording.ts';
import { proxyFor, throughProxy } from '../outward/proxy.ts';
import { normalizedHostname, isAllowListed, isPublicAddress, publicOnly } from './host.ts';
import { jsonOf } from '../../domain/json.ts';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes; a longer body is `okta.unexpected_response`. */
  readonly maxBytes?: number;
  /** The code when the other side does not respond; `okta.unreachable` unless given. */
  readonly unreachable?: FailureCode;
  /** A field test does not record it: its URL may be a secret, and neither Okta nor Apple answers. */
  readonly isUnrecorded?: true;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 8 * 1024 * 1024;

export class GuardedHttp {
  readonly #allowedPrivateHosts: readonly string[];
  // Two agents, because a pooled connection must have passed the same check as a new one.
  readonly #guarded = new Agent({ keepAlive: true, lookup: publicOnly });
  readonly #allowed = new Agent({ keepAlive: true });

  constructor(options: { readonly allowedPrivateHosts: readonly string[] }) {
    this.#allowedPrivateHosts = options.allowedPrivateHosts;
  }

  /**
   * Redirects are responses like any other: nothing, least of all an Authorization header, is carried to another place.
   * @throws CataloguedError `okta.host_not_allowed`, `okta.unreachable` (or `unreachable`), `okta.unexpected_response` (too long)
   */
  async send(wanted: HttpRequest): Promise<HttpResponse> {
    const { url } = wanted;
    const isAllowed = isAllowListed(this.#allowedPrivateHosts, url.hostname, url.port);
    const literal = normalizedHostname(url.hostname);
    const isPrivateLiteral = isIP(literal) !== 0 && !isPublicAddress(literal);
    if (url.protocol !== 'https:' || (isPrivateLiteral && !isAllowed)) {
      throw new CataloguedError('okta.host_not_allowed', { facts: { host: url.host } });
    }
    const proxy = isAllowed ? undefined : proxyFor(url);
    if (proxy !== undefined) return published(wanted, await exchangeThrough(proxy, wanted));
    const agent = isAllowed ? this.#allowed : this.#guarded;
    try {
      return published(wanted, await exchange(wanted, agent));
    } catch (error) {
      // The other side may close a pooled connection just as it is used; that says nothing about the request.
      const again =
        error instanceof StaleConnection ? await exchange(wanted, agent).catch(asFailure(wanted)) : undefined;
      return again === undefined ? asFailure(wanted)(error) : published(wanted, again);
    }
  }
}

const exchanges = channel(EXCHANGE_CHANNEL);

/** For who records a field test; else nobody listens. */
function published({ method = 'GET', url, isUnrecorded }: HttpRequest, response: HttpResponse): HttpResponse {
  if (!exchanges.hasSubscribers || isUnrecorded === true) return response;
  const { status, headers, body } = response;
  const contentType = headers['content-type'];
  exchanges.publish({ kind: 'okta', method, url, status, contentType, response: body } satisfies Exchange);
  return response;
}

/**
 * The proxy connects, and so it resolves: what can be known here of where a name leads is checked before. A name that only the proxy
 * can resolve is its to allow.
 */
async function exchangeThrough(proxy: URL, wanted: HttpRequest): Promise<HttpResponse> {
  const { url, method = 'GET', maxBytes = MAX_BYTES, body } = wanted;
  await assertNotPrivate(url.hostname);
  try {
    const incoming = await request(url, {
      dispatcher: throughProxy(proxy),
      method,
      headers: headersOf(wanted),
      body: body ?? null,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of incoming.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      // Leaving the loop ends the connection.
      if (length > maxBytes) throw tooLong(url);
      chunks.push(chunk);
    }
    return { status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks) };
  } catch (error) {
    return asFailure(wanted)(error);
  }
}

function assertNotPrivate(hostname: string): Promise<void> {
  return new Promise((checked, refused) => {
    publicOnly(hostname, { all: true }, (error) => {
      if (error instanceof CataloguedError) refused(error);
      else checked();
    });
  });
}

const headersOf = ({ headers = {}, body }: HttpRequest): Record<string, string> => ({
  accept: 'application/json',
  'user-agent': 'odette',
  ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  ...headers,
});

const tooLong = (url: URL): CataloguedError =>
  new CataloguedError('okta.unexpected_response', { facts: { host: url.host, reason: 'too long' } });

class StaleConnection extends Error {}

function exchange(wanted: HttpRequest, agent: Agent): Promise<HttpResponse> {
  const { url, method = 'GET', body, maxBytes = MAX_BYTES } = wanted;
  return new Promise((responded, failed) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const outgoing = directRequest(url, { method, agent, signal, headers: headersOf(wanted) });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      failed(isStale ? new StaleConnection('closed while idle', { cause: error }) : error);
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) {
          outgoing.destroy();
          failed(tooLong(url));
        } else {
          chunks.push(chunk);
        }
      });
      incoming.on('error', failed);
      incoming.on('end', () =>
        responded({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    outgoing.end(body);
  });
}

/** Of the cause only its short system code is kept: some libraries put whole URLs into messages. */
const asFailure =
  (wanted: HttpRequest) =>
  (error: unknown): never => {
    if (error instanceof CataloguedError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no response';
    throw new CataloguedError(wanted.unreachable ?? 'okta.unreachable', {
      facts: {
        host: wanted.url.host,
        reason:
          error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
            ? 'time-out'
            : code,
      },
    });
  };

const shared = new Map<string, GuardedHttp>();

/** One pool of connections for each allow-list of this process. */
export function guardedHttp(allowedPrivateHosts: readonly string[]): GuardedHttp {
  const key = allowedPrivateHosts.join(',');
  const known = shared.get(key) ?? new GuardedHttp({ allowedPrivateHosts });
  shared.set(key, known);
  return known;
}

/** The body as JSON, or undefined when it is not. */
export const readJson = (response: HttpResponse): unknown => jsonOf(response.body.toString('utf8'));
