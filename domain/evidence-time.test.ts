// Evidence carries the time of who gave it.
import { expect, test } from 'vitest';
import { evidenceTime, type SeenTimes } from './evidence-time.ts';
import { TRUTHS } from './trust.ts';

const hour = (hours: number) => new Date(Date.UTC(2026, 10, 29, hours));
const seen: SeenTimes = { profiles: hour(1), certificates: hour(2), applications: hour(3), okta: hour(4) };

test('each truth has the time of its own list, and Okta only what Okta says', () => {
  expect(TRUTHS.map((truth) => evidenceTime(truth, 'held', seen))).toEqual([
    { source: 'device', at: hour(1) },
    { source: 'device', at: hour(2) },
    { source: 'device', at: hour(3) },
    { source: 'okta', at: hour(4) },
    { source: 'okta', at: hour(4) },
  ]);
});

test('what does not apply or was never said has neither source nor time', () => {
  const none = { source: null, at: null };
  expect(evidenceTime('certificatePresent', 'not_applicable', seen)).toEqual(none);
  expect(evidenceTime('managed', 'unknown', { ...seen, okta: null })).toEqual(none);
});
