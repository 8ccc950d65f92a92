// What Okta's rate-limit headers say: what is left, and how long a 429 asks to wait.
import { randomInt } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import type { ToldQuota } from '../../domain/okta-budget.ts';
import type { HttpResponse } from './guarded-http.ts';

/** A suggestion beyond this is not followed when the limit is one of concurrency (limit 0). Milliseconds. */
const CONCURRENCY_CAP_MS = 60_000;
const DEFAULT_WAIT_MS = 60_000;
/** No wait is longer: a header from a broken clock must not stop an integration for good. */
const MAX_WAIT_MS = 15 * 60_000;

type WithHeaders = Pick<HttpResponse, 'headers'>;

const number = (value: string | string[] | undefined): number | undefined => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  return Number.isFinite(read) ? read : undefined;
};

/** Milliseconds until X-Rate-Limit-Reset (epoch seconds), by the server's own clock (Date), plus one second. */
function untilReset({ headers }: WithHeaders): number | undefined {
  const reset = number(headers['x-rate-limit-reset']);
  const serverNow = Date.parse(headers.date ?? '');
  if (reset === undefined || Number.isNaN(serverNow)) return undefined;
  return Math.min(MAX_WAIT_MS, Math.max(1_000, reset * 1_000 - serverNow + 1_000));
}

/** How long a 429 says it should be waited, in milliseconds; undefined: it does not say. */
export function toldWait(response: WithHeaders): number | undefined {
  const retryAfter = number(response.headers['retry-after']);
  if (retryAfter !== undefined) return Math.min(MAX_WAIT_MS, Math.max(1_000, retryAfter * 1_000));
  return untilReset(response);
}

/**
 * How long a 429 asks to wait, in milliseconds. A limit of concurrency carries Limit 0 and a Reset that is only a suggestion;
 * beyond a minute it is ignored for a short random wait.
 */
export function waitOf(response: WithHeaders): number {
  if (number(response.headers['x-rate-limit-limit']) === 0) {
    const wait = untilReset(response);
    return wait !== undefined && wait <= CONCURRENCY_CAP_MS ? wait : randomInt(2_000, 10_000);
  }
  return toldWait(response) ?? DEFAULT_WAIT_MS;
}

/** @throws CataloguedError `okta.rate_limited` for a 429 */
export function assertNotLimited(response: HttpResponse): HttpResponse {
  if (response.status === 429)
    throw new CataloguedError('okta.rate_limited', {
      retryAfterMs: waitOf(response),
      facts: { status: 429 },
    });
  return response;
}

/** What is left by the headers of a response; null: they do not say. */
export function quotaOf(response: WithHeaders): ToldQuota | null {
  const limit = number(response.headers['x-rate-limit-limit']);
  const remaining = number(response.headers['x-rate-limit-remaining']);
  if (limit === undefined || remaining === undefined || limit === 0) return null;
  return { limit, remaining, resetsInMs: untilReset(response) ?? 1_000 };
}
