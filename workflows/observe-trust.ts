// The sweep of Okta's devices: every page of one integration, then what Okta does not list any more.
import { continueAsNew } from '@temporalio/workflow';
import { oktaDevices } from './policies.ts';
import { showDetails } from './show-details.ts';
import { plural } from '../domain/plural.ts';

export interface SweepInput {
  readonly integrationId: string;
}
interface ObserveTrustInput extends SweepInput {
  /** Where an earlier run of this sweep stopped. */
  readonly carried?: { readonly beganAtMs: number; readonly next: string; readonly devices: number };
}

const PAGES_PER_RUN = 100;

export async function observeTrust({ integrationId, carried }: ObserveTrustInput): Promise<void> {
  const beganAtMs = carried?.beganAtMs ?? Date.now();
  let next: string | null = carried?.next ?? null;
  let devices = carried?.devices ?? 0;
  for (let page = 1; ; page += 1) {
    const observed = await oktaDevices.observeOktaPage({ integrationId, next, nowMs: Date.now() });
    devices += observed.devices;
    next = observed.next;
    showDetails([`${plural(devices, 'device')} seen in Okta.`]);
    if (next === null) break;
    if (page === PAGES_PER_RUN)
      await continueAsNew<typeof observeTrust>({ integrationId, carried: { beganAtMs, next, devices } });
  }
  const { gone } = await oktaDevices.concludeObservation({ integrationId, beganAtMs, nowMs: Date.now() });
  showDetails([`${plural(devices, 'device')} seen in Okta; ${gone} gone.`]);
}
