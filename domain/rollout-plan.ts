// What a rollout does next: the difference between the desired state and what the device reported, as one action.
// Pure; workflows/roll-out-device.ts carries the actions out and keeps the memory of its run. The app is app-plan.ts,
// what goes is removal-plan.ts.
import { planApp } from './app-plan.ts';
import { HOUR_MS } from './patience.ts';
import { planRemoval } from './removal-plan.ts';
import { partition, retryOf, type Blocked } from './retries.ts';
import { blockedAction, installKey, QUERY_KEY, retryOfRequest } from './rollout-step.ts';
import {
  type RolloutPhase,
  type DeviceQuery,
  type Query,
  type StepRequest,
  type RolloutAction,
  type RolloutMemory,
} from './rollout-action.ts';
import {
  isManagedApp,
  waitsForUserChannel,
  type DesiredState,
  type RolloutView,
  type WantedProfile,
} from './rollout-view.ts';

/** The phase that an action stands for. */
export function phaseOf(action: RolloutAction): RolloutPhase {
  switch (action.do) {
    case 'send':
    case 'backOff':
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
      return 'app';
    case 'waitForUser':
      return 'waits_for_user';
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

/** Queries of a list whose responses are missing or old, as requests. */
const unanswered = (memory: RolloutMemory, queries: readonly Query[]): StepRequest[] =>
  queries.filter((query) => !memory.fresh.includes(query)).map((type) => ({ type }));

export function planRollout(view: RolloutView, memory: RolloutMemory, nowMs: number): RolloutAction {
  if (view.enrollmentStatus === 'checked_out') return { do: 'finish', phase: 'not_enrolled' };
  // An unreachable device (no push gets through) still takes its commands when it calls by itself.
  if (view.enrollmentStatus === 'authenticated') return { do: 'waitForEnrollment' };
  return view.desired === null
    ? planRemoval(view, memory, nowMs)
    : planDelivery(view, view.desired, memory, nowMs);
}

function planDelivery(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  nowMs: number,
): RolloutAction {
  const retry = retryOfRequest(memory, desired.settings.patienceHours, nowMs);
  const inventory = partition(unanswered(memory, inventoryOf(view)), retry);
  // Profiles and apps are asked about again beside the next step; the first picture must be whole.
  const isWhole = inventory.due.every(
    ({ type }) => (type === 'ProfileList' || type === 'ManagedApplicationList') && hasChanged(memory),
  );
  if (!isWhole) return send('asking_device', inventory.due);
  const unknown = blockedAction(inventory.blocked, 'asking_device');
  if (unknown !== undefined) return unknown;

  const foreign = partition(foreignProfiles(view, desired), retry);
  const isForeign = foreign.due.length + foreign.blocked.length > 0;
  const look = inventory.due.filter(({ type }) => type === 'ProfileList');
  // One that was just removed is still in the last list.
  if (isForeign && look.length > 0) return send('profiles', look);
  if (foreign.due.length > 0) return send('profiles', foreign.due);
  const contradiction = blockedAction(foreign.blocked, 'profiles');
  if (contradiction !== undefined) return contradiction;

  // What cannot be had now holds up nothing else: each of the others is brought to its desired state first.
  const blocked: Blocked[] = [];
  if (desired.wantsCertificate && !view.hasCertificate && !waitsForUserChannel(view, desired)) {
    const patienceMs = desired.settings.patienceHours * HOUR_MS;
    const certificate = retryOf(memory.tries['certificate'], patienceMs, 'certificate.not_seen', nowMs);
    if (certificate.kind === 'due') return { do: 'obtainCertificate', integrationId: desired.integrationId };
    blocked.push(certificate);
  }
  const profiles = partition(missingProfiles(view, desired, memory), retry);
  blocked.push(...profiles.blocked);

  const app = planApp(view, desired, memory, unanswered(memory, inventoryOf(view)), nowMs);
  if (profiles.due.length > 0) return sendTogether(profiles.due, app);
  // Nothing else waits for a user who is away, so their channel is asked last.
  const ofUser = unanswered(memory, userListsOf(view, desired));
  if (app.do === 'finish' && blocked.length === 0 && ofUser.length > 0) return send('certificate', ofUser);
  return settle(app, blocked);
}

/** Profiles, the app if it can be sent now, and one look at what came of them. */
function sendTogether(profiles: readonly StepRequest[], app: RolloutAction): RolloutAction {
  const look = { type: 'ProfileList' } as const;
  const appRequests = app.do === 'send' && app.phase === 'app' ? app.requests : [];
  return send('profiles', [...profiles, ...appRequests.filter(({ type }) => type !== look.type), look]);
}

/** What proves a certificate in a login keychain. */
const userListsOf = (view: RolloutView, desired: DesiredState): Query[] =>
  desired.wantsCertificate && desired.certificateScope === 'User' && view.hasUserChannel
    ? ['UserProfileList', 'UserCertificateList']
    : [];

/** The app's step beside what cannot be done now. A wait for the app does not outlast the next retry of something else. */
function settle(app: RolloutAction, blocked: readonly Blocked[]): RolloutAction {
  if (blocked.length === 0 || app.do === 'send' || app.do === 'recordRefusal') return app;
  const isEnd = app.do === 'finish' || app.do === 'fail' || app.do === 'backOff';
  const all: Blocked[] = [...blocked];
  if (app.do === 'backOff') all.push({ kind: 'later', untilMs: app.untilMs, code: app.code });
  const action = blockedAction(all, 'profiles');
  return action !== undefined && (isEnd || action.do === 'backOff') ? action : app;
}

const hasChanged = (memory: RolloutMemory) =>
  Object.entries(memory.tries).some(([key, { count }]) => count > 0 && !key.startsWith(QUERY_KEY));

/** What a device is asked for a whole picture of it. */
export function inventoryOf(view: RolloutView): DeviceQuery[] {
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
const foreignProfiles = (view: RolloutView, desired: DesiredState): StepRequest[] =>
  (view.reported.profiles ?? [])
    .filter(
      ({ kind, integrationId }) => !kind.startsWith('certificate') && integrationId !== desired.integrationId,
    )
    .map(({ identifier }) => ({ type: 'RemoveProfile', identifier }));

/** Not on the device in the wanted revision; one that was just accepted is not missing until ProfileList says so. */
const missingProfiles = (view: RolloutView, desired: DesiredState, memory: RolloutMemory): StepRequest[] =>
  desired.profiles
    .filter((wanted) => isMissing(wanted, view, memory))
    .map(({ kind, revision }) => ({ type: 'InstallProfile', kind, revision }));

function isMissing(wanted: WantedProfile, view: RolloutView, memory: RolloutMemory): boolean {
  const isThere = view.reported.profiles?.some(
    ({ identifier, uuid }) => identifier === wanted.identifier && uuid === wanted.payloadUuid,
  );
  const tried = memory.tries[installKey(wanted)];
  const isJustSent = !memory.fresh.includes('ProfileList') && tried !== undefined && tried.failure === null;
  return isThere !== true && !isJustSent;
}
