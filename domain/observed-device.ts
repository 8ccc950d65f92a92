// A device under another MDM server, as Okta alone shows it: the two truths that Okta holds, and what would help. Pure.
import { findingOfRecord, type FindingKind, type OktaFacts, type OktaFinding } from './okta-finding.ts';

/** What Okta says of a record by itself: whom it belongs to is Okta's to know. */
export const OBSERVED_STATES = [
  'managed',
  'not_managed',
  'not_registered',
  'suspended',
  'deactivated',
] as const satisfies readonly FindingKind[];
export type ObservedState = (typeof OBSERVED_STATES)[number];

interface ObservedDevice {
  readonly state: ObservedState;
  /** Truths 4 and 5 of the five; the others only a device can show. */
  readonly registered: 'held' | 'not_held';
  readonly managed: 'held' | 'not_held';
  /** In Okta's own words. */
  readonly evidence: string;
  readonly owner: OktaFinding['owner'];
  /** null: nothing to do. */
  readonly remedy: string | null;
}

const NOT_MANAGED_REMEDY = {
  MACOS:
    "Deliver Okta's SCEP profile (a certificate from Okta's authority) through the MDM server of this Mac. Its user then signs in once with Okta FastPass.",
  IOS: "Deliver Okta Verify through the MDM server of this device, with the management hint (Okta's secret key) in its managed app configuration. Its user then signs in once with Okta FastPass.",
} as const;

export function observe(
  record: Omit<OktaFacts, 'match'> & { readonly platform: 'MACOS' | 'IOS' },
): ObservedDevice {
  const { kind, evidence, owner, remedy } = findingOfRecord(record);
  const state = OBSERVED_STATES.find((each) => each === kind) ?? 'not_registered';
  const isActive = state === 'managed' || state === 'not_managed';
  return {
    state,
    registered: isActive ? 'held' : 'not_held',
    managed: state === 'managed' ? 'held' : 'not_held',
    evidence,
    owner: state === 'not_managed' ? 'admin' : owner,
    remedy: state === 'not_managed' ? NOT_MANAGED_REMEDY[record.platform] : remedy,
  };
}
