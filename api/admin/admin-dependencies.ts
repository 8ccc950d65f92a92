// What the admin API is made with: the ports that the process joins (workers/).
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { AppsAndBooksClient } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import type { TlsConnection } from '../../adapters/tls/connection-check.ts';
import type { IdentityProvider } from '../../adapters/oidc/identity-provider.ts';
import type { OktaClient } from '../../adapters/okta/okta-client.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import type { Sealer } from '../../domain/sealer.ts';
import type { RoleRules } from '../../domain/sign-in-roles.ts';

export interface AdminDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly version: string;
  /** Usable before Temporal is there: its calls fail until it is; the API stays up. */
  readonly temporal: Client;
  /** Clients made from the stored credentials; kept and renewed by the process. */
  readonly oktaClient: (integrationId: string) => Promise<OktaClient>;
  readonly appsAndBooks: () => Promise<AppsAndBooksClient>;
  /** Where a token for Apps and Books is sent. */
  readonly appsAndBooksUrl: string;
  /** Signs push certificate requests for whoever has no vendor certificate. */
  readonly signingServiceUrl: string;
  readonly allowedPrivateHosts: readonly string[];
  /** Of this API and its console, as people reach it. */
  readonly consoleUrl: string;
  /** Of the device listener, as devices reach it; undefined until it is set. */
  readonly publicUrl: string | undefined;
  /** How TLS at that address was found when it was last looked at; undefined: not known. */
  readonly publicUrlTls: () => TlsConnection | undefined;
  /** People may sign in through it, too. */
  readonly identityProvider: { readonly provider: IdentityProvider; readonly roles: RoleRules } | undefined;
  /** Addresses or CIDRs, comma-separated, of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxy?: string | undefined;
  /** Devices reach Odette over TLS: own files, or a trusted proxy in front. */
  readonly hasTls: boolean;
  readonly temporalUiUrl: string | undefined;
  /** host:port, as people give it to `temporal --address`. */
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  /** Shows what a history holds. */
  readonly readPayload: (payload: Payload) => Payload;
  /** Seals a message for one workflow and under one name. */
  readonly sealMessage: (workflowId: string, name: string, body: unknown) => Payload;
}
