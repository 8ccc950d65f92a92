// What a check of a connected tenant asks: its organization, its custom domains, its API, and its SCEP server.
import type { CheckSources } from '../../domain/integration-check.ts';
import { guardedHttp } from './guarded-http.ts';
import type { OktaClient } from './okta-client.ts';
import { readOrganization } from './organization.ts';
import { checkScepUrl } from './scep-check.ts';

interface Outside extends Pick<CheckSources, 'appsAndBooks' | 'appsAndBooksId'> {
  readonly allowedPrivateHosts: readonly string[];
  oktaClient(integrationId: string): Promise<OktaClient>;
}

export function checkSourcesOf(
  integration: { readonly id: string; readonly oktaHost: string },
  platforms: readonly { readonly scepUrl: string | null }[],
  { allowedPrivateHosts, oktaClient, appsAndBooks, appsAndBooksId }: Outside,
): CheckSources {
  const http = guardedHttp(allowedPrivateHosts);
  const url = platforms.find(({ scepUrl }) => scepUrl !== null)?.scepUrl ?? null;
  return {
    organization: (host = integration.oktaHost) => readOrganization(host, http),
    oktaClient: () => oktaClient(integration.id),
    appsAndBooks,
    appsAndBooksId,
    authority: async () => (url === null ? null : checkScepUrl({ url, allowedPrivateHosts })),
  };
}
