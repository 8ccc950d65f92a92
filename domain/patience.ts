// How long to wait for a device, how often to push it meanwhile (soon at first, then with growing patience), how often to try.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const FIRST_INTERVALS_MS = [10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS];

/** The n-th interval (from 0) in milliseconds, at most `maxMs`. */
export function intervalMs(index: number, maxMs = 24 * HOUR_MS): number {
  return Math.min(FIRST_INTERVALS_MS[index] ?? maxMs, maxMs);
}

/** Intervals that together last `totalMs`. */
export function intervalsWithin(totalMs: number): number[] {
  const intervals: number[] = [];
  for (let left = totalMs, index = 0; left > 0; index += 1) {
    const next = Math.min(intervalMs(index), left);
    intervals.push(next);
    left -= next;
  }
  return intervals;
}

/** A rollout carries one change out so often before it gives up. */
export const MAX_TRIES = 3;

/** How long a challenge may wait for its device: it lives about an hour. */
export const CHALLENGE_LIFE_MS = 50 * MINUTE_MS;

/** The n-th look (from 0) at an app that is being installed: 5 s, doubling, at most a day. */
export const appCheckDelayMs = (index: number): number => Math.min(5 * SECOND_MS * 2 ** index, 24 * HOUR_MS);

/** Back-off after the n-th failure (from 1) of a certificate delivery. `needsPerson`: nothing changes until somebody acts. */
export function deliveryBackOffMs(failures: number, needsPerson: boolean): number {
  const steps = needsPerson
    ? [15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS]
    : [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS];
  return steps[Math.min(failures, steps.length) - 1] ?? MINUTE_MS;
}

/** Between two looks at Apps and Books: an association takes seconds; licenses that ran out take as long as a purchase. */
export const licenseDelayMs = (look: number, noneLeft: boolean): number =>
  noneLeft
    ? Math.min(5 * MINUTE_MS * 2 ** look, 6 * HOUR_MS)
    : Math.min(2 * SECOND_MS * 2 ** look, 10 * MINUTE_MS);
