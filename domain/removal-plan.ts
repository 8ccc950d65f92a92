// What a rollout does when the desired state is none: take away what Odette put there, after a delay, and nothing else.
import { MAX_TRIES } from './patience.ts';
import type { RolloutAction, RolloutMemory, StepRequest } from './rollout-plan.ts';
import { isManagedApp, type RolloutView } from './rollout-view.ts';

export function planRemoval(view: RolloutView, memory: RolloutMemory): RolloutAction {
  const inventory: StepRequest[] = (['ProfileList', 'ManagedApplicationList'] as const)
    .filter((query) => !memory.fresh.includes(query))
    .map((type) => ({ type }));
  if (inventory.length > 0) return { do: 'send', phase: 'asking_device', requests: inventory };

  const profiles = view.reported.profiles ?? [];
  const others = profiles.filter(({ kind }) => !kind.startsWith('certificate'));
  // The certificate workflow may still be at work: unless it is told, a certificate would come, and stay.
  const wasAsked =
    memory.tries['certificate'] !== undefined && memory.tries['removeCertificate'] === undefined;
  const hasCertificates = profiles.length > others.length || view.hasOpenDelivery || wasAsked;
  const isManaged = isManagedApp(view.reported.appStatus);
  const takesConfigurationBack = view.configurationWasSent && isManaged;
  const removesApp = view.removal.removesApp && isManaged;
  const givesLicenseBack = view.removal.removesApp && view.holdsLicense;
  if (others.length === 0 && !hasCertificates && !takesConfigurationBack && !removesApp && !givesLicenseBack)
    return { do: 'finish', phase: 'out_of_scope' };
  if (!memory.removalDelayOver) return { do: 'waitForRemovalDelay', minutes: view.removal.delayMinutes };

  const requests: StepRequest[] = [
    ...others.map(({ identifier }) => ({ type: 'RemoveProfile', identifier }) as const),
    ...(takesConfigurationBack && !removesApp
      ? [{ type: 'ApplicationConfiguration', content: 'own', revision: 'own' } as const]
      : []),
    ...(removesApp ? [{ type: 'RemoveApplication' } as const] : []),
  ];
  if (
    requests.some(
      (request) =>
        (memory.tries[`remove.${request.type === 'RemoveProfile' ? request.identifier : request.type}`] ??
          0) >= MAX_TRIES,
    )
  )
    return { do: 'fail', code: 'mdm.command_refused' };
  if (requests.length > 0) return { do: 'send', phase: 'removing', requests };
  // Last: an app that is still there would lose its license under its user's hands.
  if (!hasCertificates) return { do: 'returnLicense' };
  if ((memory.tries['removeCertificate'] ?? 0) >= MAX_TRIES)
    return { do: 'fail', code: 'mdm.command_refused' };
  return { do: 'removeCertificate' };
}
