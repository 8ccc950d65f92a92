// What devices talk to: the MDM protocol, SCEP for their identities, the enrollment page, and a health check.
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Database } from '../../adapters/store/base/database.ts';
import type { Sealer } from '../../domain/sealer.ts';
import type { CompareConfiguration } from './response-reading.ts';
import { limitUploads } from '../http/uploads.ts';
import { deviceMetrics } from './device-metrics.ts';
import { deviceRefusals } from './device-refusal.ts';
import { STYLE_SOURCE } from './enroll-page.ts';
import { enrollRoute, type ProfileSigner } from './enroll-route.ts';
import { type ChannelSecrets, nanoMdmRoute } from '../channels/nanomdm-route.ts';
import { publishExchanges } from './exchange-channel.ts';
import type { IdentityAuthority } from './identity-authority.ts';
import type { LongPolls } from './long-poll.ts';
import { mdmRoute } from './mdm-route.ts';
import { scepRoute } from './scep-route.ts';
import { trustedProxies } from './signer.ts';

export interface DeviceAppDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly log: Logger;
  readonly metrics: Registry;
  /** `identityAuthority(database, sealer)` */
  readonly authority: () => Promise<IdentityAuthority>;
  /** `LongPolls.start(database, …)`; its `stop()` ends the waiting requests before the listener closes. */
  readonly longPolls: LongPolls;
  readonly compareConfiguration: CompareConfiguration;
  /** Other MDM servers, which tell what devices said. */
  readonly channels: ChannelSecrets;
  readonly publicUrl: string | undefined;
  /** The certificate of the listener, where TLS files are given: it signs enrollment profiles. */
  readonly tls?: () => ProfileSigner;
  /** Addresses or CIDRs, comma-separated, of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxy: string | undefined;
  /** They also say by `Client-Cert` who a device is: whoever can send it through one of them can be any device. */
  readonly trustsClientCert: boolean;
}

export function createDeviceApp(dependencies: DeviceAppDependencies): Express {
  const app = express();
  const metrics = deviceMetrics(dependencies.metrics, dependencies.longPolls);
  app.disable('x-powered-by');
  app.disable('etag');
  const isTrustedProxy = trustedProxies(dependencies.trustedProxy);
  app.set('trust proxy', (address: string) => isTrustedProxy(address));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: [STYLE_SOURCE],
          imgSrc: ["'self'"],
          connectSrc: ["'self'"],
          formAction: ["'self'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
    }),
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
  );
  app.get('/healthz', async (_request, response) => {
    await dependencies.database.query('select 1');
    response.type('text/plain').send('ok\n');
  });
  app.use(publishExchanges);
  app.use(
    mdmRoute({
      ...dependencies,
      metrics,
      passesClientCert: (address) => dependencies.trustsClientCert && isTrustedProxy(address),
    }),
  );
  app.use(nanoMdmRoute(dependencies));
  // A device that speaks is known by its certificate; whoever enrolls is not.
  app.use(limitUploads());
  app.use(scepRoute({ ...dependencies, metrics }));
  app.use(enrollRoute({ ...dependencies, tls: dependencies.tls }));
  app.use((_request, response) => {
    response.status(404).type('text/plain').send('request.not_found\n');
  });
  app.use(deviceRefusals(dependencies.log, metrics));
  return app;
}
