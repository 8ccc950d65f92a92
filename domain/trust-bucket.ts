// Where a device stands and who acts next: one model for lists, pages, alarms, and what Odette does by itself.
import type { DeviceFamily, EnrollmentStatus, PushProblem } from './device.ts';
import { FAILURES, isFailureCode } from './failures.ts';
import type { FindingKind } from './okta-finding.ts';
import type { RolloutPhase } from './rollout-action.ts';
import { counts, TRUTHS, type TruthStates } from './trust.ts';

/**
 * needs_user: the person at the device acts. needs_you: an admin or operator acts. unreachable: Apple delivers no push, or the device
 * has been silent for long, so nothing that was proven counts. left: the device ended its enrollment.
 */
export const BUCKETS = [
  'trusted',
  'in_progress',
  'needs_user',
  'needs_you',
  'unreachable',
  'left',
  'out_of_scope',
] as const;
export type TrustBucket = (typeof BUCKETS)[number];

/** The daily check pushes each device: one that has not called for so long is not merely asleep. */
export const SILENT_AFTER_DAYS = 14;
const DAY_MS = 86_400_000;

export interface BucketFacts {
  readonly enrollment: EnrollmentStatus;
  readonly family: DeviceFamily;
  readonly pushProblem: PushProblem | null;
  readonly lastContactAtMs: number | null;
  readonly nowMs: number;
  readonly isInScope: boolean;
  /** It wants to enroll again and waits for an admin's word. */
  readonly asksToReturn: boolean;
  readonly states: TruthStates;
  readonly phase: RolloutPhase;
  /** Why the last rollout failed; null: it has not. */
  readonly failureCode: string | null;
  /** Why Apple Business Manager gives no license; null: it does, or was not asked. */
  readonly licenseFailureCode: string | null;
  /** What Okta's record means. */
  readonly finding: FindingKind;
  /** Okta Verify comes from elsewhere, says the item. */
  readonly appComesFromElsewhere: boolean;
  /** The certificate belongs into a login keychain, and no user of the Mac has logged in. */
  readonly waitsForUserChannel: boolean;
}

/** Findings with which a sign-in alone changes nothing. */
const OKTA_OBSTACLES = [
  'user_unknown',
  'records_alike',
  'suspended',
  'deactivated',
  'managed_for_other',
] as const satisfies readonly FindingKind[];
type OktaObstacle = (typeof OKTA_OBSTACLES)[number];
const isOktaObstacle = (kind: FindingKind): kind is OktaObstacle =>
  (OKTA_OBSTACLES as readonly FindingKind[]).includes(kind);

/** What stands in the way, beside the phase and a failure: it has a sentence of its own. */
export const OBSTACLES = [
  'asks_to_return',
  'push_token_gone',
  'no_push_token',
  'other_topic',
  'silent',
  'left',
  'not_supported',
  'no_license',
  'no_user_channel',
  'app_missing',
  ...OKTA_OBSTACLES,
] as const;
export type Obstacle = (typeof OBSTACLES)[number];

export interface DerivedBucket {
  readonly bucket: TrustBucket;
  readonly obstacle: Obstacle | null;
}

const at = (bucket: TrustBucket, obstacle: Obstacle | null = null): DerivedBucket => ({ bucket, obstacle });

/** Phases in which the person at the device is asked to do something. */
const USER_PHASES: readonly RolloutPhase[] = ['not_enrolled', 'waits_for_user'];

export function deriveBucket(facts: BucketFacts): DerivedBucket {
  if (facts.enrollment === 'checked_out') return at('left', 'left');
  if (facts.family === 'Other') return at('out_of_scope', 'not_supported');
  if (!facts.isInScope) return at('out_of_scope', facts.pushProblem);
  if (facts.asksToReturn) return at('needs_you', 'asks_to_return');
  if (facts.enrollment === 'unreachable' || facts.pushProblem !== null)
    return at('unreachable', facts.pushProblem ?? 'push_token_gone');
  if (isSilent(facts)) return at('unreachable', 'silent');
  if (TRUTHS.every((truth) => counts(facts.states[truth]))) return at('trusted');
  // What an Okta admin did stands above everything that Odette could still do on the device.
  if (facts.finding === 'suspended' || facts.finding === 'deactivated') return at('needs_you', facts.finding);
  if (facts.failureCode !== null) return at(bucketOfFailure(facts.failureCode));
  if (isWithoutLicense(facts)) return at('needs_you', 'no_license');
  if (isForUserNow(facts)) return at('needs_user', facts.waitsForUserChannel ? 'no_user_channel' : null);
  if (isOnlyAppMissing(facts)) return at('needs_you', 'app_missing');
  if (!isOnDevice(facts.states)) return at('in_progress');
  return isOktaObstacle(facts.finding) ? at('needs_you', facts.finding) : at('needs_user');
}

const isWithoutLicense = ({ licenseFailureCode, phase }: BucketFacts): boolean =>
  licenseFailureCode !== null && phase === 'waiting_for_license';

const isForUserNow = ({ waitsForUserChannel, phase }: BucketFacts): boolean =>
  waitsForUserChannel || USER_PHASES.includes(phase);

const isOnDevice = (states: TruthStates): boolean =>
  counts(states.delivered) && counts(states.certificatePresent) && counts(states.oktaVerifyManaged);

/** Odette has done its part; who installs Okta Verify has not. */
const isOnlyAppMissing = ({ states, phase, appComesFromElsewhere }: BucketFacts): boolean =>
  appComesFromElsewhere && phase === 'delivered' && !counts(states.oktaVerifyManaged);

const isSilent = ({ lastContactAtMs, nowMs }: BucketFacts): boolean =>
  lastContactAtMs !== null && nowMs - lastContactAtMs > SILENT_AFTER_DAYS * DAY_MS;

/** Of a device in scope whose rollout has ended with it. */
export const bucketOfFailure = (code: string): 'needs_user' | 'needs_you' =>
  isFailureCode(code) && FAILURES[code].owner === 'user' ? 'needs_user' : 'needs_you';
