// A pretend Apps and Books (location tokens, API version 2): licenses that are given out some time after they were asked for.
import { randomUUID } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import { z } from 'zod';
import { StateFile } from '../state-file.ts';
import type { ServicePart, World } from '../world.ts';
import { Location } from './location.ts';
import { licenseManagement } from './license-management.ts';
import { describeError, type LicenseErrorNumber } from './license-errors.ts';
import { assignedCount, newLicenseState, type LicenseState } from './license-state.ts';

export interface AppsAndBooks extends ServicePart {
  /** The App Store's view: whether this device may install the app. */
  hasLicense(serialNumber: string, adamId: string): Promise<boolean>;
  /** A new server token file (its content), as it is downloaded from Apple Business Manager. */
  newToken(options?: { readonly organization?: string; readonly lifeDays?: number }): Promise<string>;
}

const BASE = '/mdm/v2';
const MAX_SERIAL_NUMBERS = 1_000;

const AssetsRequest = z.object({
  assets: z
    .array(z.object({ adamId: z.string(), pricingParam: z.enum(['STDQ', 'PLUS']).default('STDQ') }))
    .min(1),
  serialNumbers: z.array(z.string().min(1)).min(1),
});

export async function createAppsAndBooks(options: {
  readonly world: Pick<World, 'dataDir' | 'clock'>;
}): Promise<AppsAndBooks> {
  const { world } = options;
  const file = new StateFile<LicenseState>(`${world.dataDir}/apps-and-books.json`);
  const location = new Location({ state: (await file.read()) ?? newLicenseState(), world, file });
  const app = express();
  app.disable('x-powered-by');
  app.use(BASE, express.json({ limit: '1mb' }), service(location));
  return {
    listener: app,
    nameOf: ({ url = '/' }) => url.split('?')[0]?.replace(`${BASE}/`, '').replaceAll('/', '.') ?? 'unknown',
    knobs: licenseManagement(location),
    counts: () => ({ ...location.state.counts }),
    close: () => location.save(),
    hasLicense: (serialNumber, adamId) => location.hasLicense(serialNumber, adamId),
    newToken: ({ organization, lifeDays } = {}) => location.newToken(organization, lifeDays),
  };
}

function refuse(location: Location, response: Response, errorNumber: LicenseErrorNumber): void {
  const { status, errorMessage } = describeError(errorNumber);
  location.count(`error.${errorNumber}`);
  // Argument errors always come inside a 200; whoever looks at the status alone misses them.
  const isInside = location.state.knobs.errorsInside200 || errorNumber >= 9700;
  if (status === 503) response.set('Retry-After', '5');
  response.status(isInside && errorNumber !== 9729 && errorNumber !== 9722 ? 200 : status);
  response.json({ errorNumber, errorMessage });
}

function service(location: Location): Router {
  const routes = express.Router();
  routes.use((request, response, next) => {
    const refused = gate(location, request);
    if (refused !== undefined) return refuse(location, response, refused);
    void location.settle().then(() => next(), next);
  });
  routes.get('/client/config', (_request, response) => {
    response.json({
      locationName: 'Sandbox',
      uId: location.state.locationId,
      countryISO2ACode: 'US',
      defaultPlatform: 'enterprisestore',
      websiteURL: 'https://business.apple.com',
      ...(location.state.mdmInfo === undefined ? {} : { mdmInfo: location.state.mdmInfo }),
    });
  });
  routes.post('/client/config', async (request, response) => {
    location.state.mdmInfo = (request.body as { mdmInfo?: unknown }).mdmInfo;
    await location.save();
    response.json({ uId: location.state.locationId, mdmInfo: location.state.mdmInfo });
  });
  routes.get('/service/config', (_request, response) => {
    response.json({ limits: { maxSerialNumbers: MAX_SERIAL_NUMBERS, maxAssets: 25 }, urls: {} });
  });
  routes.get('/assets', (request, response) => listAssets(location, request, response));
  routes.get('/assignments', (request, response) => listAssignments(location, request, response));
  routes.post('/assets/associate', (request, response) =>
    startEvent(location, 'ASSOCIATE', request, response),
  );
  routes.post('/assets/disassociate', (request, response) =>
    startEvent(location, 'DISASSOCIATE', request, response),
  );
  routes.get('/status', (request, response) => showStatus(location, request, response));
  return routes;
}

