// What a device waits for and whose turn it is, in plain words: the same in Temporal's pages and in Odette's.
import type { DeviceFamily } from './device.ts';
import { FAILURES, isFailureCode } from './failures.ts';
import type { RolloutPhase } from './rollout-plan.ts';
import type { TrustBucket, Truth, TruthState } from './trust.ts';

const PHASE_WORDS: Readonly<Record<RolloutPhase, (family: DeviceFamily) => string | null>> = {
  waiting: () => 'Odette begins.',
  not_enrolled: (family) => `The ${family} is not enrolled. Its user opens the enrollment link.`,
  asking_device: (family) => `The ${family} is asked what it has. It answers when it is awake and online.`,
  certificate: (family) => `The ${family} gets its certificate from Okta.`,
  profiles: (family) => `The ${family} installs its profiles.`,
  waiting_for_license: () => 'Apple Business Manager assigns a license of Okta Verify.',
  app: (family) => `The ${family} installs Okta Verify.`,
  app_configuration: (family) => `The ${family} takes over the configuration of Okta Verify.`,
  delivered: () => null,
  waits_for_user: () =>
    'The user refused Okta Verify three times. Ask the user to accept, then check the device again.',
  removal_delay: () => 'Out of scope: the profiles are removed soon. It can be undone until then.',
  removing: (family) => `The ${family} removes what Odette had installed.`,
  out_of_scope: () => null,
  failed: () => null,
};

export const WAITS_FOR_SIGN_IN =
  'Everything is on the device. Its user signs in once with Okta FastPass, then Okta counts it as managed.';

/** One sentence; null: nothing is waited for. */
export function waitsForWords(
  phase: RolloutPhase,
  family: DeviceFamily,
  bucket: TrustBucket,
  failureCode: string | null,
): string | null {
  if (bucket === 'trusted') return null;
  if (phase === 'failed' && failureCode !== null && isFailureCode(failureCode))
    return `${FAILURES[failureCode].title} ${FAILURES[failureCode].todo}`;
  if (phase === 'delivered') return bucket === 'waiting_for_sign_in' ? WAITS_FOR_SIGN_IN : null;
  return PHASE_WORDS[phase](family);
}

const TRUTH_WORDS: Readonly<Record<Truth, string>> = {
  delivered: 'The profiles are delivered',
  certificatePresent: 'The certificate is on the device',
  oktaVerifyManaged: 'Okta Verify is installed and managed',
  registered: 'The device is registered in Okta',
  managed: 'The device is managed in Okta',
};

/** A line of the timeline for a truth that changed; undefined: not worth a line. */
export function truthChangeWords(
  truth: Truth,
  from: TruthState | undefined,
  to: TruthState,
): string | undefined {
  if (to === 'held') return `${TRUTH_WORDS[truth]}.`;
  if (from === 'held') return `${TRUTH_WORDS[truth]}: not any more.`;
  return undefined;
}
