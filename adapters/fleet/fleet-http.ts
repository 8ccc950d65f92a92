// Requests to Fleet's API: to allowed hosts only, with its token in a header, and every answer bounded in time and size.
import { CataloguedError } from '../../domain/failures.ts';
import { isHostAllowed } from '../outward/allowed-hosts.ts';

const TIMEOUT_MS = 10_000;
/** A list of a device's certificates in base64 is the longest answer that is read. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface FleetResponse {
  readonly status: number;
  readonly body: Buffer;
  /** Fleet's clock, milliseconds since the epoch; ours where it says none. */
  readonly atMs: number;
  readonly retryAfterMs: number | undefined;
}

export class FleetHttp {
  readonly #base: string;
  readonly #authorization: string;
  readonly #allowedHosts: readonly string[];

  constructor(options: {
    readonly url: string;
    readonly apiToken: string;
    readonly allowedHosts: readonly string[];
  }) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#authorization = `Bearer ${options.apiToken}`;
    this.#allowedHosts = options.allowedHosts;
  }

  /**
   * @param path behind /api/v1/fleet/
   * @throws CataloguedError `channel.host_not_allowed`, `channel.unreachable`, `channel.unexpected_response`: longer than it may be
   */
  async send(method: 'GET' | 'POST', path: string, body?: object): Promise<FleetResponse> {
    const url = `${this.#base}/api/v1/fleet/${path}`;
    if (!isHostAllowed(this.#allowedHosts, url)) throw new CataloguedError('channel.host_not_allowed');
    try {
      // A host of the operator's own: never through the proxy that leads outward.
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          authorization: this.#authorization,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const date = Date.parse(response.headers.get('date') ?? '');
      return {
        status: response.status,
        body: await bounded(response),
        atMs: Number.isNaN(date) ? Date.now() : date,
        retryAfterMs: secondsOf(response.headers.get('retry-after')),
      };
    } catch (error) {
      if (error instanceof CataloguedError) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no response';
      throw new CataloguedError('channel.unreachable', { facts: { reason } });
    }
  }
}

async function bounded(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES)
      throw new CataloguedError('channel.unexpected_response', { facts: { status: response.status } });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Fleet gives seconds; a proxy may give a date. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
