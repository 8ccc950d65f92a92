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
      wave: 0,
      waveBegun: 0,
      waveEnded: 0,
      ...changes,
    },
    NOW,
  );

test('nothing is taken before the delay is over', () => {
  expect(step({ status: 'waiting', startsAt: new Date(NOW + 90_000) })).toEqual({ do: 'wait', ms: 90_000 });
  expect(step({ status: 'waiting' })).toEqual({ do: 'take', devices: 5 });
});

test('waves grow fourfold from a canary, as those of every change', () => {
  const sizes: number[] = [];
  for (let [taken, wave] = [0, 0]; taken < 1000; wave += 1) {
    const of = sizes.at(-1) ?? 0;
    const next = step({ taken, done: taken, wave, waveBegun: of, waveEnded: of, portionAt: ago(1) });
    if (next.do !== 'take') throw new Error(next.do);
    sizes.push(next.devices);
    taken += next.devices;
  }
  expect(sizes).toEqual([5, 20, 80, 320, 1280]);
});

test('a wave is waited for, but not for ever: devices that sleep hold up nobody', () => {
  const second = { taken: 25, wave: 2, waveBegun: 20 };
  const slow = { ...second, done: 24, pending: 1, waveEnded: 19 };
  expect(step({ ...slow, portionAt: ago(5) })).toMatchObject({ do: 'wait' });
  expect(step({ ...slow, portionAt: ago(15) })).toEqual({ do: 'take', devices: 80 });
  expect(step({ ...second, done: 24, silent: 1, waveEnded: 20, portionAt: ago(1) })).toEqual({
    do: 'take',
    devices: 80,
  });
});

test('failures stop it, one of the canary at once; those that a person accepted do not stop it again', () => {
  const first = { taken: 5, done: 4, failed: 1, wave: 1, waveBegun: 5, waveEnded: 5, portionAt: ago(1) };
  expect(step(first)).toEqual({ do: 'halt', halt: { reason: 'canary_failed', devices: 1, of: 5 } });
  expect(step({ ...first, accepted: 1 })).toEqual({ do: 'take', devices: 20 });
  const later = { taken: 25, wave: 2, waveBegun: 20, waveEnded: 20, portionAt: ago(1) };
  expect(step({ ...later, done: 22, failed: 3 })).toMatchObject({
    do: 'halt',
    halt: { reason: 'many_failed' },
  });
  expect(step({ ...later, done: 23, failed: 2 })).toEqual({ do: 'take', devices: 80 });
});

test('it ends when every reached device is done, or a day after the last portion', () => {
  expect(step({ left: 0, taken: 8, done: 7, silent: 1 })).toEqual({ do: 'finish' });
  expect(step({ left: 0, taken: 8, done: 7, pending: 1, portionAt: ago(60) })).toMatchObject({ do: 'wait' });
  expect(step({ left: 0, taken: 8, done: 7, pending: 1, portionAt: ago(24 * 60) })).toEqual({ do: 'finish' });
  expect(step({ left: 0 })).toEqual({ do: 'finish' });
});

test('at once: no wave waits for the one before', () => {
  const under = { wave: 1, waveBegun: 200, waveEnded: 0, portionAt: ago(0) };
  expect(step({ isAtOnce: true, taken: 200, pending: 200, ...under })).toEqual({ do: 'take', devices: 200 });
});

test.each([
  ['waiting', 'undo', 'undone'],
  ['removing', 'stop', 'stopped'],
  ['stopped', 'resume', 'removing'],
  ['stopped', 'undo', 'undone'],
  ['stopped', 'stop', undefined],
  ['removing', 'resume', undefined],
  ['finished', 'undo', undefined],
  ['undone', 'all_at_once', undefined],
] as const)('%s and %s make %s', (status, action, after) => {
  expect(statusAfter(status, action)).toBe(after);
});
