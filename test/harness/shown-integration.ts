// An integration as the API shows it, for tests of the command line.
import type { z } from 'zod';
import type { Integration } from '../../api/contract/integrations.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../../domain/integration-settings.ts';

const AT = '2027-01-02T03:04:05.000Z';

export const shownIntegration = (
  changes: Partial<z.input<typeof Integration>> = {},
): z.input<typeof Integration> => ({
  id: '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11',
  name: 'acme',
  orgId: '00o1',
  host: 'acme.okta.com',
  channel: 'built_in',
  customDomain: null,
  credentialsKind: 'api_service_integration',
  clientId: 'c',
  credentials: null,
  grantedScopes: [],
  macOS: null,
  iOS: null,
  enrollmentLink: null,
  settings: { ...DEFAULT_INTEGRATION_SETTINGS, trustLookupSeconds: [60], furtherDomains: [] },
  health: [],
  haltedReissues: [],
  check: null,
  createdAt: AT,
  changedAt: AT,
  ...changes,
});
