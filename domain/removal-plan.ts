// What a rollout does when the desired state is none: take away what Odette put there, after a delay, and nothing else.
import { DEFAULT_INTEGRATION_SETTINGS } from './integration-settings.ts';
import { HOUR_MS } from './patience.ts';
import type { RolloutAction, RolloutMemory, StepRequest } from './rollout-action.ts';
import { blockedAction, retryOfRequest } from './rollout-step.ts';
import { partition, retryOf } from './retries.ts';
import { isManagedApp, type RolloutView } from './rollout-view.ts';

/** The integration may be gone, and its settings with it. */
const { patienceHours } = DEFAULT_INTEGRATION_SETTINGS;

export function planRemoval(view: RolloutView, memory: RolloutMemory, nowMs: number): RolloutAction {
  const retry = retryOfRequest(memory, patienceHours, nowMs);
  const queries: StepRequest[] = (['ProfileList', 'ManagedApplicationList'] as const)
    .filter((query) => !memory.fresh.includes(query))
    .map((type) => ({ type }));
  const inventory = partition(queries, retry);
  if (inventory.due.length > 0) return { do: 'send', phase: 'asking_device', requests: inventory.due };
  const unknown = blockedAction(inventory.blocked, 'asking_device');
  if (unknown !== undefined) return unknown;

  const removals = removalsOf(view);
  const hasCertificates = holdsCertificates(view, memory);
  const returnsLicense = view.removal.removesApp && view.holdsLicense;
  if (removals.length === 0 && !hasCertificates && !returnsLicense)
    return { do: 'finish', phase: 'out_of_scope' };
  if (!memory.removalDelayOver) return { do: 'waitForRemovalDelay', minutes: view.removal.delayMinutes };

  const { due, blocked } = partition(removals, retry);
  if (due.length > 0) return { do: 'send', phase: 'removing', requests: due };
  const stuck = blockedAction(blocked, 'removing');
  if (hasCertificates) {
    const certificate = retryOf(
      memory.tries['removeCertificate'],
      patienceHours * HOUR_MS,
      'mdm.command_refused',
      nowMs,
    );
    if (certificate.kind === 'due') return { do: 'removeCertificate' };
    return blockedAction([...blocked, certificate], 'removing') ?? { do: 'removeCertificate' };
  }
  // Last: an app that is still there would lose its license under its user's hands.
  return stuck ?? { do: 'returnLicense' };
}

function removalsOf(view: RolloutView): StepRequest[] {
  const profiles = (view.reported.profiles ?? []).filter(({ kind }) => !kind.startsWith('certificate'));
  const isManaged = isManagedApp(view.reported.appStatus);
  const removesApp = view.removal.removesApp && isManaged;
  return [
    ...profiles.map(({ identifier }) => ({ type: 'RemoveProfile', identifier }) as const),
    ...(view.configurationWasSent && isManaged && !removesApp
      ? [{ type: 'ApplicationConfiguration', content: 'own', revision: 'own' } as const]
      : []),
    ...(removesApp ? [{ type: 'RemoveApplication' } as const] : []),
  ];
}

function holdsCertificates(view: RolloutView, memory: RolloutMemory): boolean {
  const isListed = (view.reported.profiles ?? []).some(({ kind }) => kind.startsWith('certificate'));
  // The certificate workflow may still be delivering: unless it is told, a certificate would arrive and stay.
  const wasRequested =
    memory.tries['certificate'] !== undefined && memory.tries['removeCertificate'] === undefined;
  return isListed || view.hasOpenDelivery || wasRequested;
}
