import { expect, test } from 'vitest';
import { FAILURES, remedyOfRequest, type FailureCode } from './failures.ts';

const codes = Object.keys(FAILURES) as FailureCode[];

test('nobody whose request ended is told that Odette retries it', () => {
  const passing = codes.filter((code) => FAILURES[code].owner === 'nobody');
  expect(passing.filter((code) => remedyOfRequest(code).includes('Odette retries'))).toEqual([]);
  expect(remedyOfRequest('okta.unreachable')).toBe(
    'Try again in a moment. If this persists, check DNS, the proxy and status.okta.com.',
  );
});

test('how long the other side asked to wait is said', () => {
  expect(remedyOfRequest('okta.rate_limited', 41_200)).toBe('Try again in 42 seconds.');
});

test('a retry is promised only of what Odette retries', () => {
  const promised = codes.filter((code) => FAILURES[code].remedy.includes('Odette retries automatically'));
  expect(promised.filter((code) => !FAILURES[code].isRetried)).toEqual([]);
  expect(promised.length).toBeGreaterThan(5);
});
