import { expect, test } from 'vitest';
import { MAX_APP_CHECKS } from './app-plan.ts';
import { appCheckDelayMs, deliveryBackOffMs, intervalMs, intervalsWithin } from './patience.ts';

const HOUR = 60 * 60 * 1000;

test('a device is pushed after 10 s, a minute, 5 and 30 minutes, 2 hours, then daily', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((index) => intervalMs(index) / 1000)).toEqual([
    10, 60, 300, 1800, 7200, 86_400, 86_400,
  ]);
});

test('the intervals of a patience last exactly as long as it', () => {
  const sum = (hours: number) => intervalsWithin(hours * HOUR).reduce((total, each) => total + each, 0);
  expect(sum(14 * 24)).toBe(14 * 24 * HOUR);
  expect(sum(0.001)).toBe(3600);
  expect(intervalsWithin(0)).toEqual([]);
});

test('the looks at an app being installed last about a week', () => {
  const total = Array.from({ length: MAX_APP_CHECKS }, (_, index) => appCheckDelayMs(index)).reduce(
    (sum, each) => sum + each,
  );
  expect(total / (24 * HOUR)).toBeGreaterThan(3);
  expect(total / (24 * HOUR)).toBeLessThan(10);
});

test('a failed delivery backs off, longer where a person must act', () => {
  expect([1, 2, 3, 4, 9].map((failures) => deliveryBackOffMs(failures, false) / 60_000)).toEqual([
    1, 5, 15, 60, 60,
  ]);
  expect([1, 2, 3, 9].map((failures) => deliveryBackOffMs(failures, true) / HOUR)).toEqual([0.25, 1, 6, 6]);
});
