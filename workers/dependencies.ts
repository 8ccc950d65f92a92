// Joins ports and adapters: clients of Okta, APNs and Apps and Books made from what is stored, and kept while it does not change.
import { ApnsClient } from '../adapters/apns/apns-client.ts';
import { AppsAndBooksClient } from '../adapters/apps-and-books/apps-and-books-client.ts';
import type { OktaCredentials } from '../adapters/okta/access-token.ts';
import { keyIdOf } from '../adapters/okta/api-services-app.ts';
import type { OktaClient } from '../adapters/okta/okta-client.ts';
import { OktaBudget, Turns } from '../adapters/okta/budget.ts';
import { findAppsAndBooksToken } from '../adapters/store/integration/apps-and-books-tokens.ts';
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { endpointStore } from '../adapters/store/integration/okta-endpoints.ts';
import { tokenStore } from '../adapters/store/integration/okta-tokens.ts';
import { findIntegration, type IntegrationRow } from '../adapters/store/integration/integrations.ts';
import {
  findPushCertificate,
  markPushCertificate,
  type PushCertificateRow,
} from '../adapters/store/devices/push-certificates.ts';
import { openSecret, type SecretUse } from '../adapters/store/base/secrets.ts';
import { CataloguedError } from '../domain/failures.ts';
import { addressOf } from '../domain/secret-address.ts';
import type { Sealer } from '../domain/sealer.ts';
import type { Config } from './config.ts';

const REFUSED_FOR_MS = 60 * 60 * 1000;

export interface OutsideClients {
  /** @throws CataloguedError `request.not_found` when there is no such integration */
  oktaClient(integrationId: string): Promise<OktaClient>;
  /** @throws CataloguedError `apns.certificate_missing` */
  apns(topic: string): Promise<Pick<ApnsClient, 'push'>>;
  /** @throws CataloguedError `apps_and_books.token_missing` */
  appsAndBooks(): Promise<AppsAndBooksClient>;
  close(): void;
}

interface Kept<Client> {
  /** Of everything the client was made from: a changed secret makes a new client, in every process. */
  readonly madeFrom: string;
  readonly client: Client;
}

type ClientConfig = Pick<Config, 'apnsUrl' | 'appsAndBooksUrl' | 'allowedPrivateHosts'>;

export function outsideClients(database: Database, sealer: Sealer, config: ClientConfig): OutsideClients {
  const secrets = new StoredSecrets(database, sealer);
  const apns = new Map<string, Kept<ApnsClient>>();
  return {
    oktaClient: oktaClients(database, sealer, secrets, config),
    apns: apnsClients(database, secrets, config, apns),
    appsAndBooks: appsAndBooksClients(database, secrets, config),
    close() {
      for (const { client } of apns.values()) client.close();
      apns.clear();
    },
  };
}

class StoredSecrets {
  readonly #database: Database;
  readonly #sealer: Sealer;

  constructor(database: Database, sealer: Sealer) {
    this.#database = database;
    this.#sealer = sealer;
  }

