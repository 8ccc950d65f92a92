// How a change by a person reaches a fleet: a canary first, then waves of growing size; when it goes on, when it halts by itself. Pure.
import { plural } from './plural.ts';

/** A change or a wish that touches no more devices goes to all of them at once; of more, new enrollments go first. */
export const MAX_AT_ONCE = 20;
const CANARY = 5;
const GROWTH = 4;
const MAX_WAVE = 5_000;
/** At full pace: so many at a time, so that a pause still finds devices that have not begun. */
const PORTION = 200;

/** What a person did. */
export const FLEET_CHANGES = [
  'library_item',
  'removal',
  'blueprint',
  'integration',
  'ios_secret_key',
] as const;
export type FleetChangeKind = (typeof FLEET_CHANGES)[number];

/** waves: canary first. full: all of them as fast as the fleet takes it, for a change that is in force in Okta already. */
export type Pace = 'waves' | 'full';

export const FLEET_STATUSES = ['running', 'paused', 'halted', 'completed', 'aborted'] as const;
export type FleetStatus = (typeof FLEET_STATUSES)[number];

/** waiting: not begun, and held back from everything else that would bring it the change. left: as it was, after an abort. */
export const MEMBER_STATES = ['waiting', 'begun', 'completed', 'failed', 'left', 'overtaken'] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

/** @param blueprint devices of the test blueprint; 0: there is none */
export const canarySize = (blueprint: number): number =>
  blueprint > 0 ? Math.min(blueprint, MAX_AT_ONCE) : CANARY;

/** The n-th wave (from 1, the canary). */
function waveSize(wave: number, canary: number): number {
  const size = canary * GROWTH ** Math.min(wave - 1, 20);
  return Math.min(size, MAX_WAVE);
}

/** The waves that so many devices take. */
export function wavesOf(devices: number, canary: number): number[] {
  const waves: number[] = [];
  for (let left = devices; left > 0;) {
    const size = Math.min(left, waveSize(waves.length + 1, canary));
    waves.push(size);
    left -= size;
  }
  return waves;
}

export const HALTS = ['canary_failed', 'many_failed', 'trust_fell', 'reissues_halted'] as const;
export interface FleetHalt {
  readonly reason: (typeof HALTS)[number];
  readonly devices: number;
  readonly of: number;
}

/** Devices since the rollout began, or since a person let it go on: what was judged before counts no more. */
export interface FleetEvidence {
  readonly ended: number;
  /** Of those that had not failed before, for a reason that the change may have. */
  readonly failed: number;
  readonly begun: number;
  /** Begun, and no longer counted as managed by Okta since. */
  readonly fell: number;
  /** Odette stopped re-issuing certificates of the integration since. */
  readonly reissuesHalted: boolean;
}

export interface FleetProgress {
  readonly status: FleetStatus;
  readonly pace: Pace;
  readonly canary: number;
  /** 0: none has begun. */
  readonly wave: number;
  readonly waveBegunMs: number;
  /** After which a wave waits no longer for devices that are silent. */
  readonly settleMinutes: number;
  /** Of the present wave. */
  readonly inWave: { readonly begun: number; readonly ended: number };
  readonly waiting: number;
  /** Begun and not ended, over all waves. */
  readonly open: number;
  /** Begun, and Temporal is not told yet. */
  readonly undelivered: number;
  readonly evidence: FleetEvidence;
}

export type FleetAction =
  | { readonly do: 'begin'; readonly devices: number }
  | { readonly do: 'halt'; readonly halt: FleetHalt }
  | { readonly do: 'complete' }
  /** Nothing is left to do; it keeps its status. */
  | { readonly do: 'end' }
  | { readonly do: 'wait'; readonly seconds: number };

const MIN_WAIT_SECONDS = 5;
const MAX_WAIT_SECONDS = 10 * 60;
const FULL_PACE_WAIT_SECONDS = 2;

/** A wave that is young is looked at often. */
function waitFor(nowMs: number, waveBegunMs: number): FleetAction {
  const seconds = Math.round((nowMs - waveBegunMs) / 10_000);
  return { do: 'wait', seconds: Math.min(MAX_WAIT_SECONDS, Math.max(MIN_WAIT_SECONDS, seconds)) };
}

