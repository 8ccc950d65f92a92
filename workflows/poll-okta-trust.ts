// Asks Okta about devices of one integration that were delivered a moment ago, or about which somebody wants to know: they turn green while the
// admin watches, and the sweep does the rest. Which devices and when is in the tables: however many are due, it wakes once.
import { condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { inPassing } from './in-passing.ts';
import { oktaLooksWantedSignal } from './messages.ts';
import { localTry, oktaDevices } from './policies.ts';
import { showDetails } from './show-details.ts';

export interface PollOktaTrustInput {
  readonly integrationId: string;
}

export async function pollOktaTrust({ integrationId }: PollOktaTrustInput): Promise<void> {
  let wanted = 0;
  // One that comes twice makes it look once more.
  setHandler(oktaLooksWantedSignal, () => {
    wanted += 1;
  });
  showDetails(["Waits for users' first sign-ins with Okta FastPass."]);
  for (;;) {
    const known = wanted;
    const leftMs = await lookUp({ integrationId, nowMs: Date.now() });
    if (leftMs === null && wanted === known) return;
    if (workflowInfo().continueAsNewSuggested && wanted === known)
      await continueAsNew<typeof pollOktaTrust>({ integrationId });
    if (leftMs !== null && leftMs > 0)
      await condition(() => wanted !== known, Math.ceil(leftMs), { summary: 'until the next look' });
  }
}

/** Okta that refuses, or is away, is asked again for as long as it takes. */
async function lookUp(input: Parameters<typeof oktaDevices.lookUpDueDevices>[0]): Promise<number | null> {
  const found = await inPassing(localTry.okta.lookUpDueDevices(input));
  const { leftMs } =
    found ?? (await oktaDevices.lookUpDueDevices.executeWithOptions({ summary: 'asks Okta' }, [input]));
  return leftMs;
}
