import { describe, expect, it, test } from 'vitest';
import {
  changedSince,
  lateAfterMs,
  lateSyncText,
  MAX_LISTED_EACH_TIME,
  type SweepPast,
} from './okta-sync.ts';

it.each([
  [1, 60],
  [15, 60],
  [60, 240],
])('sweeps every %i minutes are late after %i', (every, late) => {
  expect(lateAfterMs(every)).toBe(late * 60_000);
});

it('says since when, why, and whom it endangers', () => {
  const late = { name: 'acme', sweptAt: new Date('2027-01-02T03:04:05Z'), managed: 120, waiting: 7 };
  expect(lateSyncText({ ...late, cause: 'Okta sent an unexpected response.' })).toBe(
    'acme: Odette last read all devices at 2027-01-02T03:04:05.000Z in Okta. Okta sent an unexpected response. ' +
      '120 devices that Odette shows as managed may no longer be managed and will get no new certificate; 7 devices that are waiting for a sign-in cannot become trusted.',
  );
  expect(lateSyncText({ ...late, sweptAt: null, cause: null })).toContain('check Temporal and its schedules');
});

describe('what a sweep lists', () => {
  const now = Date.parse('2027-01-02T12:00:00Z');
  const ago = (hours: number): Date => new Date(now - hours * 3_600_000);
  const large = MAX_LISTED_EACH_TIME + 1;
  test.each<[string, SweepPast, Date | null]>([
    ['nothing was read yet', { sweptAt: null, wholeAt: null, records: 0 }, null],
    ['a small tenant', { sweptAt: ago(0.25), wholeAt: ago(0.25), records: MAX_LISTED_EACH_TIME }, null],
    ['a large one: changes', { sweptAt: ago(0.25), wholeAt: ago(23), records: large }, ago(1.25)],
    [
      'a large one after an outage: all changes since',
      { sweptAt: ago(9), wholeAt: ago(20), records: large },
      ago(10),
    ],
    ['a large one once a day', { sweptAt: ago(0.25), wholeAt: ago(24), records: large }, null],
  ])('%s', (_what, past, expected) => {
    expect(changedSince(past, now)).toEqual(expected);
  });
});
