// Waiting times by Okta's headers and Okta's clock.
import { describe, expect, it } from 'vitest';
import type { CataloguedError } from '../../domain/failures.ts';
import type { HttpResponse } from './guarded-http.ts';
import { RateBudget, waitOf } from './rate-budget.ts';

const DATE = 'Wed, 25 Nov 2026 10:00:00 GMT';
const epoch = Date.parse(DATE) / 1_000;
const response = (status: number, headers: Record<string, string>): HttpResponse => ({
  status,
  headers: { date: DATE, ...headers },
  body: Buffer.alloc(0),
});
const limits = (limit: number, remaining: number, resetIn: number): Record<string, string> => ({
  'x-rate-limit-limit': String(limit),
  'x-rate-limit-remaining': String(remaining),
  'x-rate-limit-reset': String(epoch + resetIn),
});
const waitOfRefusal = (work: () => void): number | undefined => {
  try {
    work();
  } catch (error) {
    expect((error as CataloguedError).code).toBe('okta.rate_limited');
    return (error as CataloguedError).retryAfterMs;
  }
  return undefined;
};

describe('a 429', () => {
  it('asks to wait until the reset by the clock of the server, and a second more', () => {
    expect(waitOf(response(429, limits(600, 0, 42)))).toBe(43_000);
  });

  it('of concurrency follows a near reset and ignores one beyond a minute', () => {
    expect(waitOf(response(429, limits(0, 0, 30)))).toBe(31_000);
    const wait = waitOf(response(429, limits(0, 0, 3600)));
    expect(wait).toBeGreaterThanOrEqual(2_000);
    expect(wait).toBeLessThan(10_000);
  });

  it('without rate-limit headers follows Retry-After, else waits a minute', () => {
    expect(waitOf(response(429, { 'retry-after': '7' }))).toBe(7_000);
    expect(waitOf(response(429, {}))).toBe(60_000);
  });
});

describe('the budget', () => {
  it('closes the bucket after a 429, and no other bucket', () => {
    const budget = new RateBudget();
    expect(waitOfRefusal(() => budget.note('devices', response(429, limits(600, 0, 10))))).toBe(11_000);
    expect(waitOfRefusal(() => budget.admit('devices'))).toBeGreaterThan(10_000);
    expect(waitOfRefusal(() => budget.admit('authenticators'))).toBeUndefined();
  });

  it('leaves the last tenth of a bucket to others', () => {
    const budget = new RateBudget();
    budget.note('devices', response(200, limits(100, 11, 20)));
    expect(waitOfRefusal(() => budget.admit('devices'))).toBeUndefined();
    budget.note('devices', response(200, limits(100, 10, 20)));
    expect(waitOfRefusal(() => budget.admit('devices'))).toBeGreaterThan(20_000);
  });
});
