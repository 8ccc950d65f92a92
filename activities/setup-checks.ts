// What the wizard checks in the outside world. A refused answer is an outcome, not a failure.
import { fetchChallenge } from '../adapters/okta/challenge.ts';
import type { OktaCredentials } from '../adapters/okta/access-token.ts';
import { keyIdOf } from '../adapters/okta/api-services-app.ts';
import { guardedHttp } from '../adapters/okta/guarded-http.ts';
import { normalizeOktaHost } from '../adapters/okta/host.ts';
import type { OktaClient } from '../adapters/okta/okta-client.ts';
import { readOrganization } from '../adapters/okta/organization.ts';
import { checkScepUrl } from '../adapters/okta/scep-check.ts';
import { findIntegrationOfOrg } from '../adapters/store/integration/integrations.ts';
import { openSecret, type SecretOwner } from '../adapters/store/base/secrets.ts';
import { markChecking } from '../adapters/store/integration/setups.ts';
import { CataloguedError, FAILURES, type FailureCode } from '../domain/failures.ts';
import { appsAndBooksClientId } from '../adapters/store/integration/apps-and-books-tokens.ts';
import { findPrerequisites } from '../domain/prerequisites.ts';
import { macPlatformAddress } from '../domain/secret-address.ts';
import type {
  CheckFindings,
  CredentialsKind,
  PrerequisiteId,
  Refusal,
  Tenant,
} from '../domain/setup-wizard.ts';
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

interface MacPlatformInput {
  readonly setupId: string;
  readonly scepUrl: string;
  readonly challengeUrl: string;
  readonly username: string;
  readonly secretId: string;
}

export function setupChecks(deps: SetupDependencies) {
  const { database, appsAndBooks, allowedPrivateHosts } = deps;
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
        async () => ({ grantedScopes: await tryCredentials(deps, ofSetup(input)) }),
      );
    },

    async checkPrerequisites(
      input: OktaAccess & { readonly tenant: Tenant; readonly confirmed: readonly PrerequisiteId[] },
    ): Promise<Required<Pick<CheckFindings, 'prerequisites' | 'grantedScopes'>>> {
      await markChecking(database, input.setupId);
      const { confirmed } = input;
      // Asked now: the tenant may run another engine by now, or its host lead elsewhere.
      const tenant = await readOrganization(input.host, guardedHttp(allowedPrivateHosts));
      if (tenant.orgId !== input.tenant.orgId) throw new CataloguedError('setup.other_tenant');
      return findPrerequisites({
        tenant,
        confirmed,
        oktaClient: () => clientFor(deps, ofSetup(input)),
        appsAndBooks,
        appsAndBooksId: () => appsAndBooksClientId(database),
      });
    },

    /** GetCACert, then one challenge, which is dropped. */
    checkMacPlatform: (input: MacPlatformInput): Promise<Checked<CheckFindings>> =>
      checkMacAddresses(deps, input),
  };
}

type TryDependencies = Pick<SetupDependencies, 'database' | 'sealer' | 'allowedPrivateHosts'>;

/** Whose secret is tried, and what the audit trail says of it. */
interface Trying {
  readonly owner: SecretOwner;
  readonly purpose: string;
}

const ofSetup = <Input extends { readonly setupId: string }>(input: Input): Input & Trying => ({
  ...input,
  owner: { setupId: input.setupId },
  purpose: `setup:${input.setupId}`,
});

/** One token with them. Returns the scopes. @throws CataloguedError what Okta says */
export const tryCredentials = async (
  deps: TryDependencies,
  access: Omit<OktaAccess, 'setupId'> & Trying,
): Promise<readonly string[]> => (await (await clientFor(deps, access)).token()).scopes;

async function clientFor(
  { database, sealer, allowedPrivateHosts }: TryDependencies,
  { owner, purpose, host, kind, clientId, secretId }: Omit<OktaAccess, 'setupId'> & Trying,
): Promise<OktaClient> {
  const use = {
    actor: 'system',
    purpose,
    kind:
      kind === 'api_service_integration' ? ('okta_client_secret' as const) : ('okta_private_key' as const),
    owner,
    address: host,
  };
  const secret = (await openSecret(database, sealer, secretId, use)).value.toString();
  const credentials: OktaCredentials =
    kind === 'api_service_integration'
      ? { kind, clientId, clientSecret: secret }
      : { kind, clientId, privateKeyPem: secret, keyId: await keyIdOf(secret) };
  const { OktaClient } = await import('../adapters/okta/okta-client.ts');
  return new OktaClient({ host, credentials, allowedPrivateHosts });
}

async function checkMacAddresses(
  deps: SetupDependencies,
  input: MacPlatformInput,
): Promise<Checked<CheckFindings>> {
  const { database, allowedPrivateHosts } = deps;
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
      await tryChallenge(deps, ofSetup(input));
      return {};
    },
  );
}

/** Fetches one challenge, which is dropped. @throws CataloguedError what Okta says */
export async function tryChallenge(
  { database, sealer, allowedPrivateHosts }: TryDependencies,
  input: Omit<MacPlatformInput, 'setupId'> & Trying,
): Promise<void> {
  const { owner, purpose, challengeUrl: url, username } = input;
  const use = {
    actor: 'system',
    purpose,
    kind: 'challenge_password' as const,
    owner,
    address: macPlatformAddress(input),
  };
  const password = (await openSecret(database, sealer, input.secretId, use)).value.toString();
  await fetchChallenge({ url, username, password, allowedPrivateHosts });
}