function gate(location: Location, request: Request): LicenseErrorNumber | undefined {
  const { knobs, tokens } = location.state;
  location.count('requests');
  if (knobs.unavailable > 0) {
    knobs.unavailable -= 1;
    return 9729;
  }
  if (knobs.rateLimit > 0) {
    knobs.rateLimit -= 1;
    return 9646;
  }
  const header = request.headers.authorization;
  if (header === undefined) return 9601;
  const bearer = /^Bearer (\S+)$/.exec(header)?.[1];
  if (bearer === undefined) return 9722;
  const token = tokens.find(({ content }) => content === bearer);
  if (token === undefined) return 9622;
  if (token.isRevoked) return 9625;
  return token.expiresAt <= location.now() ? 9621 : undefined;
}

const queryText = (request: Request, name: string): string | undefined => {
  const value = request.query[name];
  return typeof value === 'string' ? value : undefined;
};

function listAssets(location: Location, request: Request, response: Response): void {
  const adamId = queryText(request, 'adamId');
  const found = location.state.assets.filter((asset) => adamId === undefined || asset.adamId === adamId);
  const page = Number(queryText(request, 'pageIndex') ?? '0');
  const { pageSize } = location.state.knobs;
  const isLast = (page + 1) * pageSize >= found.length;
  response.json({
    assets: found.slice(page * pageSize, (page + 1) * pageSize).map((asset) => {
      const assigned = assignedCount(location.state, asset.adamId);
      return {
        adamId: asset.adamId,
        pricingParam: asset.pricingParam,
        productType: 'App',
        supportedPlatforms: asset.platforms,
        deviceAssignable: asset.deviceAssignable,
        revocable: true,
        assignedCount: assigned,
        availableCount: asset.total - assigned,
        retiredCount: 0,
        totalCount: asset.total,
      };
    }),
    currentPageIndex: page,
    ...(isLast ? {} : { nextPageIndex: page + 1 }),
    size: found.length,
    totalPages: Math.ceil(found.length / pageSize),
    uId: location.state.locationId,
    versionId: randomUUID(),
  });
}

function listAssignments(location: Location, request: Request, response: Response): void {
  const adamId = queryText(request, 'adamId');
  const serialNumber = queryText(request, 'serialNumber');
  const assignments = location.state.assignments
    .map((one) => one.split(' '))
    .filter(([id, serial]) => (adamId ?? id) === id && (serialNumber ?? serial) === serial)
    .map(([id, serial]) => ({ adamId: id, pricingParam: 'STDQ', serialNumber: serial }));
  response.json({
    assignments,
    currentPageIndex: 0,
    size: assignments.length,
    totalPages: 1,
    uId: location.state.locationId,
  });
}

async function startEvent(
  location: Location,
  type: 'ASSOCIATE' | 'DISASSOCIATE',
  request: Request,
  response: Response,
): Promise<void> {
  const read = AssetsRequest.safeParse(request.body);
  if (!read.success) return refuse(location, response, 9700);
  const { assets, serialNumbers } = read.data;
  if (serialNumbers.length > MAX_SERIAL_NUMBERS) return refuse(location, response, 9702);
  if (new Set(serialNumbers).size < serialNumbers.length) return refuse(location, response, 9705);
  const isUnfit = assets.some(({ adamId }) =>
    location.state.assets.some((known) => known.adamId === adamId && !known.deviceAssignable),
  );
  if (isUnfit) return refuse(location, response, 9707);
  const eventId = randomUUID();
  const readyAt = location.now() + location.state.knobs.associationSeconds * 1_000;
  location.state.events[eventId] = { type, assets, serialNumbers, readyAt, status: 'PENDING' };
  location.count(type.toLowerCase());
  await location.save();
  response.json({ eventId, uId: location.state.locationId });
}

function showStatus(location: Location, request: Request, response: Response): void {
  const event = location.state.events[queryText(request, 'eventId') ?? ''];
  if (event === undefined) return refuse(location, response, 9708);
  const { errorNumber } = event;
  const failures =
    errorNumber === undefined ? [] : [{ errorNumber, errorMessage: describeError(errorNumber).errorMessage }];
  const requested = event.assets.length * event.serialNumbers.length;
  response.json({
    eventStatus: event.status,
    eventType: event.type,
    failures,
    numRequested: requested,
    numCompleted: event.status === 'COMPLETE' ? requested : 0,
    uId: location.state.locationId,
  });
}
