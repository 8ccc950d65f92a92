// What a device waits for and whose turn it is, in plain words: the same in Temporal's pages and in Odette's.
import type { DeviceFamily } from './device.ts';
import { CHANNEL_ABILITIES, type ChannelKind } from './device-channel.ts';
import { CHANNEL_WORDS } from './channel-words.ts';
import { isFailureCode } from './failures.ts';
import type { RolloutPhase } from './rollout-action.ts';
import { rolloutFailureText } from './rollout-failure.ts';
import { SILENT_AFTER_DAYS, type Obstacle, type DerivedBucket } from './trust-bucket.ts';
import type { Truth, TruthState } from './trust.ts';

/** The MDM server in which devices of this channel enroll; null: in Odette, with its codes. */
const enrolledIn = (channel: ChannelKind): string | null =>
  CHANNEL_ABILITIES[channel].enroll ? null : CHANNEL_WORDS[channel].name;

const PHASE_LABELS: Readonly<
  Record<RolloutPhase, (family: DeviceFamily, channel: ChannelKind) => string | null>
> = {
  waiting: () => 'Odette starts the rollout.',
  not_enrolled: (family, channel) => {
    const server = enrolledIn(channel);
    return `The ${family} is not enrolled. ${server === null ? 'Its user opens the enrollment link.' : `Enroll it in ${server}.`}`;
  },
  asking_device: (family) =>
    `Odette asks the ${family} what it has. It responds when it is awake and online.`,
  certificate: (family) => `The ${family} gets its certificate from Okta.`,
  profiles: (family) => `The ${family} installs its profiles.`,
  waiting_for_license: () => 'Apple assigns an Okta Verify license.',
  app: (family) => `The ${family} installs Okta Verify.`,
  app_configuration: (family) => `The ${family} applies the configuration of Okta Verify.`,
  delivered: () => null,
  waits_for_user: () =>
    'The user declined Okta Verify three times. Ask the user to accept it, then check the device again.',
  removal_delay: () => 'Out of scope: Odette removes the profiles soon. You can undo this until then.',
  removing: (family) => `The ${family} removes what Odette installed.`,
  out_of_scope: () => null,
  failed: () => null,
};

export const signInText =
  'Everything is on the device. When its user signs in once with Okta FastPass, Okta counts the device as managed.';

type Called = DeviceFamily | 'device';

const OBSTACLE_LABELS: Readonly<Record<Obstacle, (family: Called, channel: ChannelKind) => string>> = {
  asks_to_return: (family) =>
    `This ${family} asks to enroll again, but its earlier enrollment has not ended. Allow or refuse it.`,
  push_token_gone: (family) =>
    `Apple no longer delivers push notifications to this ${family}: someone erased it or removed its enrollment profile. Enroll it again with a new code.`,
  silent: (family) =>
    `This ${family} has not checked in for more than ${SILENT_AFTER_DAYS} days. Earlier proof does not count until it checks in again.`,
  no_push_token: (family) =>
    `This ${family} has no push token, so Odette cannot wake it. Check that it can reach Apple (courier.push.apple.com); it then sends a token.`,
  other_topic: (family) =>
    `This ${family} enrolled with a push topic that Odette has no certificate for, so Odette cannot wake it. Enroll it again with a new code.`,
  not_supported: () =>
    'Odette supports only Macs, iPhones and iPads. This device gets no payloads and no license.',
  left: (family, channel) => {
    const server = enrolledIn(channel);
    return `This ${family} ended its enrollment. To bring it back, enroll it again${server === null ? '' : ` in ${server}`}.`;
  },
  user_unknown: (family) =>
    `Odette does not know the user of this ${family}, so it cannot find the record in Okta. Set the user.`,
  records_alike: (family) => `Several records in Okta match this ${family}. Deactivate the old ones in Okta.`,
  suspended: (family) =>
    `Okta has suspended this ${family}. Only an Okta admin can change that. Until then, Odette sends it no certificate.`,
  deactivated: (family) =>
    `Okta has deactivated this ${family}: it may have been reported lost. Only an Okta admin can change that. Until then, Odette sends it no certificate.`,
  managed_for_other: (family) =>
    `Okta counts this ${family} as managed for a different user than the one set here. Correct the user in Odette or in Okta.`,
  no_user_channel: () =>
    'The certificate goes into a login keychain, and no user of this Mac has logged in since it enrolled. Ask the user to log in once.',
  app_missing: (family) =>
    `Okta Verify is not on this ${family}. The library item says that it comes from elsewhere: install its package.`,
  no_license: () =>
    'No Okta Verify license is available. Get more in Apple Business Manager, or return unused ones.',
};

export const obstacleText = (obstacle: Obstacle, family: Called, channel: ChannelKind): string =>
  OBSTACLE_LABELS[obstacle](family === 'Other' ? 'device' : family, channel);

/** One sentence; null: nothing is pending. */
export function waitsForText(
  phase: RolloutPhase,
  { family, channelKind }: { readonly family: DeviceFamily; readonly channelKind: ChannelKind },
  { bucket, obstacle }: DerivedBucket,
  failureCode: string | null,
): string | null {
  if (obstacle !== null) return obstacleText(obstacle, family, channelKind);
  if (bucket === 'trusted') return null;
  if (phase === 'failed' && failureCode !== null && isFailureCode(failureCode))
    return rolloutFailureText(failureCode);
  if (phase === 'delivered') return bucket === 'needs_user' ? signInText : null;
  return PHASE_LABELS[phase](family, channelKind);
}

/** `2026-11-29 14:02 UTC` */
export const minuteText = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const notNowText = (family: DeviceFamily, since: Date): string =>
  `The ${family} has responded NotNow (it is locked or busy) since ${minuteText(since.getTime())}.`;

const TRUTH_LABELS: Readonly<Record<Truth, string>> = {
  delivered: 'The profiles are delivered',
  certificatePresent: 'The certificate is on the device',
  oktaVerifyManaged: 'Okta Verify is installed and managed',
  registered: 'The device is registered in Okta',
  managed: 'The device is managed in Okta',
};

/** A line of the timeline for a truth that changed; undefined: not worth a line. */
export function truthChangeText(
  truth: Truth,
  from: TruthState | undefined,
  to: TruthState,
): string | undefined {
  if (to === 'held') return `${TRUTH_LABELS[truth]}.`;
  if (from === 'held') return `${TRUTH_LABELS[truth]}: no longer.`;
  return undefined;
}
