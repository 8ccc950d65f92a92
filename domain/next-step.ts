// Who acts next, what is to be done in one sentence, and the one button for it: of a device, and of a cause that many devices share.
// Lists, pages, alarms, badges, command line and notifications all read it here.
import { CHANNEL_ABILITIES, type ChannelKind } from './device-channel.ts';
import { FAILURES, isFailureCode, type FailureCode } from './failures.ts';
import { rolloutFailureText } from './rollout-failure.ts';
import { obstacleText, signInText } from './trust-text.ts';
import { SILENT_AFTER_DAYS, type Obstacle, type TrustBucket } from './trust-bucket.ts';

/** nobody: Odette goes on by itself, or nothing is to be done. user: the person at the device. you: an admin or operator. */
export const STEP_OWNERS = ['nobody', 'user', 'you'] as const;
export type StepOwner = (typeof STEP_OWNERS)[number];

/** What the one button does. */
export const STEP_ACTIONS = [
  'replay',
  'check_device',
  'ask_okta',
  'decide_return',
  'set_user',
  'open_okta',
  'enroll_again',
  'get_licenses',
  'choose_blueprint',
] as const;
type StepAction = (typeof STEP_ACTIONS)[number];

export interface NextStep {
  readonly owner: StepOwner;
  readonly text: string;
  /** null: nothing helps but to wait, nothing is to be done, or it is done where the device is enrolled. */
  readonly action: StepAction | null;
}

export interface StepFacts {
  readonly bucket: TrustBucket;
  readonly obstacle: Obstacle | null;
  readonly failureCode: string | null;
  /** The sentence of the workflow that is at work on it; null: none. */
  readonly waitsFor: string | null;
  readonly isEnrolled: boolean;
  readonly channelKind: ChannelKind;
  /** null: it never called. */
  readonly lastContactAtMs: number | null;
  readonly nowMs: number;
}

const OWNERS: Readonly<Record<TrustBucket, StepOwner>> = {
  trusted: 'nobody',
  in_progress: 'nobody',
  needs_user: 'user',
  needs_you: 'you',
  unreachable: 'you',
  left: 'nobody',
  out_of_scope: 'nobody',
};

const OBSTACLE_ACTIONS: Readonly<Record<Obstacle, StepAction | null>> = {
  asks_to_return: 'decide_return',
  push_token_gone: 'enroll_again',
  // It sends a token by itself; a check tells whether it does by now.
  no_push_token: 'check_device',
  other_topic: 'enroll_again',
  silent: 'check_device',
  left: 'enroll_again',
  not_supported: null,
  no_license: 'get_licenses',
  no_user_channel: 'check_device',
  app_missing: 'check_device',
  user_unknown: 'set_user',
  records_alike: 'open_okta',
  suspended: 'open_okta',
  deactivated: 'open_okta',
  managed_for_other: 'set_user',
};

const DAY_MS = 86_400_000;
/** The daily check pushes each device: one that missed two of them is shown as it was, with its age. */
const QUIET_AFTER_DAYS = 2;

export function nextStepOf(facts: StepFacts): NextStep {
  const step = stepOf(facts);
  const isElsewhere = !CHANNEL_ABILITIES[facts.channelKind].enroll;
  // A code of Odette's enrolls in Odette.
  return step.action === 'enroll_again' && isElsewhere ? { ...step, action: null } : step;
}

function stepOf(facts: StepFacts): NextStep {
  const { bucket, obstacle, failureCode, waitsFor } = facts;
  if (bucket === 'trusted') return stepOfTrusted(facts);
  const owner = OWNERS[bucket];
  if (obstacle !== null)
    return {
      owner,
      text: waitsFor ?? obstacleText(obstacle, 'device', facts.channelKind),
      action: OBSTACLE_ACTIONS[obstacle],
    };
  // Something of Odette's is still on it, and does not go.
  if (bucket === 'out_of_scope' && failureCode !== null)
    return { owner: 'you', text: waitsFor ?? failureText(failureCode), action: 'replay' };
  if (bucket === 'out_of_scope')
    return { owner, text: DEFAULT_TEXTS.out_of_scope, action: 'choose_blueprint' };
  if (failureCode !== null && bucket !== 'in_progress')
    return { owner, text: waitsFor ?? failureText(failureCode), action: 'replay' };
  return { owner, text: waitsFor ?? DEFAULT_TEXTS[bucket], action: actionOf(facts) };
}

function stepOfTrusted({ lastContactAtMs, nowMs }: StepFacts): NextStep {
  const days = lastContactAtMs === null ? 0 : Math.floor((nowMs - lastContactAtMs) / DAY_MS);
  if (days < QUIET_AFTER_DAYS) return { owner: 'nobody', text: 'Nothing pending.', action: null };
  return {
    owner: 'nobody',
    text: `Trusted at its last contact, ${days} days ago. After ${SILENT_AFTER_DAYS} days without contact, the device counts as unreachable.`,
    action: 'check_device',
  };
}

/** A sign-in shows in Okta's record; what a person does on the device shows in its lists. */
function actionOf({ bucket, waitsFor, isEnrolled }: StepFacts): StepAction | null {
  if (bucket !== 'needs_user') return null;
  if (!isEnrolled) return 'enroll_again';
  return waitsFor === null || waitsFor === signInText ? 'ask_okta' : 'check_device';
}

const failureText = (code: string): string => (isFailureCode(code) ? rolloutFailureText(code) : code);

const DEFAULT_TEXTS: Readonly<Record<TrustBucket, string>> = {
  trusted: 'Nothing pending.',
  in_progress: 'No action needed. Odette continues automatically.',
  needs_user: signInText,
  needs_you: 'Check the device.',
  unreachable: 'The device cannot be reached.',
  left: 'The device ended its enrollment. To bring it back, enroll it again.',
  out_of_scope: 'No library item with Okta Device Trust turned on is assigned to its blueprint.',
};

/** A cause that devices of one bucket share. */
export type Cause = { readonly failureCode: string } | { readonly obstacle: Obstacle };

/** Of the installation: who puts a failure right that concerns the whole fleet. */
export const ownerOfFailure = (code: FailureCode): StepOwner => {
  const { owner } = FAILURES[code];
  return owner === 'nobody' || owner === 'user' ? owner : 'you';
};

/** The same step, said of many devices. */
export function nextStepOfCause(bucket: TrustBucket, cause: Cause): NextStep {
  const owner = OWNERS[bucket];
  // What other servers' devices share says nothing of where they enroll.
  return 'obstacle' in cause
    ? {
        owner,
        text: obstacleText(cause.obstacle, 'device', 'built_in'),
        action: OBSTACLE_ACTIONS[cause.obstacle],
      }
    : { owner, text: failureText(cause.failureCode), action: 'replay' };
}
