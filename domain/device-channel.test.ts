import { expect, test } from 'vitest';
import { isAnswerOverdue } from './device-channel.ts';

const MINUTE_MS = 60_000;
const at = (handOvers: number, lastContactAtMs: number) => ({
  handedOverAtMs: 0,
  handOvers,
  lastContactAtMs,
});

test('a device that called since then had time to answer', () => {
  expect(isAnswerOverdue(at(1, 1_000), 30_000)).toBe(false);
  expect(isAnswerOverdue(at(1, 1_000), MINUTE_MS)).toBe(true);
  // It calls all the time: the time counts from its last word.
  expect(isAnswerOverdue(at(1, 10 * MINUTE_MS), 10 * MINUTE_MS + 1_000)).toBe(false);
});

test('a device that is not heard of is asked again at growing intervals, at least once a day', () => {
  expect(isAnswerOverdue(at(1, 0), 29 * MINUTE_MS)).toBe(false);
  expect(isAnswerOverdue(at(1, 0), 30 * MINUTE_MS)).toBe(true);
  expect(isAnswerOverdue(at(3, -5), 119 * MINUTE_MS)).toBe(false);
  expect(isAnswerOverdue(at(3, -5), 120 * MINUTE_MS)).toBe(true);
  expect(isAnswerOverdue(at(40, 0), 24 * 60 * MINUTE_MS)).toBe(true);
});
