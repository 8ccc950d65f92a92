// How long a notification that could not be delivered waits for its next attempt, and when Odette gives it up.
const MINUTE_MS = 60_000;
const WAITS_MS = [5_000, 30_000, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS];
const GIVEN_UP_AFTER_MS = 24 * 60 * MINUTE_MS;
/** What a receiver may ask for. */
const MAX_ASKED_MS = 60 * MINUTE_MS;

/** @param attempts how many failed  @param askedMs `Retry-After`  @returns milliseconds; null: give it up */
export function nextAttemptIn(attempts: number, createdAt: Date, now: Date, askedMs?: number): number | null {
  const scheduled = WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1] ?? 0;
  const wait = Math.max(scheduled, Math.min(askedMs ?? 0, MAX_ASKED_MS));
  return now.getTime() + wait - createdAt.getTime() > GIVEN_UP_AFTER_MS ? null : wait;
}
