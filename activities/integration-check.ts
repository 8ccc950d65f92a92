// The daily look at a connected tenant: prerequisites as at setup, custom domains, clock, and Okta's authority.
import { checkSourcesOf } from '../adapters/okta/check-sources.ts';
import { appsAndBooksClientId } from '../adapters/store/integration/apps-and-books-tokens.ts';
import {
  integrationDomains,
  recordIntegrationCheck,
} from '../adapters/store/integration/integration-checks.ts';
import { findIntegration, listPlatforms } from '../adapters/store/integration/integrations.ts';
import { checkTenant } from '../domain/integration-check.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function integrationChecks(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /** false: there is no such integration (any more). @throws CataloguedError what passes by itself */
    async inspectIntegration({ integrationId }: { readonly integrationId: string }): Promise<boolean> {
      const integration = await findIntegration(database, integrationId);
      if (integration === undefined) return false;
      const platforms = await listPlatforms(database, integrationId);
      const check = await checkTenant(
        integrationDomains(integration),
        checkSourcesOf(integration, platforms, {
          ...deps,
          appsAndBooksId: () => appsAndBooksClientId(database),
        }),
      );
      await database.inTransaction((sql) => recordIntegrationCheck(sql, integrationId, check));
      return true;
    },
  };
}
