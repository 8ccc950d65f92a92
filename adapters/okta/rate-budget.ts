// What Okta's rate-limit headers leave to one integration, and how long to wait when nothing is left.
import { randomInt } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import type { HttpResponse } from './guarded-http.ts';

/** A suggestion beyond this is not followed when the limit is one of concurrency (limit 0). Milliseconds. */
const CONCURRENCY_CAP_MS = 60_000;
const DEFAULT_WAIT_MS = 60_000;
/** No wait is longer: a header from a broken clock must not stop an integration for good. */
const MAX_WAIT_MS = 15 * 60_000;
/** This part of every bucket is left to others who use the same tenant. */
const LEFT_TO_OTHERS = 0.1;

interface Window {
  readonly until: number; // performance.now() of this process
}

const number = (value: string | string[] | undefined): number | undefined => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  return Number.isFinite(read) ? read : undefined;
};

/** Milliseconds until X-Rate-Limit-Reset (epoch seconds), by the server's own clock (Date), plus one second. */
function untilReset({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const reset = number(headers['x-rate-limit-reset']);
  const serverNow = Date.parse(headers.date ?? '');
  if (reset === undefined || Number.isNaN(serverNow)) return undefined;
  return Math.min(MAX_WAIT_MS, Math.max(1_000, reset * 1_000 - serverNow + 1_000));
}

/**
 * How long a 429 asks to wait, in milliseconds. A limit of concurrency carries Limit 0 and a Reset that is only a suggestion;
 * beyond a minute it is ignored for a short random wait.
 */
export function waitOf(response: Pick<HttpResponse, 'headers'>): number {
  const wait = untilReset(response);
  if (number(response.headers['x-rate-limit-limit']) === 0) {
    return wait !== undefined && wait <= CONCURRENCY_CAP_MS ? wait : randomInt(2_000, 10_000);
  }
  const retryAfter = number(response.headers['retry-after']);
  if (retryAfter !== undefined) return Math.min(MAX_WAIT_MS, Math.max(1_000, retryAfter * 1_000));
  return wait ?? DEFAULT_WAIT_MS;
}

/** One for each integration; share it between the clients of that integration. */
export class RateBudget {
  readonly #closed = new Map<string, Window>();

  /** @throws CataloguedError `okta.rate_limited` while the bucket is used up: nothing is sent then */
  admit(bucket: string): void {
    const left = (this.#closed.get(bucket)?.until ?? 0) - performance.now();
    if (left > 0)
      throw new CataloguedError('okta.rate_limited', { retryAfterMs: Math.ceil(left), facts: { bucket } });
    this.#closed.delete(bucket);
  }

  /** @throws CataloguedError `okta.rate_limited` for a 429 */
  note(bucket: string, response: HttpResponse): void {
    if (response.status === 429) {
      const wait = waitOf(response);
      this.#close(bucket, wait);
      throw new CataloguedError('okta.rate_limited', { retryAfterMs: wait, facts: { bucket } });
    }
    const limit = number(response.headers['x-rate-limit-limit']);
    const remaining = number(response.headers['x-rate-limit-remaining']);
    if (limit === undefined || remaining === undefined || limit === 0) return;
    if (remaining <= Math.floor(limit * LEFT_TO_OTHERS)) this.#close(bucket, untilReset(response) ?? 1_000);
  }

  #close(bucket: string, wait: number): void {
    this.#closed.set(bucket, { until: performance.now() + wait });
  }
}
