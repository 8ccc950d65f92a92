// How long to wait for a device, how often to push it meanwhile (soon at first, then with growing patience), how often to try.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
const FIRST_INTERVALS_MS = [10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS];

/** The n-th interval (from 0) in milliseconds, at most `maxMs`. */
export function intervalMs(index: number, maxMs = 24 * HOUR_MS): number {
  return Math.min(FIRST_INTERVALS_MS[index] ?? maxMs, maxMs);
}

/** A user who is logged in responds within seconds; nobody knows when one who is not comes back. */
export const USER_PATIENCE_MS = 10 * MINUTE_MS;

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

/** After the n-th try (from 1) of a change that the device refused, or does not show. */
const RETRIES_MS = [15 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS];
const JITTER = 0.2;

/** @param random from 0 to 1: devices that failed together do not come back together */
export const retryDelayMs = (tries: number, random: number): number =>
  withJitter(RETRIES_MS[Math.min(tries, RETRIES_MS.length) - 1] ?? MINUTE_MS, random);

const withJitter = (milliseconds: number, random: number): number =>
  Math.round(milliseconds * (1 - JITTER + 2 * JITTER * random));

/** How long a challenge may wait for its device: it lives about an hour. */
export const CHALLENGE_LIFE_MS = 50 * MINUTE_MS;

/** The n-th look (from 0) at an app that is being installed: 5 s, doubling, at most a day. */
export const appCheckDelayMs = (index: number): number => Math.min(5 * SECOND_MS * 2 ** index, 24 * HOUR_MS);

/** Back-off after the n-th failure (from 1) of a certificate delivery. `needsPerson`: nothing changes until somebody acts. */
export function deliveryBackOffMs(failures: number, needsPerson: boolean, random: number): number {
  const steps = needsPerson
    ? [15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS]
    : [30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS];
  return withJitter(steps[Math.min(failures, steps.length) - 1] ?? MINUTE_MS, random);
}

/** Between two looks at Apps and Books: an association takes seconds; licenses that ran out take as long as a purchase. */
export const licenseDelayMs = (look: number, noneLeft: boolean): number =>
  noneLeft
    ? Math.min(5 * MINUTE_MS * 2 ** look, 6 * HOUR_MS)
    : Math.min(2 * SECOND_MS * 2 ** look, 10 * MINUTE_MS);
