import { expect, it } from 'vitest';
import { lateAfterMs, lateSyncText } from './okta-sync.ts';

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
      '120 devices shown as managed may no longer be, and get no new certificate; 7 that wait for a sign-in do not become trusted.',
  );
  expect(lateSyncText({ ...late, sweptAt: null, cause: null })).toContain(
    'look at Temporal and its schedules',
  );
});
