// The expiry watch: a certificate without its workflow gets it back.
import type { SweepInput } from './observe-trust.ts';
import type { SweptPage } from '../activities/sweeps.ts';
import { sweeps } from './policies.ts';
import { showDetails } from './show-details.ts';

export async function watchExpiry({ integrationId }: SweepInput): Promise<void> {
  let after: string | null = null;
  let started = 0;
  do {
    const page: SweptPage = await sweeps.watchExpiryPage({ integrationId, after });
    started += page.started;
    after = page.next;
    showDetails([`Started the missing workflow of ${started} certificates.`]);
  } while (after !== null);
}
