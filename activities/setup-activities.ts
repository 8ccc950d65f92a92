// What the wizard checks in the outside world, and what it writes when a step is answered. A refused answer is an outcome, not a failure.
import { fetchChallenge } from '../adapters/okta/challenge.ts';
import type { OktaCredentials } from '../adapters/okta/access-token.ts';
import { guardedHttp } from '../adapters/okta/guarded-http.ts';
import { normalizeOktaHost } from '../adapters/okta/host.ts';
import type { OktaClient } from '../adapters/okta/okta-client.ts';
import { readOrganization } from '../adapters/okta/organization.ts';
import { checkScepUrl } from '../adapters/okta/scep-check.ts';
import { appendAudit } from '../adapters/store/base/audit.ts';
import { rollOutDevices } from '../adapters/store/rollout/enqueue-rollouts.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import {
  findIntegrationOfOrg,
  recordHealth,
  saveIntegration,
  savePlatform,
} from '../adapters/store/integration/integrations.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { openSecret } from '../adapters/store/base/secrets.ts';
import { findAnswerer, findSetup, markChecking, saveSetup } from '../adapters/store/integration/setups.ts';
import { CataloguedError, FAILURES, type FailureCode } from '../domain/failures.ts';
import { findPrerequisites } from '../domain/prerequisites.ts';
import { macPlatformAddress } from '../domain/secret-address.ts';
import {
  answerTo,
  isAnswered,
  type CheckFindings,
  type CredentialsKind,
  type PrerequisiteId,
  type Refusal,
  type SetupState,
  type SetupStep,
  type Tenant,
} from '../domain/setup-wizard.ts';
import { keyIdOf } from '../adapters/okta/api-services-app.ts';
import type { ActivityDependencies } from './dependencies.ts';

type SetupDependencies = Pick<
  ActivityDependencies,
  'database' | 'sealer' | 'appsAndBooks' | 'allowedPrivateHosts'
>;

export interface OktaAccess {
  readonly setupId: string;
  readonly host: string;
  readonly kind: CredentialsKind;
  readonly clientId: string;
  readonly secretId: string;
}

type Checked<Findings extends CheckFindings> = Findings & { readonly refusal?: readonly Refusal[] };

/** Failures that do not pass by themselves are the answer of the check; the others are tried again by Temporal. */
async function refusalFrom<Found>(
  fieldOf: (code: FailureCode) => string,
  work: () => Promise<Found>,
): Promise<Found | { readonly refusal: readonly Refusal[] }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CataloguedError) || FAILURES[error.code].isRetried) throw error;
    const reason = error.facts['reason'];
    return {
      refusal: [
        {
          code: error.code,
          field: fieldOf(error.code),
          ...(typeof reason === 'string' && { detail: reason }),
        },
      ],
    };
  }
}

const CREDENTIAL_FIELDS: Readonly<Partial<Record<FailureCode, string>>> = {
  'okta.client_secret_wrong': 'clientSecret',
  'okta.key_required': 'credentialsKind',
  'okta.scope_not_granted': 'scopes',
};

