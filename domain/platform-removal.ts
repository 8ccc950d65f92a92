// The removal of a platform or of a whole integration: when it begins, how fast payloads go, when it stops by itself, and when it ends.
import type { Platform } from './device.ts';
import { HOUR_MS } from './patience.ts';

export const REMOVAL_STATUSES = ['waiting', 'removing', 'stopped', 'finished', 'undone'] as const;
export type RemovalStatus = (typeof REMOVAL_STATUSES)[number];
/** What a person may ask of one that has not ended. */
export const REMOVAL_ACTIONS = ['stop', 'resume', 'at_once', 'undo'] as const;
export type RemovalAction = (typeof REMOVAL_ACTIONS)[number];

export interface RemovalProgress {
  readonly status: RemovalStatus;
  /** It can be undone without a trace until then. */
  readonly startsAt: Date;
  /** The growing portions are given up. */
  readonly isAtOnce: boolean;
  /** When the last portion was taken; null: none yet. */
  readonly portionAt: Date | null;
  /** Devices in scope that no portion has taken. */
  readonly left: number;
  /** Devices that a portion took: the next four add up to it. */
  readonly taken: number;
  readonly done: number;
  readonly failed: number;
  /** It has not called since; its payloads go when it does. */
  readonly silent: number;
  readonly pending: number;
  /** Failures that a person has seen and accepted. */
  readonly accepted: number;
}

export type RemovalStep =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'take'; readonly devices: number }
  | { readonly do: 'halt' }
  | { readonly do: 'finish' }
  /** Nothing by itself: a person acts next, or it is over. */
  | { readonly do: 'rest' };

/** The largest portion. */
const MAX_PORTION = 500;
/** A portion that is not done by then no longer holds up the next one. */
const PORTION_MS = 15 * 60_000;
/** Devices that were not reached by then keep their payloads until they call; what the removal ends does not wait for them. */
const LAST_MS = 24 * HOUR_MS;
const LOOK_AGAIN_MS = 10_000;
/** So many failures beyond the accepted ones stop it, or a tenth of what was taken. */
const FAILURES = 3;

export function planRemovalStep(progress: RemovalProgress, nowMs: number): RemovalStep {
  const { status, startsAt, portionAt, left, taken, pending } = progress;
  if (status !== 'waiting' && status !== 'removing') return { do: 'rest' };
  if (status === 'waiting' && nowMs < startsAt.getTime())
    return { do: 'wait', ms: startsAt.getTime() - nowMs };
  const failures = progress.failed - progress.accepted;
  if (failures > Math.max(FAILURES, taken / 10)) return { do: 'halt' };
  const sinceMs = portionAt === null ? Infinity : nowMs - portionAt.getTime();
  if (left > 0) {
    const mayGoOn = progress.isAtOnce || pending === 0 || sinceMs >= PORTION_MS;
    // One device first, then as many as went before.
    const size = progress.isAtOnce ? MAX_PORTION : Math.max(1, taken);
    return mayGoOn ? { do: 'take', devices: Math.min(MAX_PORTION, size) } : { do: 'wait', ms: LOOK_AGAIN_MS };
  }
  return pending === 0 || sinceMs >= LAST_MS ? { do: 'finish' } : { do: 'wait', ms: LOOK_AGAIN_MS };
}

/** undefined: the action does not fit the state. */
export function statusAfter(status: RemovalStatus, action: RemovalAction): RemovalStatus | undefined {
  if (status === 'finished' || status === 'undone') return undefined;
  switch (action) {
    case 'undo':
      return 'undone';
    case 'stop':
      return status === 'stopped' ? undefined : 'stopped';
    case 'resume':
      return status === 'stopped' ? 'removing' : undefined;
    case 'at_once':
      return 'removing';
  }
}

/** What a person types, so that nobody removes the wrong one. */
export const removalPhrase = (host: string, platform: Platform | null): string =>
  platform === null ? `remove ${host}` : `remove ${platform} from ${host}`;
