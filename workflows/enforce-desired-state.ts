// The enforcement sweep: devices that were not verified lately are checked; a difference, and what failed, is rolled out again.
import type { SweepInput } from './observe-trust.ts';
import type { SweptPage } from '../activities/sweeps.ts';
import { sweeps } from './policies.ts';
import { showDetails } from './show-details.ts';
import { plural } from '../domain/plural.ts';

export async function enforceDesiredState({ integrationId }: SweepInput): Promise<void> {
  let after: string | null = null;
  let started = 0;
  do {
    const page: SweptPage = await sweeps.enforcePage({ integrationId, after, nowMs: Date.now() });
    started += page.started;
    after = page.next;
    showDetails([`Odette verifies ${plural(started, 'device')} again.`]);
  } while (after !== null);
}
