// NanoMDM's API (v0.9.0, docs/openapi.yaml): queues a command for one enrollment, and wakes it. It has no call that reads anything back.
import { z } from 'zod';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { isHostAllowed } from '../outward/allowed-hosts.ts';
import { jsonOf } from '../../domain/json.ts';

/** The same for everybody: the key is the password. */
const USER = 'nanomdm';
const TIMEOUT_MS = 10_000;

const EnrollmentResult = z.object({
  push_error: z.string().optional(),
  command_error: z.string().optional(),
});
/** Whether it was queued is in `command_error`: the HTTP status is 500 too when only the push failed. */
const ApiResult = z.object({
  status: z.record(z.string(), EnrollmentResult).optional(),
  push_error: z.string().optional(),
  command_error: z.string().optional(),
});
type Result = z.infer<typeof ApiResult>;

/** The path is a list with commas: what a device calls itself must not be one. */
const ONE_ID = /^[\w.-]+$/;

/** As its storages say it: PostgreSQL, MySQL, and the key-value ones. */
const DUPLICATES = [/duplicate key value/i, /duplicate entry/i, /command already exists/i];
/** What Apple says of a device that was erased, or took its profile off. */
const TOKEN_GONE = /\b(Unregistered|BadDeviceToken|ExpiredToken|410)\b/;

export type NanoMdmEnqueued =
  | { readonly kind: 'queued' }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly failureCode: FailureCode };

export class NanoMdmClient {
  readonly #base: string;
  readonly #authorization: string;
  readonly #allowedHosts: readonly string[];

  /** @param options.url base of the API, without /v1 · @param options.allowedHosts host[:port] that may be called */
  constructor(options: {
    readonly url: string;
    readonly apiKey: string;
    readonly allowedHosts: readonly string[];
  }) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#authorization = `Basic ${Buffer.from(`${USER}:${options.apiKey}`).toString('base64')}`;
    this.#allowedHosts = options.allowedHosts;
  }

  /**
   * Queues a command without waking the enrollment. A UUID that the server has had is `known`.
   * @throws CataloguedError `channel.unreachable`, `channel.unexpected_response`: nobody knows whether it has the command
   * @throws CataloguedError `channel.host_not_allowed`, `channel.key_refused`: it does not
   */
  async enqueue(enrollmentId: string, plist: Uint8Array): Promise<NanoMdmEnqueued> {
    if (!ONE_ID.test(enrollmentId)) return { kind: 'refused', failureCode: 'channel.command_refused' };
    const path = `v1/enqueue/${encodeURIComponent(enrollmentId)}?nopush=1`;
    const result = await this.#call('PUT', path, plist);
    const error = result.command_error ?? result.status?.[enrollmentId]?.command_error;
    if (error === undefined) return { kind: 'queued' };
    if (DUPLICATES.some((duplicate) => duplicate.test(error))) return { kind: 'known' };
    return { kind: 'refused', failureCode: 'channel.command_refused' };
  }

  /** Why the enrollment could not be woken; null: it was. @throws CataloguedError `channel.*` */
  async push(enrollmentId: string): Promise<FailureCode | null> {
    if (!ONE_ID.test(enrollmentId)) return 'channel.push_failed';
    const result = await this.#call('GET', `v1/push/${encodeURIComponent(enrollmentId)}`);
    const error = result.push_error ?? result.status?.[enrollmentId]?.push_error;
    if (error === undefined) return null;
    return TOKEN_GONE.test(error) ? 'apns.token_gone' : 'channel.push_failed';
  }

  /** Proves address and key without doing anything: the enrollment does not exist. @throws CataloguedError `channel.*` */
  async prove(): Promise<void> {
    await this.#call('GET', 'v1/push/odette-proves-the-api-key');
  }

  async #call(method: 'GET' | 'PUT', path: string, body?: Uint8Array): Promise<Result> {
    const url = `${this.#base}/${path}`;
    if (!isHostAllowed(this.#allowedHosts, url)) throw new CataloguedError('channel.host_not_allowed');
    const { status, text } = await this.#exchange(url, method, body);
    if (status === 401) throw new CataloguedError('channel.key_refused');
    const read = [200, 207, 500].includes(status) ? ApiResult.safeParse(jsonOf(text)) : undefined;
    if (!read?.success) throw new CataloguedError('channel.unexpected_response', { facts: { status } });
    return read.data;
  }

  async #exchange(
    url: string,
    method: 'GET' | 'PUT',
    body: Uint8Array | undefined,
  ): Promise<{ status: number; text: string }> {
    try {
      // A host of the operator's own: never through the proxy that leads outward.
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { authorization: this.#authorization },
        ...(body && { body: Buffer.from(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no response';
      throw new CataloguedError('channel.unreachable', { facts: { reason } });
    }
  }
}
