// A setup that changes an integration begins with what is in the tables: every answer given, ready to be given again.
import type { IntegrationRow, PlatformRow } from '../adapters/store/integrations.ts';
import {
  PREREQUISITES,
  newSetup,
  type SetupAnswer,
  type SetupState,
  type SetupStep,
} from '../domain/setup-wizard.ts';

export function setupOfIntegration(
  setupId: string,
  integration: IntegrationRow,
  platforms: readonly PlatformRow[],
): SetupState {
  const mac = platforms.find(({ platform }) => platform === 'macOS');
  const ios = platforms.find(({ platform }) => platform === 'iOS');
  const { credentialsKind, credentialsSecretId, clientId, oktaHost, customDomain } = integration;
  const answers: SetupAnswer[] = [
    { step: 'get_started' },
    { step: 'okta_domain', domain: oktaHost },
    {
      step: 'install_api_integration',
      credentialsKind,
      ...(credentialsKind === 'api_services_app' && { secretId: credentialsSecretId }),
    },
    { step: 'credentials', clientId, secretId: credentialsSecretId },
    { step: 'connect', confirmed: PREREQUISITES },
    { step: 'device_integrations' },
    { step: 'platforms', platforms: platforms.map(({ platform }) => platform) },
  ];
  if (mac)
    answers.push({
      step: 'macos',
      scepUrl: mac.scepUrl ?? '',
      challengeUrl: mac.challengeUrl ?? '',
      username: mac.challengeUsername ?? '',
      secretId: mac.secretId,
    });
  if (ios) answers.push({ step: 'ios', secretId: ios.secretId, providerName: ios.providerName ?? '' });
  return {
    ...newSetup(setupId),
    step: 'complete',
    answers: Object.fromEntries(answers.map((answer) => [answer.step as SetupStep, answer])),
    tenant: {
      orgId: integration.oktaOrgId,
      host: oktaHost,
      pipeline: 'idx',
      ...(customDomain !== null && { customDomain }),
    },
    grantedScopes: integration.grantedScopes,
    integrationId: integration.id,
    amends: true,
  };
}
