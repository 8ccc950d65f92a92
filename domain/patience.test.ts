import { expect, test } from 'vitest';
import { MAX_APP_CHECKS } from './app-plan.ts';
import { appCheckDelayMs, deliveryBackOffMs, intervalMs, intervalsWithin, retryDelayMs } from './patience.ts';

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
  const minutes = (failures: number, needsPerson: boolean) =>
    deliveryBackOffMs(failures, needsPerson, 0.5) / 60_000;
  expect([1, 2, 3, 4, 5, 9].map((failures) => minutes(failures, false))).toEqual([0.5, 1, 5, 15, 60, 60]);
  expect([1, 2, 3, 9].map((failures) => minutes(failures, true))).toEqual([15, 60, 360, 360]);
});

test('a change that fails is tried again over hours, and a fleet is spread over the time around each retry', () => {
  const seconds = (tries: number, random: number) => retryDelayMs(tries, random) / 1000;
  expect([1, 2, 3, 4, 5, 6, 9].map((tries) => seconds(tries, 0.5))).toEqual([
    15, 60, 300, 1800, 7200, 21_600, 21_600,
  ]);
  expect([seconds(2, 0), seconds(2, 1)]).toEqual([48, 72]);
});
