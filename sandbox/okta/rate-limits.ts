// Rate limits of a pretend tenant: a bucket a resource and minute, told in X-Rate-Limit headers by the tenant's own clock.
import { refuse } from './refusals.ts';
import type { Tenant, TenantResponse } from './tenant.ts';

const MINUTE_MS = 60_000;

export class RateLimits {
  readonly #tenant: Tenant;
  readonly #buckets = new Map<string, { minute: number; used: number }>();

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  /** Counts one request; `refusal` is set when the bucket was empty. */
  spend(path: string): { headers: Record<string, string>; refusal?: TenantResponse } {
    const isToken = path.startsWith('/oauth2/');
    const { apiPerMinute, tokensPerMinute } = this.#tenant.state.knobs.rateLimits;
    const limit = isToken ? tokensPerMinute : apiPerMinute;
    const name = isToken ? 'oauth2' : path.split('/').slice(1, 4).join('/');
    const minute = Math.floor(this.#tenant.now() / MINUTE_MS);
    const known = this.#buckets.get(name);
    const bucket = known?.minute === minute ? known : { minute, used: 0 };
    bucket.used += 1;
    this.#buckets.set(name, bucket);
    const reset = ((minute + 1) * MINUTE_MS) / 1_000;
    const headers = {
      'x-rate-limit-limit': String(limit),
      'x-rate-limit-remaining': String(Math.max(0, limit - bucket.used)),
      'x-rate-limit-reset': String(reset),
    };
    return bucket.used > limit ? { headers, refusal: refuse('E0000047', headers) } : { headers };
  }

  /** Too many at once: limit and remaining are 0, and the reset is only a suggestion, here an hour away. */
  tooManyAtOnce(): TenantResponse {
    const reset = Math.floor(this.#tenant.now() / 1_000) + 3600;
    return refuse('E0000047', {
      'x-rate-limit-limit': '0',
      'x-rate-limit-remaining': '0',
      'x-rate-limit-reset': String(reset),
    });
  }

  /** An empty bucket, as ordered by a knob. @param resetSeconds absent: at the end of the minute */
  tooManyAMinute(resetSeconds?: number): TenantResponse {
    const limit = String(this.#tenant.state.knobs.rateLimits.apiPerMinute);
    const now = this.#tenant.now();
    const reset = String(
      resetSeconds === undefined
        ? (Math.floor(now / MINUTE_MS) + 1) * 60
        : Math.floor(now / 1_000) + resetSeconds,
    );
    return refuse('E0000047', {
      'x-rate-limit-limit': limit,
      'x-rate-limit-remaining': '0',
      'x-rate-limit-reset': reset,
    });
  }
}
