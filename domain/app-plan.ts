// What a rollout does about Okta Verify, once everything else is on the device: license, installation, refusals, configuration.
import { MAX_TRIES } from './patience.ts';
import type { RolloutAction, RolloutMemory, RolloutPhase, StepRequest } from './rollout-plan.ts';
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
const DAY_MS = 24 * 60 * 60 * 1000;

const send = (phase: RolloutPhase, requests: readonly StepRequest[]): RolloutAction => ({
  do: 'send',
  phase,
  requests,
});

/** `stale`: questions to the device that are to be asked beside the app's own steps. */
export function planApp(
  view: RolloutView,
  desired: DesiredState,
  memory: RolloutMemory,
  stale: readonly StepRequest[],
  nowMs: number,
): RolloutAction {
  const status = view.reported.appStatus;
  if (isManagedApp(status)) {
    if (stale.length > 0) return send('profiles', stale);
    return planConfiguration(view, desired, memory);
  }
  const isSettled = memory.fresh.includes('ManagedApplicationList');
  if (memory.appSent) {
    if (stale.length > 0) return send('app', stale);
    if (isRefusedApp(status)) return { do: 'recordRefusal' };
    if (memory.appChecks >= MAX_APP_CHECKS) return { do: 'fail', code: 'mdm.app_not_installed' };
    if (status !== 'Failed') return { do: 'waitForApp' };
  } else if (isSettled && isAppUnderWay(status)) {
    if (stale.length > 0) return send('app', stale);
    if (memory.appChecks >= MAX_APP_CHECKS) return { do: 'fail', code: 'mdm.app_not_installed' };
    return { do: 'waitForApp' };
  }
  // Everything else first; then what stands in the way of the app.
  const otherwise = (action: RolloutAction) => (stale.length > 0 ? send('profiles', stale) : action);
  if (view.appRefusals >= MAX_REFUSALS) return otherwise({ do: 'finish', phase: 'waits_for_user' });
  const nextPromptMs = (view.lastRefusedAtMs ?? 0) + DAY_MS;
  if (view.appRefusals > 0 && nowMs < nextPromptMs)
    return otherwise({ do: 'waitForUser', untilMs: nextPromptMs });
  if (view.reported.appIsForeign) return otherwise({ do: 'fail', code: 'mdm.app_not_from_app_store' });
  if ((memory.tries['app'] ?? 0) >= MAX_TRIES + view.appRefusals)
    return otherwise({ do: 'fail', code: 'mdm.app_not_installed' });
  if (memory.license === 'pending' || memory.license === 'unasked')
    return otherwise({ do: 'waitForLicense' });
  if (memory.license !== 'ready') return otherwise({ do: 'fail', code: memory.license });
  const revision = desired.appConfigurationRevision ?? 'app';
  const queries = stale.filter(({ type }) => type === 'ProfileList');
  return send('app', [
    { type: 'InstallApplication', revision },
    ...queries,
    { type: 'ManagedApplicationList' },
  ]);
}

/** iPhone and iPad: the configuration counts when it was read back from the device and found equal. */
function planConfiguration(view: RolloutView, desired: DesiredState, memory: RolloutMemory): RolloutAction {
  const revision = desired.appConfigurationRevision;
  if (revision === null) return { do: 'finish', phase: 'delivered' };
  if (!memory.fresh.includes('ManagedApplicationConfiguration'))
    return send('app_configuration', [{ type: 'ManagedApplicationConfiguration' }]);
  if (view.reported.appConfigurationRevision === revision) return { do: 'finish', phase: 'delivered' };
  if ((memory.tries[`configuration.${revision}`] ?? 0) >= MAX_TRIES)
    return { do: 'fail', code: 'mdm.command_refused' };
  return send('app_configuration', [
    { type: 'ApplicationConfiguration', content: 'odette', revision },
    { type: 'ManagedApplicationConfiguration' },
  ]);
}
