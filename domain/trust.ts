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

/** iPhones and iPads get no certificate: a truth that does not apply counts as held. */
export const appliesTo = (truth: Truth, platform: Platform): boolean =>
  truth !== 'certificatePresent' || platform === 'macOS';

export type TruthStates = Readonly<Record<Truth, TruthState>>;

export const counts = (state: TruthState): boolean => state === 'held' || state === 'not_applicable';
