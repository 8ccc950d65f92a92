// The admin API as an Express application: headers, limits, the contract's routes, OpenAPI, codec server, console, problems.
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { AdminDependencies } from './admin-dependencies.ts';
import { codecServer } from '../codec-server.ts';
import { serveConsole } from '../console.ts';
import { contract } from '../contract/contract.ts';
import { trustedProxies } from '../mdm/signer.ts';
import { limitUploads } from '../http/uploads.ts';
import { EventStream } from '../http/event-stream.ts';
import { measureFleet, observeRequests } from '../http/observability.ts';
import { writeOpenApi } from '../http/openapi.ts';
import { nothingHere, problems } from '../http/problem.ts';
import { providerSignIn } from './provider-sign-in.ts';
import { Idempotency } from '../http/idempotency.ts';
import { appsAndBooksHandlers } from './apps-and-books-routes.ts';
import { auditHandlers } from './audit-routes.ts';
import { blueprintHandlers } from './blueprint-routes.ts';
import { channelHandlers } from './channel-routes.ts';
import { doctorHandlers } from './doctor-routes.ts';
import { deviceHandlers } from './device-routes.ts';
import { instanceHandlers } from './instance-routes.ts';
import { fleetRolloutHandlers } from './fleet-rollout-routes.ts';
import { integrationHandlers } from './integration-routes.ts';
import { iosKeyHandlers } from './ios-key-routes.ts';
import { libraryHandlers } from './library-routes.ts';
import { notificationHandlers } from './notification-routes.ts';
import { organizationHandlers } from './organization-routes.ts';
import { peopleHandlers } from './people-routes.ts';
import { platformRemovalHandlers } from './platform-removal-routes.ts';
import { pushCertificateHandlers } from './push-certificate-routes.ts';
import { pushCertificateRequestHandlers } from './push-certificate-request-routes.ts';
import { observedDeviceHandlers } from './observed-device-routes.ts';
import { readinessHandlers } from './readiness-routes.ts';
import { removalHandlers } from './removal-routes.ts';
import { replayHandlers } from './replay-routes.ts';
import { rolloutHandlers } from './rollout-routes.ts';
import { rotationHandlers } from './rotation-routes.ts';
import { setupHandlers } from './setup-routes.ts';
import { ownHostOnly } from '../http/own-host.ts';
import { serve } from '../http/serve.ts';
import { sessionCookie, type SessionCookie } from '../http/session-cookie.ts';
import { assertAllowed, findCaller } from '../http/caller.ts';
import type { Database } from '../../adapters/store/base/database.ts';

export interface AdminApp extends Express {
  /** Ends the open event streams, so that a graceful stop does not wait for them. */
  readonly closeStreams: () => Promise<void>;
}

const BODY_LIMIT = '256kb';

export function createAdminApp(dependencies: AdminDependencies): AdminApp {
  const { database, sealer, log, metrics, version } = dependencies;
  const cookie = sessionCookie(dependencies.consoleUrl);
  const idempotency = new Idempotency(database, sealer);
  const events = new EventStream(database, log);
  const app = express();
  app.disable('x-powered-by').set('etag', false).set('query parser', 'simple');
  // Who guesses at passwords is held up by address, and not everybody behind the same proxy.
  const isTrustedProxy = trustedProxies(dependencies.trustedProxy);
  app.set('trust proxy', (address: string) => isTrustedProxy(address));

  app.use(observeRequests(log, metrics));
  measureFleet(database, metrics);
  // Before the body parser of the API: histories are larger than its bodies.
  app.use('/codec', decodesFor(database, cookie), codecServer(dependencies.readPayload));
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        useDefaults: false,
      },
      strictTransportSecurity: false,
    }),
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
    ownHostOnly(dependencies.consoleUrl, isTrustedProxy),
    limitUploads(),
    express.json({ limit: BODY_LIMIT }),
  );

  app.use(providerSignIn(dependencies, cookie));
  const openApi = JSON.stringify(writeOpenApi(contract, { version, cookie: cookie.name }));
  app.get('/openapi.json', (_request, response) => {
    response.type('application/json').send(openApi);
  });
  serve(
    app,
    contract,
    {
      ...peopleHandlers(dependencies, cookie),
      ...setupHandlers(dependencies, idempotency),
      ...integrationHandlers(dependencies, idempotency),
      ...iosKeyHandlers(),
      ...libraryHandlers(dependencies),
      ...blueprintHandlers(dependencies),
      ...channelHandlers(dependencies),
      ...deviceHandlers(dependencies),
      ...doctorHandlers(),
      ...readinessHandlers(),
      ...observedDeviceHandlers(),
      ...removalHandlers(),
      ...platformRemovalHandlers(),
      ...rolloutHandlers(dependencies),
      ...replayHandlers(),
      ...fleetRolloutHandlers(dependencies),
      ...rotationHandlers(dependencies),
      ...pushCertificateHandlers(dependencies),
      ...pushCertificateRequestHandlers(dependencies),
      ...appsAndBooksHandlers(dependencies),
      ...auditHandlers(),
      ...notificationHandlers(dependencies),
      ...organizationHandlers(),
      ...instanceHandlers(dependencies, events),
    },
    { database, idempotency, cookie },
  );
  app.use(serveConsole(), nothingHere, problems(log));
  return Object.assign(app, { closeStreams: () => events.close() });
}

/** Payloads hold what setups were answered and what devices are asked: whoever may act on them may read them. */
const decodesFor =
  (database: Database, cookie: SessionCookie): RequestHandler =>
  async (request, _response, next) => {
    assertAllowed(await findCaller(database, request, cookie), 'operator');
    next();
  };
