// What a sweep of Okta's records reads, and whether what is shown of them is too old: no sweep has succeeded for some time.
import { plural } from './plural.ts';

const MINUTE_MS = 60_000;
/** Sweeps that may fail in a row: Okta's own short outages pass. */
const MISSED_SWEEPS = 4;
const MIN_LATE_MINUTES = 60;

/** Milliseconds without a whole sweep after which somebody should know. */
export const lateAfterMs = (trustSweepMinutes: number): number =>
  Math.max(MIN_LATE_MINUTES, MISSED_SWEEPS * trustSweepMinutes) * MINUTE_MS;

export interface LateSync {
  readonly name: string;
  /** When the last whole sweep began; null: there was none. */
  readonly sweptAt: Date | null;
  /** Why the last attempt failed, one sentence; null: none was made. */
  readonly cause: string | null;
  /** Devices that are shown as managed. */
  readonly managed: number;
  /** Devices whose user is to sign in. */
  readonly waiting: number;
}

/** What stopped, and whom it endangers. */
export function lateSyncText({ name, sweptAt, cause, managed, waiting }: LateSync): string {
  const asOf =
    sweptAt === null ? 'has never read all devices' : `last read all devices at ${sweptAt.toISOString()}`;
  return [
    `${name}: Odette ${asOf} in Okta.`,
    ...(cause === null ? ['Odette has made no attempt since: check Temporal and its schedules.'] : [cause]),
    `${plural(managed, 'device')} that Odette shows as managed may no longer be managed and will get no new certificate; ` +
      `${plural(waiting, 'device that is', 'devices that are')} waiting for a sign-in cannot become trusted.`,
  ].join(' ');
}

const DAY_MS = 24 * 60 * MINUTE_MS;
/** Up to so many records, 25 pages, every sweep lists all of them. */
export const MAX_LISTED_EACH_TIME = 5_000;
/** Okta's search is behind at times, and shows old words of a record that it finds: a change is looked at by several sweeps. */
const OVERLAP_MS = 60 * MINUTE_MS;

export interface SweepPast {
  /** When the last sweep began that reached its end, and the last that listed all records. */
  readonly sweptAt: Date | null;
  readonly wholeAt: Date | null;
  /** Records that are kept. */
  readonly records: number;
}

/** Only what changed since then is listed; null: everything. A large tenant is listed whole once a day. */
export function changedSince({ sweptAt, wholeAt, records }: SweepPast, nowMs: number): Date | null {
  if (sweptAt === null || wholeAt === null || records <= MAX_LISTED_EACH_TIME) return null;
  return nowMs - wholeAt.getTime() >= DAY_MS ? null : new Date(sweptAt.getTime() - OVERLAP_MS);
}
