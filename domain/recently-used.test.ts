import { expect, test } from 'vitest';
import { RecentlyUsed } from './recently-used.ts';

test('beyond its number the one goes that was used longest ago, by being read too', () => {
  const recent = new RecentlyUsed<number>(2);
  recent.set('first', 1);
  recent.set('second', 2);
  expect(recent.get('first')).toBe(1);
  recent.set('third', 3);
  expect(['first', 'second', 'third'].map((key) => recent.get(key))).toEqual([1, undefined, 3]);
  recent.delete('first');
  expect(recent.get('first')).toBeUndefined();
});
