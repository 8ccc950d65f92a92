import { expect, test } from 'vitest';
import { planRemovalStep, statusAfter, type RemovalProgress } from './platform-removal.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const ago = (minutes: number) => new Date(NOW - minutes * 60_000);
const step = (changes: Partial<RemovalProgress>) =>
  planRemovalStep(
    {
      status: 'removing',
      startsAt: ago(60),
      isAtOnce: false,
      portionAt: null,
      left: 1000,
      taken: 0,
      done: 0,
      failed: 0,
      silent: 0,
      pending: 0,
      accepted: 0,
      ...changes,
    },
    NOW,
  );

test('nothing is taken before the delay is over', () => {
  expect(step({ status: 'waiting', startsAt: new Date(NOW + 90_000) })).toEqual({ do: 'wait', ms: 90_000 });
  expect(step({ status: 'waiting' })).toEqual({ do: 'take', devices: 1 });
});

test('portions grow from one device, doubled each time, to five hundred', () => {
  const sizes: number[] = [];
  for (let taken = 0; taken < 3000;) {
    const next = step({ taken, done: taken });
    if (next.do !== 'take') throw new Error(next.do);
    sizes.push(next.devices);
    taken += next.devices;
  }
  expect(sizes.slice(0, 6)).toEqual([1, 1, 2, 4, 8, 16]);
  expect(Math.max(...sizes)).toBe(500);
});

test('a portion is waited for, but not for ever: a device that sleeps holds up nobody', () => {
  expect(step({ taken: 8, done: 7, pending: 1, portionAt: ago(5) })).toMatchObject({ do: 'wait' });
  expect(step({ taken: 8, done: 7, pending: 1, portionAt: ago(15) })).toEqual({ do: 'take', devices: 8 });
  expect(step({ taken: 8, done: 7, silent: 1, portionAt: ago(5) })).toEqual({ do: 'take', devices: 8 });
});

test('failures stop it; those that a person accepted do not stop it again', () => {
  expect(step({ taken: 8, done: 4, failed: 4 })).toEqual({ do: 'halt' });
  expect(step({ taken: 8, done: 5, failed: 3 })).toMatchObject({ do: 'take' });
  expect(step({ taken: 8, done: 4, failed: 4, accepted: 4 })).toMatchObject({ do: 'take' });
  expect(step({ taken: 100, done: 91, failed: 9 })).toMatchObject({ do: 'take' });
});

test('it ends when every reached device is done, or a day after the last portion', () => {
  expect(step({ left: 0, taken: 8, done: 7, silent: 1 })).toEqual({ do: 'finish' });
  expect(step({ left: 0, taken: 8, done: 7, pending: 1, portionAt: ago(60) })).toMatchObject({ do: 'wait' });
  expect(step({ left: 0, taken: 8, done: 7, pending: 1, portionAt: ago(24 * 60) })).toEqual({ do: 'finish' });
  expect(step({ left: 0 })).toEqual({ do: 'finish' });
});

test('at once: no portion waits for the one before', () => {
  expect(step({ isAtOnce: true, taken: 500, pending: 500, portionAt: ago(0) })).toEqual({
    do: 'take',
    devices: 500,
  });
});

test.each([
  ['waiting', 'undo', 'undone'],
  ['removing', 'stop', 'stopped'],
  ['stopped', 'resume', 'removing'],
  ['stopped', 'undo', 'undone'],
  ['stopped', 'stop', undefined],
  ['removing', 'resume', undefined],
  ['finished', 'undo', undefined],
  ['undone', 'at_once', undefined],
] as const)('%s and %s make %s', (status, action, after) => {
  expect(statusAfter(status, action)).toBe(after);
});
