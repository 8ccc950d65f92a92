// One request of a rollout: its step and key, what it makes old, whether it may be sent now, and what follows where none may.
import { HOUR_MS } from './patience.ts';
import { retryOf, type Blocked, type Retry } from './retries.ts';
import type { Query, RolloutAction, RolloutMemory, RolloutPhase, StepRequest } from './rollout-action.ts';
import type { PayloadScope } from './profile-identifier.ts';
import type { WantedProfile } from './rollout-view.ts';

/** Whose channel a request takes. */
export function scopeOf(request: StepRequest): PayloadScope {
  if (request.type === 'RemoveProfile') return request.scope ?? 'System';
  return request.type === 'UserProfileList' || request.type === 'UserCertificateList' ? 'User' : 'System';
}

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

export const installKey = (profile: Pick<WantedProfile, 'kind' | 'revision'>): string =>
  `${profile.kind}.${profile.revision}`;

/** Of queries, among the keys of changes. */
export const QUERY_KEY = 'query.';

/** Under which name a run remembers what it tried. */
export function tryKeyOf(request: StepRequest): string {
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
      return `${QUERY_KEY}${request.type}`;
  }
}

export const isQuery = (request: StepRequest): request is { readonly type: Query } =>
  tryKeyOf(request).startsWith(QUERY_KEY);

/** The queries whose responses a change makes old. */
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

/** The retry of a request: whether it may be sent now. */
export const retryOfRequest =
  (memory: RolloutMemory, patienceHours: number, nowMs: number) =>
  (request: StepRequest): Retry =>
    retryOf(
      memory.tries[tryKeyOf(request)],
      patienceHours * HOUR_MS,
      request.type === 'InstallProfile' || request.type === 'RemoveProfile'
        ? 'mdm.profile_refused'
        : 'mdm.command_refused',
      nowMs,
    );

/** Nothing is left but what cannot be done now: the earliest retry, or else why there is none. */
export function blockedAction(blocked: readonly Blocked[], phase: RolloutPhase): RolloutAction | undefined {
  const waits = blocked.flatMap((each) => (each.kind === 'later' ? [each] : []));
  const [earliest] = waits.toSorted((one, other) => one.untilMs - other.untilMs);
  if (earliest !== undefined) return { do: 'backOff', phase, untilMs: earliest.untilMs, code: earliest.code };
  const over = blocked.find(({ kind }) => kind === 'over');
  return over && { do: 'fail', code: over.code };
}