/** What happens next. */
export function nextFleetAction(progress: FleetProgress, nowMs: number): FleetAction {
  const { status, waiting, open } = progress;
  if (status === 'completed' || status === 'aborted')
    return open === 0 ? { do: 'end' } : waitFor(nowMs, progress.waveBegunMs);
  if (waiting === 0) return open === 0 ? { do: 'complete' } : waitFor(nowMs, progress.waveBegunMs);
  if (status !== 'running') return waitFor(nowMs, progress.waveBegunMs);
  if (progress.pace === 'full')
    return progress.undelivered >= PORTION / 2
      ? { do: 'wait', seconds: FULL_PACE_WAIT_SECONDS }
      : { do: 'begin', devices: PORTION };
  const halt = haltOf(progress);
  if (halt !== null) return { do: 'halt', halt };
  if (!isWaveOver(progress, nowMs)) return waitFor(nowMs, progress.waveBegunMs);
  return { do: 'begin', devices: waveSize(progress.wave + 1, progress.canary) };
}

const DAY_MINUTES = 24 * 60;

/** A canary says nothing until a device of it has ended. Later waves leave those behind that sleep; they go on by themselves. */
function isWaveOver({ wave, waveBegunMs, settleMinutes, inWave }: FleetProgress, nowMs: number): boolean {
  const { begun, ended } = inWave;
  if (wave === 0 || ended >= begun) return true;
  const minutes = (nowMs - waveBegunMs) / 60_000;
  if (ended === 0) return wave > 1 && minutes >= DAY_MINUTES;
  return minutes >= DAY_MINUTES || (minutes >= settleMinutes && ended >= begun / 2);
}

const MAX_SHARE = 0.05;
const MIN_FAILED = 3;
const MIN_FELL = 2;

function haltOf({ wave, evidence }: FleetProgress): FleetHalt | null {
  const { ended, failed, begun, fell, reissuesHalted } = evidence;
  if (wave === 1 && failed > 0) return { reason: 'canary_failed', devices: failed, of: ended };
  if (failed >= Math.max(MIN_FAILED, ended * MAX_SHARE))
    return { reason: 'many_failed', devices: failed, of: ended };
  if (fell >= Math.max(MIN_FELL, begun * MAX_SHARE))
    return { reason: 'trust_fell', devices: fell, of: begun };
  if (reissuesHalted) return { reason: 'reissues_halted', devices: fell, of: begun };
  return null;
}

export const haltedText = ({ reason, devices, of }: FleetHalt): string => {
  switch (reason) {
    case 'canary_failed':
      return `${devices} of ${plural(of, 'device')} of the canary failed.`;
    case 'many_failed':
      return `${devices} of ${plural(of, 'device')} failed.`;
    case 'trust_fell':
      return `Okta no longer counts ${devices} of ${plural(of, 'device')} as managed after the change.`;
    case 'reissues_halted':
      return 'Many devices of this integration lost "managed" in Okta, and Odette halted automatic re-issues.';
  }
};

export const FLEET_ORDERS = ['pause', 'resume', 'all_at_once', 'abort'] as const;
export type FleetOrder = (typeof FLEET_ORDERS)[number];

const ALLOWED: Readonly<Record<FleetOrder, readonly FleetStatus[]>> = {
  pause: ['running'],
  resume: ['paused', 'halted'],
  all_at_once: ['running', 'paused', 'halted'],
  abort: ['running', 'paused', 'halted'],
};

/** Whether a person may order it now. */
export const isOrderAllowed = (order: FleetOrder, status: FleetStatus): boolean =>
  ALLOWED[order].includes(status);

export const ordersAllowed = (status: FleetStatus): FleetOrder[] =>
  FLEET_ORDERS.filter((order) => isOrderAllowed(order, status));

const waitText = (waiting: number): string => plural(waiting, 'device waits', 'devices wait');

/** Where it is, in one sentence. */
export function fleetText(
  { status, pace, wave, inWave, waiting, open }: FleetProgress,
  halt: FleetHalt | null,
): string {
  switch (status) {
    case 'completed':
      return 'Every device has finished.';
    case 'aborted':
      return `Aborted.${open > 0 ? ` ${plural(open, 'device under way continues', 'devices under way continue')}.` : ''}`;
    case 'paused':
      return `Paused: ${waitText(waiting)} until someone resumes the change.`;
    case 'halted':
      return `Halted: ${halt === null ? '' : haltedText(halt)} ${waitText(waiting)} until someone resumes the change.`;
    case 'running':
      if (wave === 0) return 'The canary starts.';
      if (pace === 'full') return `At full pace: ${plural(open, 'device')} under way, ${waiting} to go.`;
      return `${wave === 1 ? 'Canary' : `Wave ${wave}`}: ${inWave.ended} of ${plural(inWave.begun, 'device')} finished, ${waiting} to go.`;
  }
}