  async open(secretId: string, use: Omit<SecretUse, 'actor'>): Promise<string> {
    return (
      await openSecret(this.#database, this.#sealer, secretId, { actor: 'system', ...use })
    ).value.toString();
  }
}

function oktaClients(
  database: Database,
  sealer: Sealer,
  secrets: StoredSecrets,
  config: ClientConfig,
): OutsideClients['oktaClient'] {
  const okta = new Map<string, Kept<OktaClient>>();
  const turns = new Map<string, Turns>();
  return async (integrationId) => {
    const integration = await findIntegration(database, integrationId);
    if (!integration)
      throw new CataloguedError('request.not_found', { facts: { integration: integrationId } });
    const madeFrom = [
      integration.oktaHost,
      integration.clientId,
      `${integration.credentialsSecretId}:${integration.credentialsVersion}`,
    ].join();
    const kept = okta.get(integrationId);
    if (kept?.madeFrom === madeFrom) return kept.client;
    const secret = await secrets.open(integration.credentialsSecretId, {
      purpose: 'Okta API',
      kind: integration.credentialsKind === 'api_services_app' ? 'okta_private_key' : 'okta_client_secret',
      owner: { integrationId },
      address: integration.oktaHost,
    });
    const known = turns.get(integrationId) ?? new Turns();
    turns.set(integrationId, known);
    // Okta's SDK costs a start its time and a process its memory: it is loaded by the first call to Okta.
    const { OktaClient } = await import('../adapters/okta/okta-client.ts');
    const client = new OktaClient({
      host: integration.oktaHost,
      credentials: await credentialsOf(integration, secret),
      budget: new OktaBudget(
        endpointStore(database, integrationId, integration.credentialsSecretId),
        madeFrom,
        { turns: known },
      ),
      tokens: tokenStore(database, sealer, integrationId, madeFrom),
      allowedPrivateHosts: config.allowedPrivateHosts,
    });
    okta.set(integrationId, { madeFrom, client });
    return client;
  };
}

function apnsClients(
  database: Database,
  secrets: StoredSecrets,
  config: ClientConfig,
  apns: Map<string, Kept<ApnsClient>>,
): OutsideClients['apns'] {
  return async (topic) => {
    const certificate = await findPushCertificate(database, topic);
    if (!certificate) throw new CataloguedError('apns.certificate_missing', { facts: { topic } });
    // Apple asks to stop until the certificate is replaced. Asked once an hour all the same: a refusal may have been a mistake.
    if (certificate.refusedAt && Date.now() - certificate.refusedAt.getTime() < REFUSED_FOR_MS)
      throw new CataloguedError('apns.certificate_refused', { facts: { topic } });
    const madeFrom = [
      certificate.setAt.toISOString(),
      `${certificate.keySecretId}:${certificate.keyVersion}`,
    ].join();
    const kept = apns.get(topic);
    if (kept?.madeFrom === madeFrom) return noting(database, certificate, kept.client);
    const client = new ApnsClient({
      url: config.apnsUrl,
      certificatePem: certificate.certificatePem,
      privateKeyPem: await secrets.open(certificate.keySecretId, {
        purpose: 'pushes',
        kind: 'push_key',
        owner: { installation: true },
      }),
      topic,
    });
    kept?.client.close();
    apns.set(topic, { madeFrom, client });
    return noting(database, certificate, client);
  };
}

function appsAndBooksClients(
  database: Database,
  secrets: StoredSecrets,
  config: ClientConfig,
): OutsideClients['appsAndBooks'] {
  let licenses: Kept<AppsAndBooksClient> | undefined;
  return async () => {
    const token = await findAppsAndBooksToken(database);
    if (!token) throw new CataloguedError('apps_and_books.token_missing');
    const madeFrom = `${token.secretId}:${token.version}`;
    if (licenses?.madeFrom === madeFrom) return licenses.client;
    const client = new AppsAndBooksClient({
      url: config.appsAndBooksUrl,
      token: await secrets.open(token.secretId, {
        purpose: 'licenses',
        kind: 'apps_and_books_token',
        owner: { installation: true },
        address: addressOf(config.appsAndBooksUrl),
      }),
    });
    licenses = { madeFrom, client };
    return client;
  };
}

/** Keeps whether APNs takes the certificate with which a push was made. */
const noting = (sql: Sql, certificate: PushCertificateRow, client: ApnsClient): Pick<ApnsClient, 'push'> => ({
  async push(notification) {
    try {
      await client.push(notification);
    } catch (error) {
      if (error instanceof CataloguedError && error.code === 'apns.certificate_refused')
        await markPushCertificate(sql, certificate, 'refused');
      throw error;
    }
    if (certificate.refusedAt) await markPushCertificate(sql, certificate, 'taken');
  },
});

async function credentialsOf(integration: IntegrationRow, secret: string): Promise<OktaCredentials> {
  const { clientId } = integration;
  if (integration.credentialsKind === 'api_service_integration')
    return { kind: 'api_service_integration', clientId, clientSecret: secret };
  const keyId = await keyIdOf(secret);
  return { kind: 'api_services_app', clientId, privateKeyPem: secret, keyId };
}
