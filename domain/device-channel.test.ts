import { expect, test } from 'vitest';
import { isResponseOverdue } from './device-channel.ts';

const MINUTE_MS = 60_000;
const at = (handOvers: number, offeredAtMs: number | null) => ({
  handedOverAtMs: 0,
  handOvers,
  offeredAtMs,
});

test('a device whose turn it was had time to answer, at growing intervals', () => {
  expect(isResponseOverdue(at(1, 1_000), 30_000)).toBe(false);
  expect(isResponseOverdue(at(1, 1_000), 46_000)).toBe(true);
  expect(isResponseOverdue(at(1, 10 * MINUTE_MS), 10 * MINUTE_MS + 1_000)).toBe(false);
  expect(isResponseOverdue(at(2, 0), 60_000)).toBe(false);
  expect(isResponseOverdue(at(2, 0), 90_000)).toBe(true);
  expect(isResponseOverdue(at(40, 0), 24 * 60 * MINUTE_MS)).toBe(true);
});

test('a device that is not in contact is asked again at growing intervals, at least once a day', () => {
  expect(isResponseOverdue(at(1, null), 29 * MINUTE_MS)).toBe(false);
  expect(isResponseOverdue(at(1, null), 30 * MINUTE_MS)).toBe(true);
  expect(isResponseOverdue(at(3, null), 119 * MINUTE_MS)).toBe(false);
  expect(isResponseOverdue(at(3, null), 120 * MINUTE_MS)).toBe(true);
  expect(isResponseOverdue(at(40, null), 24 * 60 * MINUTE_MS)).toBe(true);
});