export function createSetupActivities({
  database,
  sealer,
  appsAndBooks,
  allowedPrivateHosts,
}: SetupDependencies) {
  const clientFor = async ({ setupId, host, kind, clientId, secretId }: OktaAccess): Promise<OktaClient> => {
    const use = {
      actor: 'system',
      purpose: `setup:${setupId}`,
      kind:
        kind === 'api_service_integration' ? ('okta_client_secret' as const) : ('okta_private_key' as const),
      owner: { setupId },
      address: host,
    };
    const secret = (await openSecret(database, sealer, secretId, use)).value.toString();
    const credentials: OktaCredentials =
      kind === 'api_service_integration'
        ? { kind, clientId, clientSecret: secret }
        : { kind, clientId, privateKeyPem: secret, keyId: await keyIdOf(secret) };
    const { OktaClient } = await import('../adapters/okta/okta-client.ts');
    return new OktaClient({ host, credentials, allowedPrivateHosts });
  };

  return {
    /** Is it Okta, Identity Engine, and not connected already. `orgId`: the tenant that it must be. */
    async checkOktaDomain(input: {
      readonly setupId: string;
      readonly domain: string;
      readonly orgId?: string | undefined;
    }): Promise<Checked<CheckFindings>> {
      await markChecking(database, input.setupId);
      return refusalFrom(
        () => 'domain',
        async () => {
          const host = normalizeOktaHost(input.domain, allowedPrivateHosts);
          const tenant = await readOrganization(host, guardedHttp(allowedPrivateHosts));
          if (tenant.pipeline !== 'idx') throw new CataloguedError('okta.classic_engine');
          if (input.orgId !== undefined && input.orgId !== tenant.orgId)
            throw new CataloguedError('setup.other_tenant');
          if (input.orgId === undefined && (await findIntegrationOfOrg(database, tenant.orgId)))
            throw new CataloguedError('setup.integration_exists');
          return { tenant };
        },
      );
    },

    /** One token, so that a wrong secret is told at the field where it was entered. */
    async checkCredentials(input: OktaAccess): Promise<Checked<CheckFindings>> {
      await markChecking(database, input.setupId);
      return refusalFrom(
        (code) => CREDENTIAL_FIELDS[code] ?? 'clientId',
        async () => ({ grantedScopes: (await (await clientFor(input)).token()).scopes }),
      );
    },

    async checkPrerequisites(
      input: OktaAccess & { readonly tenant: Tenant; readonly confirmed: readonly PrerequisiteId[] },
    ): Promise<Required<Pick<CheckFindings, 'prerequisites' | 'grantedScopes'>>> {
      await markChecking(database, input.setupId);
      const { tenant, confirmed } = input;
      return findPrerequisites({ tenant, confirmed, oktaClient: () => clientFor(input), appsAndBooks });
    },

    /** GetCACert, then one challenge, which is dropped. */
    async checkMacPlatform(input: {
      readonly setupId: string;
      readonly scepUrl: string;
      readonly challengeUrl: string;
      readonly username: string;
      readonly secretId: string;
    }): Promise<Checked<CheckFindings>> {
      await markChecking(database, input.setupId);
      const scep = await refusalFrom(
        () => 'scepUrl',
        async () => {
          await checkScepUrl({ url: input.scepUrl, allowedPrivateHosts });
          return {};
        },
      );
      if ('refusal' in scep) return scep;
      return refusalFrom(
        (code) => (code === 'okta.challenge_credentials_refused' ? 'password' : 'challengeUrl'),
        async () => {
          const address = macPlatformAddress(input);
          const { setupId } = input;
          const use = {
            actor: 'system',
            purpose: `setup:${setupId}`,
            kind: 'challenge_password' as const,
            owner: { setupId },
            address,
          };
          const password = (await openSecret(database, sealer, input.secretId, use)).value.toString();
          await fetchChallenge({
            url: input.challengeUrl,
            username: input.username,
            password,
            allowedPrivateHosts,
          });
          return {};
        },
      );
    },

    /** What the admin sees is a table: written after each step, with its audit row and event. false: the setup is over. */
    async saveSetupState(input: {
      readonly state: SetupState;
      readonly answerId: string | null;
      readonly action: string;
      readonly step?: string;
    }): Promise<boolean> {
      const { state, action } = input;
      return database.inTransaction(async (sql) => {
        const actor = await actorOf(sql, state.setupId, input.answerId);
        if (!(await saveSetup(sql, state))) return false;
        await appendStep(sql, state, { actor, action, step: input.step ?? state.step });
        return true;
      });
    },

    /** Writes the integration; done once, however often it is tried. */
    async completeSetup(input: {
      readonly state: SetupState;
      readonly answerId: string | null;
    }): Promise<{ readonly refusal?: Refusal }> {
      const { state } = input;
      return database.inTransaction(async (sql) => {
        const actor = await actorOf(sql, state.setupId, input.answerId);
        const saved = await findSetup(sql, state.setupId);
        if (saved?.state.status === 'complete') return {};
        if (saved?.state.status !== 'open') return { refusal: { code: 'setup.not_open' } };
        const other = await findIntegrationOfOrg(sql, state.tenant?.orgId ?? '');
        if (other && other.id !== state.integrationId)
          return { refusal: { code: 'setup.integration_exists' } };
        const changed = await writeIntegration(sql, state);
        await saveSetup(sql, state);
        await appendStep(sql, state, { actor, action: 'setup.completed', step: 'complete' });
        const subject = `integration:${changed}`;
        await appendAudit(sql, {
          actor,
          action: state.amends ? 'integration.changed' : 'integration.added',
          subject,
        });
        await appendEvent(sql, { kind: 'integration.changed', subject });
        await appendOutboxMessage(sql, changed, { kind: 'sweeps', integrationId: changed, wanted: true });
        if (state.amends)
          await rollOutDevices(sql, { integrationId: changed }, 'the integration was changed');
        return {};
      });
    },
  };
}

