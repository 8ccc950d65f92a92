// What can be shown about a device: five separate truths, each with time and evidence.
import type { Platform } from './device.ts';

export const TRUTHS = [
  'delivered',
  'certificatePresent',
  'oktaVerifyManaged',
  'registered',
  'managed',
] as const;
export type Truth = (typeof TRUTHS)[number];

export type TruthState = 'held' | 'not_held' | 'not_applicable' | 'unknown';

export interface TruthObservation {
  readonly truth: Truth;
  readonly state: TruthState;
  /** One sentence in product words; never a secret. */
  readonly evidence: string;
}

export const BUCKETS = ['trusted', 'waiting_for_sign_in', 'in_progress', 'failed', 'out_of_scope'] as const;
export type TrustBucket = (typeof BUCKETS)[number];

/** iPhones and iPads get no certificate: a truth that does not apply counts as held. */
export const appliesTo = (truth: Truth, platform: Platform): boolean =>
  truth !== 'certificatePresent' || platform === 'macOS';

export type TruthStates = Readonly<Record<Truth, TruthState>>;

export const counts = (state: TruthState): boolean => state === 'held' || state === 'not_applicable';

/** Waiting for the first FastPass sign-in lies between truths 3 and 5 and is not a failure. */
export function bucketOf(states: TruthStates, hasFailed: boolean): TrustBucket {
  if (TRUTHS.every((truth) => counts(states[truth]))) return 'trusted';
  if (hasFailed) return 'failed';
  const onDevice =
    counts(states.delivered) && counts(states.certificatePresent) && counts(states.oktaVerifyManaged);
  return onDevice ? 'waiting_for_sign_in' : 'in_progress';
}
