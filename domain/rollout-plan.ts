// What a rollout does next: the difference between the desired state and what the device reported, as one action.
// Pure; workflows/roll-out-device.ts carries the actions out and keeps the memory of its run. The app is app-plan.ts,
// what goes is removal-plan.ts.
import { planApp } from './app-plan.ts';
import type { FailureCode } from './failures.ts';
import { MAX_TRIES } from './patience.ts';
import { planRemoval } from './removal-plan.ts';
import { isManagedApp, type DesiredState, type RolloutView, type WantedProfile } from './rollout-view.ts';

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

/** Nothing goes on in these until a device, its user, a license or the end of a delay lets it. */
export const WAITING_PHASES: readonly RolloutPhase[] = [
  'not_enrolled',
  'asking_device',
  'waiting_for_license',
  'waits_for_user',
  'removal_delay',
];

/** Questions to the device. */
export type Query =
  | 'DeviceInformation'
  | 'ProfileList'
  | 'CertificateList'
  | 'ManagedApplicationList'
  | 'InstalledApplicationList'
  | 'ManagedApplicationConfiguration';

export type StepRequest =
  | { readonly type: Query }
  | { readonly type: 'InstallProfile'; readonly kind: 'settings' | 'sso'; readonly revision: string }
  | { readonly type: 'RemoveProfile'; readonly identifier: string }
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

/** One outstanding command per device and step. */
export function stepOf(request: StepRequest): string {
  switch (request.type) {
    case 'InstallProfile':
      return `rollout.profile.${request.kind}`;
    case 'RemoveProfile':
      return `rollout.remove.${request.identifier}`;
    default:
      return `rollout.${request.type}`;
  }
}

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
  | { readonly do: 'finish'; readonly phase: RolloutPhase }
  | { readonly do: 'fail'; readonly code: FailureCode };

