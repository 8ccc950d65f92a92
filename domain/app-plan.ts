// What a rollout does about Okta Verify, once everything else is on the device: license, installation, refusals, configuration.
import type { FailureCode } from './failures.ts';
import { HOUR_MS } from './patience.ts';
import { retryOf, type Retry } from './retries.ts';
import type { RolloutAction, RolloutMemory, RolloutPhase, StepRequest } from './rollout-action.ts';
import {
  isAppUnderWay,
  isManagedApp,
  isRefusedApp,
  type DesiredState,
  type RolloutView,
} from './rollout-view.ts';

const MAX_REFUSALS = 3;
/** After so many looks, 5 s doubling, about a week is over. */
export const MAX_APP_CHECKS = 18;
const DAY_MS = 24 * HOUR_MS;

const send = (phase: RolloutPhase, requests: readonly StepRequest[]): RolloutAction => ({
  do: 'send',
  phase,
  requests,
});

/** `stale`: queries to the device that are to be asked beside the app's own steps. */
export function planApp(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  stale: readonly StepRequest[],
  nowMs: number,
): RolloutAction {
  if (isManagedApp(view.reported.appStatus)) {
    if (stale.length > 0) return send('profiles', stale);
    return planConfiguration(view, desired, memory, nowMs);
  }
  if (desired.appComesFromElsewhere)
    return stale.length > 0 ? send('profiles', stale) : { do: 'finish', phase: 'delivered' };
  const onItsWay = planWait(view, memory, stale, nowMs);
  if (onItsWay !== undefined) return onItsWay;
  const obstacle = planObstacle(view, desired, memory, nowMs);
  // Everything else first; then what stands in the way of the app.
  if (obstacle !== undefined) return stale.length > 0 ? send('profiles', stale) : obstacle;
  const revision = desired.appConfigurationRevision ?? 'app';
  const queries = stale.filter(({ type }) => type === 'ProfileList');
  return send('app', [
    { type: 'InstallApplication', revision },
    ...queries,
    { type: 'ManagedApplicationList' },
  ]);
}

/** The app is on its way; undefined: it is not. */
function planWait(
  view: RolloutView,
  memory: RolloutMemory,
  stale: readonly StepRequest[],
  nowMs: number,
): RolloutAction | undefined {
  const status = view.reported.appStatus;
  const isUnderWay = memory.fresh.includes('ManagedApplicationList') && isAppUnderWay(status);
  if (!memory.appSent && !isUnderWay) return undefined;
  if (stale.length > 0) return send('app', stale);
  if (memory.appSent && isRefusedApp(status)) return { do: 'recordRefusal' };
  const tried = memory.tries['app'];
  // Its user installed it, and was asked just now to let Odette manage it.
  if (tried?.failure === 'mdm.app_already_installed' && !isUnderWay)
    return { do: 'finish', phase: 'waits_for_user', code: 'mdm.app_already_installed' };
  if (memory.appChecks >= MAX_APP_CHECKS) return { do: 'fail', code: 'mdm.app_not_installed' };
  // Accepted, and not shown, or deleted by its user meanwhile: sent again, later and later.
  const isOverdue = !isUnderWay && tried !== undefined && nowMs >= tried.dueAtMs;
  return isOverdue || (memory.appSent && status === 'Failed') ? undefined : { do: 'waitForApp' };
}

/** Why the app is not sent now. */
function planObstacle(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  nowMs: number,
): RolloutAction | undefined {
  if (view.appRefusals >= MAX_REFUSALS) return { do: 'finish', phase: 'waits_for_user' };
  const nextPromptMs = (view.lastRefusedAtMs ?? 0) + DAY_MS;
  if (view.appRefusals > 0 && nowMs < nextPromptMs) return { do: 'waitForUser', untilMs: nextPromptMs };
  if (view.reported.appIsForeign) return { do: 'fail', code: 'mdm.app_not_from_app_store' };
  const retry = retryIn(desired, memory, 'app', 'mdm.app_not_installed', nowMs);
  if (retry.kind === 'over') return { do: 'fail', code: retry.code };
  // Where licenses are the other server's, the device tells by its answer that it has none.
  if (view.can.license) {
    if (memory.license === 'pending' || memory.license === 'unasked') return { do: 'waitForLicense' };
    if (memory.license !== 'ready') return { do: 'fail', code: memory.license };
  }
  return retry.kind === 'later' ? backOff('app', retry) : undefined;
}

/** iPhone and iPad: the configuration counts when it was read back from the device and found equal. */
function planConfiguration(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  nowMs: number,
): RolloutAction {
  const revision = desired.appConfigurationRevision;
  if (revision === null) return { do: 'finish', phase: 'delivered' };
  const retry = (key: string) => retryIn(desired, memory, key, 'mdm.command_refused', nowMs);
  if (!memory.fresh.includes('ManagedApplicationConfiguration')) {
    const query = { type: 'ManagedApplicationConfiguration' } as const;
    return ifDue(retry(`query.${query.type}`), send('app_configuration', [query]));
  }
  if (view.reported.appConfigurationRevision === revision) return { do: 'finish', phase: 'delivered' };
  return ifDue(
    retry(`configuration.${revision}`),
    send('app_configuration', [
      { type: 'ApplicationConfiguration', content: 'odette', revision },
      { type: 'ManagedApplicationConfiguration' },
    ]),
  );
}

const retryIn = (
  { settings }: DesiredState,
  memory: RolloutMemory,
  key: string,
  otherwise: FailureCode,
  nowMs: number,
): Retry => retryOf(memory.tries[key], settings.patienceHours * HOUR_MS, otherwise, nowMs);

function ifDue(retry: Retry, action: RolloutAction): RolloutAction {
  if (retry.kind === 'due') return action;
  return retry.kind === 'over' ? { do: 'fail', code: retry.code } : backOff('app_configuration', retry);
}

const backOff = (
  phase: RolloutPhase,
  { untilMs, code }: Extract<Retry, { kind: 'later' }>,
): RolloutAction => ({
  do: 'backOff',
  phase,
  untilMs,
  code,
});
