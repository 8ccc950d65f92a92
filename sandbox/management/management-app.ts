// The management port: knobs and state of the whole sandbox as JSON. Loopback only; pages of other origins may not use it.
import type { ErrorRequestHandler, RequestHandler, Router } from 'express';
import express from 'express';
import { ZodError } from 'zod';
import { isPushRefusal } from '../apns/push-refusals.ts';
import type { PushService } from '../apns/push-service.ts';
import type { MovableClock } from '../clock.ts';
import type { Fleet } from '../devices/fleet.ts';
import type { HoldPoints } from '../hold-points.ts';
import { deviceRoutes } from './device-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { Refused } from './refused.ts';
import * as shapes from './request-shapes.ts';

/** The longest wait for a message to be held, milliseconds. */
const MAX_WATCH_MS = 60_000;

export interface ManagedParts {
  readonly clock: MovableClock;
  readonly holds: HoldPoints;
  readonly fleet: Fleet;
  readonly pushes: PushService;
  /** Routers of tenants and of Apps and Books, by their path: `/tenants/one`. */
  readonly mounted: Readonly<Record<string, Router>>;
  /** Where a tenant's admin console is. */
  consoleOf(tenant: string): string | undefined;
  /** What was printed when the sandbox was ready. */
  addresses(): object;
  counts(): object;
  /** Keeps the clock's offset. */
  saveClock(): Promise<void>;
  issuePushCertificate(topic?: string): Promise<{ topic: string; pem: string }>;
}

const loopbackOnly: RequestHandler = (request, response, next) => {
  const host = request.headers.host?.replace(/:\d+$/, '') ?? '';
  const { origin } = request.headers;
  const isOwnPage = origin === undefined || origin === `http://${request.headers.host}`;
  if (['localhost', '127.0.0.1', '[::1]'].includes(host) && isOwnPage) next();
  else response.status(403).json({ error: 'only for this machine, and not for pages of other origins' });
};

const sayWhatIsWrong: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  if (error instanceof ZodError) {
    const wrong = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    return void response.status(400).json({ error: wrong.join('; ') });
  }
  const status = error instanceof Refused ? error.status : ((error as { status?: number }).status ?? 500);
  response.status(status).json({ error: error instanceof Error ? error.message : String(error) });
};

export function createManagementApp(parts: ManagedParts): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(loopbackOnly, express.json({ limit: '1mb' }), express.urlencoded({ extended: false }));
  app.use(pageRoutes(parts.consoleOf));
  app.get('/addresses', (_request, response) => void response.json(parts.addresses()));
  app.get('/counts', (_request, response) => void response.json(parts.counts()));
  app.use('/devices', deviceRoutes(parts.fleet, parts.clock));
  app.use('/clock', clockRoutes(parts));
  app.use('/holds', holdRoutes(parts.holds));
  app.use('/apns', pushRoutes(parts));
  for (const [path, router] of Object.entries(parts.mounted)) app.use(path, router);
  app.use(
    (_request, response) => void response.status(404).json({ error: 'there is nothing at this address' }),
  );
  app.use(sayWhatIsWrong);
  return app;
}

function clockRoutes({ clock, saveClock }: ManagedParts): Router {
  const router = express.Router();
  const show = (): object => ({ now: clock.now(), offsetSeconds: clock.offsetMs / 1000 });
  router.get('/', (_request, response) => void response.json(show()));
  router.post('/', async (request, response) => {
    const wanted = shapes.ClockShape.parse(request.body);
    clock.move('to' in wanted ? Date.parse(wanted.to) - clock.now().getTime() : wanted.advanceSeconds * 1000);
    await saveClock();
    response.json(show());
  });
  return router;
}

function holdRoutes(holds: HoldPoints): Router {
  const router = express.Router();
  router.get('/', async (request, response) => {
    const waitMs = Number(request.query['waitSeconds'] ?? 0) * 1000;
    if (waitMs > 0) await holds.untilHeld(Math.min(waitMs, MAX_WATCH_MS));
    response.json(holds.list());
  });
  router.post('/', (request, response) => {
    const { device, times, ...rest } = shapes.HoldShape.parse(request.body);
    const point = holds.set({
      ...rest,
      ...(device !== undefined && { device }),
      ...(times !== undefined && { times }),
    });
    response.status(201).json(point);
  });
  router.delete('/', (_request, response) => {
    holds.remove();
    response.json(holds.list());
  });
  router.delete('/:id', (request, response) => {
    holds.remove(request.params.id);
    response.json(holds.list());
  });
  router.post('/:id/release', (request, response) => {
    if (!holds.release(request.params.id)) throw new Refused(404, 'no message of that id is held');
    response.json(holds.list());
  });
  return router;
}

function pushRoutes({ pushes, issuePushCertificate }: ManagedParts): Router {
  const router = express.Router();
  const show = (): object => ({ knobs: pushes.knobs, counts: pushes.counts() });
  router.get('/', (_request, response) => void response.json(show()));
  router.patch('/', (request, response) => {
    const { refuse, ...rest } = shapes.PushShape.parse(request.body);
    if (refuse === null) delete pushes.knobs.refuse;
    else if (refuse) {
      const { reason, times, device } = refuse;
      if (!isPushRefusal(reason)) throw new Refused(400, `Apple knows no refusal ${reason}`);
      pushes.knobs.refuse = { reason, times, ...(device !== undefined && { device }) };
    }
    Object.assign(
      pushes.knobs,
      Object.fromEntries(Object.entries(rest).filter(([, one]) => one !== undefined)),
    );
    response.json(show());
  });
  router.post('/go-away', (_request, response) => void response.json({ connections: pushes.goAway() }));
  router.post('/certificates', async (request, response) => {
    const topic = (request.body as { topic?: unknown } | undefined)?.topic;
    response.status(201).json(await issuePushCertificate(typeof topic === 'string' ? topic : undefined));
  });
  return router;
}