/** What a run has seen and done so far. */
export interface RolloutMemory {
  /** Of which enrollment this is the memory; '' before the first look. */
  readonly enrollmentId: string;
  /** Questions answered in this run since anything changed that they ask about. */
  readonly fresh: readonly Query[];
  /** How often a change was carried out in this run, by step. */
  readonly tries: Readonly<Record<string, number>>;
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

/** The phase that an action stands for. */
export function phaseOf(action: RolloutAction): RolloutPhase {
  switch (action.do) {
    case 'send':
    case 'finish':
      return action.phase;
    case 'waitForEnrollment':
      return 'not_enrolled';
    case 'obtainCertificate':
      return 'certificate';
    case 'waitForLicense':
      return 'waiting_for_license';
    case 'waitForApp':
    case 'recordRefusal':
    case 'waitForUser':
      return 'app';
    case 'waitForRemovalDelay':
      return 'removal_delay';
    case 'removeCertificate':
    case 'returnLicense':
      return 'removing';
    case 'fail':
      return 'failed';
  }
}

const send = (phase: RolloutPhase, requests: readonly StepRequest[]): RolloutAction => ({
  do: 'send',
  phase,
  requests,
});

/** Questions of a list whose answers are missing or old, as requests. */
const unanswered = (memory: RolloutMemory, queries: readonly Query[]): StepRequest[] =>
  queries.filter((query) => !memory.fresh.includes(query)).map((type) => ({ type }));

export function planRollout(view: RolloutView, memory: RolloutMemory, nowMs: number): RolloutAction {
  if (view.enrollmentStatus === 'checked_out') return { do: 'finish', phase: 'not_enrolled' };
  // An unreachable device (no push gets through) still takes its commands when it calls by itself.
  if (view.enrollmentStatus === 'authenticated') return { do: 'waitForEnrollment' };
  return view.desired === null ? planRemoval(view, memory) : planDelivery(view, view.desired, memory, nowMs);
}

function planDelivery(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  nowMs: number,
): RolloutAction {
  const inventory = unanswered(memory, inventoryOf(view));
  // Profiles and apps are asked about again beside the next step; the first picture must be whole.
  const isWhole = inventory.every(
    ({ type }) => (type === 'ProfileList' || type === 'ManagedApplicationList') && hasChanged(memory),
  );
  if (!isWhole) return send('asking_device', inventory);

  const foreign = foreignProfiles(view, desired);
  if (foreign.some((identifier) => (memory.tries[`remove.${identifier}`] ?? 0) >= MAX_TRIES))
    return { do: 'fail', code: 'mdm.command_refused' };
  if (foreign.length > 0 && memory.fresh.includes('ProfileList'))
    return send(
      'profiles',
      foreign.map((identifier) => ({ type: 'RemoveProfile', identifier })),
    );

  if (desired.wantsCertificate && !view.hasCertificate) {
    if ((memory.tries['certificate'] ?? 0) >= MAX_TRIES) return { do: 'fail', code: 'certificate.not_seen' };
    return { do: 'obtainCertificate', integrationId: desired.integrationId };
  }

  const missing = missingProfiles(view, desired, memory);
  if (missing.some((profile) => (memory.tries[installKey(profile)] ?? 0) >= MAX_TRIES))
    return { do: 'fail', code: 'mdm.profile_refused' };
  if (missing.length > 0)
    return send(
      'profiles',
      missing.map(({ kind, revision }) => ({ type: 'InstallProfile', kind, revision })),
    );
  return planApp(view, desired, memory, unanswered(memory, inventoryOf(view)), nowMs);
}

const hasChanged = (memory: RolloutMemory) => Object.values(memory.tries).some((tries) => tries > 0);

function inventoryOf(view: RolloutView): Query[] {
  if (view.platform === 'iOS') return ['DeviceInformation', 'ProfileList', 'ManagedApplicationList'];
  return [
    'DeviceInformation',
    'ProfileList',
    'CertificateList',
    'ManagedApplicationList',
    // Only asked to name a Mac on which Okta Verify is not the App Store's.
    ...(isManagedApp(view.reported.appStatus) ? [] : (['InstalledApplicationList'] as const)),
  ];
}

/** Settings and SSO profiles of another integration: two of them at once would contradict each other. */
const foreignProfiles = (view: RolloutView, desired: DesiredState): string[] =>
  (view.reported.profiles ?? [])
    .filter(
      ({ kind, integrationId }) => !kind.startsWith('certificate') && integrationId !== desired.integrationId,
    )
    .map(({ identifier }) => identifier);

const installKey = (profile: Pick<WantedProfile, 'kind' | 'revision'>): string =>
  `${profile.kind}.${profile.revision}`;

/** Not on the device in the wanted revision; one that was just accepted is not missing until ProfileList says so. */
const missingProfiles = (view: RolloutView, desired: DesiredState, memory: RolloutMemory): WantedProfile[] =>
  desired.profiles.filter((wanted) => {
    const isThere = view.reported.profiles?.some(
      ({ identifier, uuid }) => identifier === wanted.identifier && uuid === wanted.payloadUuid,
    );
    const isJustSent = !memory.fresh.includes('ProfileList') && (memory.tries[installKey(wanted)] ?? 0) > 0;
    return isThere !== true && !isJustSent;
  });

/** Under which name a run counts how often a change was carried out. */
export function tryKeyOf(request: StepRequest): string | undefined {
  switch (request.type) {
    case 'InstallProfile':
      return installKey(request);
    case 'InstallApplication':
      return 'app';
    case 'ApplicationConfiguration':
      return request.content === 'own'
        ? 'remove.ApplicationConfiguration'
        : `configuration.${request.revision}`;
    case 'RemoveProfile':
      return `remove.${request.identifier}`;
    case 'RemoveApplication':
      return 'remove.RemoveApplication';
    case 'RenewIdentity':
      return `identity.${request.revision}`;
    default:
      return undefined;
  }
}

/** The questions whose answers a change makes old. */
export function outdatedBy(request: StepRequest): Query[] {
  switch (request.type) {
    case 'InstallProfile':
    case 'RemoveProfile':
      return ['ProfileList'];
    case 'InstallApplication':
    case 'RemoveApplication':
      return ['ManagedApplicationList', 'ManagedApplicationConfiguration'];
    case 'ApplicationConfiguration':
      return ['ManagedApplicationConfiguration'];
    default:
      return [];
  }
}
