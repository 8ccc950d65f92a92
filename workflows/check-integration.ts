// The daily check of an integration: prerequisites as at setup, custom domains, clock, Okta's authority.
import type { SweepInput } from './observe-trust.ts';
import { integrationChecks } from './policies.ts';
import { showDetails } from './show-details.ts';

export async function checkIntegration({ integrationId }: SweepInput): Promise<void> {
  const isThere = await integrationChecks.inspectIntegration({ integrationId });
  showDetails([
    isThere ? 'Checked. The result is on the page of the integration.' : 'The integration no longer exists.',
  ]);
}
