// What a rollout's plans share: its phases, the requests of a step, the actions, and the memory of a run.
import type { FailureCode } from './failures.ts';
import type { PayloadScope, WantedProfileKind } from './profile-identifier.ts';
import type { Tries } from './retries.ts';

export const ROLLOUT_PHASES = [
  'waiting',
  'not_enrolled',
  'asking_device',
  'certificate',
  'profiles',
  'waiting_for_license',
  'app',
  'app_configuration',
  'delivered',
  'waits_for_user',
  'removal_delay',
  'removing',
  'out_of_scope',
  'failed',
] as const;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];
/** With which nearly every rollout begins; its workflow is started with it. */
export const FIRST_PHASE: RolloutPhase = 'asking_device';

/** Nothing goes on in these until a device, its user, a license or the end of a delay lets it. */
export const WAITING_PHASES: readonly RolloutPhase[] = [
  'not_enrolled',
  'asking_device',
  'waiting_for_license',
  'waits_for_user',
  'removal_delay',
];

/** Questions to the device; `User…` goes to its user's channel. */
export type Query =
  | 'DeviceInformation'
  | 'ProfileList'
  | 'CertificateList'
  | 'ManagedApplicationList'
  | 'InstalledApplicationList'
  | 'ManagedApplicationConfiguration'
  | 'UserProfileList'
  | 'UserCertificateList';
/** Answered by the device, whether or not a user is logged in. */
export type DeviceQuery = Exclude<Query, 'UserProfileList' | 'UserCertificateList'>;

export type StepRequest =
  | { readonly type: Query }
  | { readonly type: 'InstallProfile'; readonly kind: WantedProfileKind; readonly revision: string }
  /** `scope`: where the profile is; absent: System. */
  | { readonly type: 'RemoveProfile'; readonly identifier: string; readonly scope?: PayloadScope }
  | { readonly type: 'InstallApplication'; readonly revision: string }
  /** `own`: the item's own configuration comes back, or none. */
  | {
      readonly type: 'ApplicationConfiguration';
      readonly content: 'odette' | 'own';
      readonly revision: string;
    }
  | { readonly type: 'RemoveApplication' }
  /** The enrollment profile again, for a new identity. `revision`: the fingerprint of the one it replaces. */
  | { readonly type: 'RenewIdentity'; readonly revision: string };

export type RolloutAction =
  | { readonly do: 'send'; readonly phase: RolloutPhase; readonly requests: readonly StepRequest[] }
  | { readonly do: 'waitForEnrollment' }
  | { readonly do: 'obtainCertificate'; readonly integrationId: string }
  | { readonly do: 'waitForLicense' }
  /** The app is on its way: ask again later. */
  | { readonly do: 'waitForApp' }
  | { readonly do: 'recordRefusal' }
  | { readonly do: 'waitForUser'; readonly untilMs: number }
  | { readonly do: 'waitForRemovalDelay'; readonly minutes: number }
  | { readonly do: 'removeCertificate' }
  | { readonly do: 'returnLicense' }
  /** Everything that is missing was tried, and is tried again later. */
  | {
      readonly do: 'backOff';
      readonly phase: RolloutPhase;
      readonly untilMs: number;
      readonly code: FailureCode;
    }
  /** `code`: what the device still waits for, which is no failure. */
  | { readonly do: 'finish'; readonly phase: RolloutPhase; readonly code?: FailureCode }
  | { readonly do: 'fail'; readonly code: FailureCode };

/** What a run has seen and done so far. */
export interface RolloutMemory {
  /** Of which enrollment this is the memory; '' before the first look. */
  readonly enrollmentId: string;
  /** Questions answered in this run since anything changed that they ask about. */
  readonly fresh: readonly Query[];
  /** What was tried in this run, by change (`tryKeyOf`). */
  readonly tries: Tries;
  readonly license: 'unasked' | 'pending' | 'ready' | FailureCode;
  /** InstallApplication was accepted in this run, and nothing has refused it since. */
  readonly appSent: boolean;
  readonly appChecks: number;
  readonly removalDelayOver: boolean;
}

/** The memory with which a run begins, and begins again at each new enrollment. A license belongs to the device: it stays. */
export const emptyMemory = (
  enrollmentId: string,
  license: RolloutMemory['license'] = 'unasked',
): RolloutMemory => ({
  enrollmentId,
  fresh: [],
  tries: {},
  license,
  appSent: false,
  appChecks: 0,
  removalDelayOver: false,
});

export const memoryFor = (memory: RolloutMemory, enrollmentId: string): RolloutMemory =>
  memory.enrollmentId === enrollmentId ? memory : emptyMemory(enrollmentId, memory.license);
