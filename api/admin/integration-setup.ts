// A setup that changes an integration begins with what is in the tables: every answer given, ready to be given again.
import { publicJwkOf } from '../../adapters/okta/api-services-app.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import type { IntegrationRow, PlatformRow } from '../../adapters/store/integration/integrations.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { PREREQUISITES, newSetup, type SetupAnswer, type SetupState } from '../../domain/setup-wizard.ts';

type AnswerByStep = {
  readonly [Step in Exclude<SetupAnswer['step'], 'complete' | 'go_to'>]:
    Extract<SetupAnswer, { readonly step: Step }> | undefined;
};

export function setupOfIntegration(
  setupId: string,
  integration: IntegrationRow,
  platforms: readonly PlatformRow[],
  publicJwk?: Readonly<Record<string, string>>,
): SetupState {
  const mac = platforms.find(({ platform }) => platform === 'macOS');
  const ios = platforms.find(({ platform }) => platform === 'iOS');
  const { credentialsKind, credentialsSecretId, clientId, oktaHost, customDomain } = integration;
  // Each step by name, so that a new one is not forgotten: without its answer, those behind it cannot be given again.
  const answers: AnswerByStep = {
    get_started: { step: 'get_started', channel: integration.channel },
    okta_domain: { step: 'okta_domain', domain: oktaHost },
    credentials_kind: {
      step: 'credentials_kind',
      credentialsKind,
      ...(credentialsKind === 'api_services_app' && {
        secretId: credentialsSecretId,
        ...(publicJwk && { publicJwk }),
      }),
    },
    credentials: { step: 'credentials', clientId, secretId: credentialsSecretId },
    connect: { step: 'connect', confirmed: PREREQUISITES },
    okta_tasks: { step: 'okta_tasks' },
    platforms:
      integration.channel === 'built_in'
        ? { step: 'platforms', platforms: platforms.map(({ platform }) => platform) }
        : undefined,
    macos: mac && {
      step: 'macos',
      scepUrl: mac.scepUrl ?? '',
      challengeUrl: mac.challengeUrl ?? '',
      username: mac.challengeUsername ?? '',
      secretId: mac.secretId,
    },
    ios: ios && { step: 'ios', secretId: ios.secretId, providerName: ios.providerName ?? '' },
  };
  const seeded = Object.fromEntries(
    Object.entries(answers).filter(([, answer]) => answer !== undefined),
  ) as SetupState['answers'];
  return {
    ...newSetup(setupId),
    step: 'complete',
    answers: seeded,
    seeded,
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

/** Of an integration that signs in with a key: its public half, to be shown where it has to be in Okta. */
export async function publicJwkOfIntegration(
  sql: Sql,
  sealer: Sealer,
  integration: IntegrationRow,
  actor: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const { credentialsKind, credentialsSecretId } = integration;
  if (credentialsKind !== 'api_services_app') return undefined;
  const use = {
    actor,
    purpose: 'public key shown',
    kind: 'okta_private_key' as const,
    owner: { integrationId: integration.id },
    address: integration.oktaHost,
  };
  const { value } = await openSecret(sql, sealer, credentialsSecretId, use);
  return { ...(await publicJwkOf(value.toString())) };
}