/** As the API wrote it down before it sent the answer; what came by another way has no name. */
const actorOf = async (sql: Sql, setupId: string, answerId: string | null): Promise<string> =>
  (answerId === null ? undefined : await findAnswerer(sql, setupId, answerId)) ?? 'system';

async function appendStep(
  sql: Sql,
  state: SetupState,
  what: { readonly actor: string; readonly action: string; readonly step: SetupStep | string },
): Promise<void> {
  const subject = `setup:${state.setupId}`;
  await appendAudit(sql, { actor: what.actor, action: what.action, subject, detail: { step: what.step } });
  await appendEvent(sql, {
    kind: 'setup.step_changed',
    subject,
    data: { step: state.step, status: state.status },
  });
}

/**
 * Only what was answered in this setup: another may have changed the rest since it began.
 * @returns the integration's id
 */
async function writeIntegration(sql: Sql, state: SetupState): Promise<string> {
  const { tenant, integrationId } = state;
  const install = answerTo(state, 'install_api_integration');
  const credentials = answerTo(state, 'credentials');
  if (!tenant || integrationId === undefined || !install || !credentials)
    throw new CataloguedError('setup.wrong_step');
  if (isAnswered(state, 'okta_domain', 'install_api_integration', 'credentials')) {
    await saveIntegration(sql, {
      id: integrationId,
      name: tenant.customDomain ?? tenant.host,
      oktaOrgId: tenant.orgId,
      oktaHost: tenant.host,
      customDomain: tenant.customDomain ?? null,
      credentialsKind: install.credentialsKind,
      clientId: credentials.clientId,
      credentialsSecretId: credentials.secretId,
      grantedScopes: state.grantedScopes ?? [],
    });
    await recordHealth(sql, integrationId, 'okta', undefined);
  }
  const chosen = answerTo(state, 'platforms')?.platforms ?? [];
  const none = { scepUrl: null, challengeUrl: null, challengeUsername: null, providerName: null };
  const mac = answerTo(state, 'macos');
  if (chosen.includes('macOS') && mac && isAnswered(state, 'macos')) {
    const { scepUrl, challengeUrl, username, secretId } = mac;
    await savePlatform(sql, {
      ...none,
      integrationId,
      platform: 'macOS',
      scepUrl,
      challengeUrl,
      challengeUsername: username,
      secretId,
    });
    await recordHealth(sql, integrationId, 'scep', undefined);
    await recordHealth(sql, integrationId, 'challenge', undefined);
  }
  const ios = answerTo(state, 'ios');
  if (chosen.includes('iOS') && ios && isAnswered(state, 'ios'))
    await savePlatform(sql, {
      ...none,
      integrationId,
      platform: 'iOS',
      providerName: ios.providerName,
      secretId: ios.secretId,
    });
  return integrationId;
}
