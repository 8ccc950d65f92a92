// What activities reach the world through. workers/dependencies.ts joins it; tests hand in their own.
import type { Client } from '@temporalio/client';
import type { ApnsClient } from '../adapters/apns/apns-client.ts';
import type { AppsAndBooksClient } from '../adapters/apps-and-books/apps-and-books-client.ts';
import type { OktaClient } from '../adapters/okta/okta-client.ts';
import type { KeyAndCertificate } from '../adapters/pki/certificate-authority.ts';
import type { FleetClient } from '../adapters/fleet/fleet-client.ts';
import type { NanoMdmClient } from '../adapters/nanomdm/nanomdm-client.ts';
import type { Database } from '../adapters/store/base/database.ts';
import type { Sealer } from '../domain/sealer.ts';

export interface ActivityDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly temporal: Client;
  oktaClient(integrationId: string): Promise<OktaClient>;
  /** @throws CataloguedError `apns.certificate_missing` */
  apns(topic: string): Promise<Pick<ApnsClient, 'push'>>;
  /** @throws CataloguedError `apps_and_books.token_missing` */
  appsAndBooks(): Promise<
    Pick<
      AppsAndBooksClient,
      'asset' | 'associate' | 'findAssignment' | 'disassociate' | 'location' | 'status'
    >
  >;
  /** The API of a channel. @throws CataloguedError `request.not_found` when it is gone */
  nanoMdm(channelId: string): Promise<Pick<NanoMdmClient, 'enqueue' | 'push'>>;
  /** The same of a Fleet server. */
  fleet(channelId: string): Promise<Pick<FleetClient, 'run'>>;
  profileSigner(): Promise<KeyAndCertificate>;
  /** The https address under which devices reach Odette; undefined: not set, so nobody enrolls or renews an identity. */
  readonly publicUrl: string | undefined;
  /** host[:port] of private hosts that may be called. */
  readonly allowedPrivateHosts: readonly string[];
}
