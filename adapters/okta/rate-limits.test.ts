// Waiting times by Okta's headers and Okta's clock.
import { describe, expect, it } from 'vitest';
import type { HttpResponse } from './guarded-http.ts';
import { quotaOf, waitOf } from './rate-limits.ts';

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

describe('what is left', () => {
  it('is read with the time of its reset, by the clock of the server', () => {
    expect(quotaOf(response(200, limits(600, 590, 42)))).toEqual({
      limit: 600,
      remaining: 590,
      resetsInMs: 43_000,
    });
  });

  it('is unknown without headers, and where the limit is one of concurrency', () => {
    expect([quotaOf(response(200, {})), quotaOf(response(429, limits(0, 0, 30)))]).toEqual([null, null]);
  });
});
