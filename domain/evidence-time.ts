// Who said what is known of a truth, and when: the list of the device, or Okta's response. Never the time at which Odette looked again.
import type { Truth, TruthState } from './trust.ts';

export const EVIDENCE_SOURCES = ['device', 'okta'] as const;
type EvidenceSource = (typeof EVIDENCE_SOURCES)[number];

/** When each list came last; null: never. */
export interface SeenTimes {
  readonly profiles: Date | null;
  readonly certificates: Date | null;
  readonly applications: Date | null;
  /** Of the record that belongs to the device, or of the last sweep that found none. */
  readonly okta: Date | null;
}

const SEEN_IN: Readonly<Record<Truth, keyof SeenTimes>> = {
  delivered: 'profiles',
  certificatePresent: 'certificates',
  oktaVerifyManaged: 'applications',
  registered: 'okta',
  managed: 'okta',
};

export interface EvidenceTime {
  readonly source: EvidenceSource | null;
  readonly at: Date | null;
}

export function evidenceTime(truth: Truth, state: TruthState, seen: SeenTimes): EvidenceTime {
  const list = SEEN_IN[truth];
  if (state === 'not_applicable' || seen[list] === null) return { source: null, at: null };
  return { source: list === 'okta' ? 'okta' : 'device', at: seen[list] };
}
