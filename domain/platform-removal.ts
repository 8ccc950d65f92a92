// The removal of a platform or of a whole integration: when it begins and ends. In between it goes in the waves of every change of a fleet.
import type { Platform } from './device.ts';
import { canarySize, nextFleetAction, type FleetHalt } from './fleet-waves.ts';
import { HOUR_MS } from './patience.ts';

export const REMOVAL_STATUSES = ['waiting', 'removing', 'stopped', 'finished', 'undone'] as const;
export type RemovalStatus = (typeof REMOVAL_STATUSES)[number];
/** What a person may ask of one that has not ended. */
export const REMOVAL_ACTIONS = ['stop', 'resume', 'all_at_once', 'undo'] as const;
export type RemovalAction = (typeof REMOVAL_ACTIONS)[number];

export interface RemovalProgress {
  readonly status: RemovalStatus;
  /** It can be undone without a trace until then. */
  readonly startsAt: Date;
  /** Waves are given up. */
  readonly isAtOnce: boolean;
  /** When the last wave began; null: none yet. */
  readonly portionAt: Date | null;
  /** Devices in scope that no wave has taken. */
  readonly left: number;
  /** Devices that a wave took: the next four add up to it. */
  readonly taken: number;
  readonly done: number;
  readonly failed: number;
  /** It has not called since; its payloads go when it does. */
  readonly silent: number;
  readonly pending: number;
  /** Failures that a person has seen and accepted. */
  readonly accepted: number;
  readonly wave: number;
  /** Of the present wave. */
  readonly waveBegun: number;
  readonly waveEnded: number;
}

export type RemovalStep =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'take'; readonly devices: number }
  | { readonly do: 'halt'; readonly halt: FleetHalt }
  | { readonly do: 'finish' }
  /** Nothing by itself: a person acts next, or it is over. */
  | { readonly do: 'rest' };

/** A wave that has half ended by then no longer holds up the next one. */
const SETTLE_MINUTES = 15;
/** Devices that were not reached by then keep their payloads until they call; what the removal ends does not wait for them. */
const LAST_MS = 24 * HOUR_MS;
const LOOK_AGAIN_MS = 10_000;

export function planRemovalStep(progress: RemovalProgress, nowMs: number): RemovalStep {
  const { status, startsAt, portionAt, left, pending } = progress;
  if (status !== 'waiting' && status !== 'removing') return { do: 'rest' };
  if (status === 'waiting' && nowMs < startsAt.getTime())
    return { do: 'wait', ms: startsAt.getTime() - nowMs };
  const sinceMs = portionAt === null ? Infinity : nowMs - portionAt.getTime();
  if (left === 0 && (pending === 0 || sinceMs >= LAST_MS)) return { do: 'finish' };
  const action = nextFleetAction(fleetProgressOf(progress), nowMs);
  switch (action.do) {
    case 'begin':
      return { do: 'take', devices: action.devices };
    case 'halt':
      return { do: 'halt', halt: action.halt };
    case 'wait':
      return { do: 'wait', ms: Math.min(LOOK_AGAIN_MS, action.seconds * 1_000) };
    default:
      return { do: 'wait', ms: LOOK_AGAIN_MS };
  }
}

/** A device whose payloads are gone is to lose "managed": that is no sign of a fault here. */
const fleetProgressOf = (removal: RemovalProgress): Parameters<typeof nextFleetAction>[0] => ({
  status: 'running',
  pace: removal.isAtOnce ? 'full' : 'waves',
  canary: canarySize(0),
  wave: removal.wave,
  waveBegunMs: removal.portionAt?.getTime() ?? 0,
  settleMinutes: SETTLE_MINUTES,
  inWave: { begun: removal.waveBegun, ended: removal.waveEnded },
  waiting: removal.left,
  open: removal.pending,
  undelivered: 0,
  evidence: {
    ended: removal.taken - removal.pending,
    failed: removal.failed - removal.accepted,
    begun: removal.taken,
    fell: 0,
    reissuesHalted: false,
  },
});

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
    case 'all_at_once':
      return 'removing';
  }
}

/** What a person types, so that nobody removes the wrong one. */
export const removalPhrase = (host: string, platform: Platform | null): string =>
  platform === null ? `remove ${host}` : `remove ${platform} from ${host}`;
