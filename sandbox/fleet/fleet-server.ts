// A pretend Fleet server as a part of the sandbox: its API, the MDM that its devices talk to, and the view of the management port.
import { randomBytes, randomUUID } from 'node:crypto';
import express, { type Router } from 'express';
import { z } from 'zod';
import type { ServicePart, World } from '../world.ts';
import { apiRoutes } from './api-routes.ts';
import { FleetKnobsShape } from './fleet-state.ts';
import { FleetWorld, type PushDevice } from './fleet-world.ts';
import { mdmRoutes } from './mdm-routes.ts';

interface FleetServer extends ServicePart {
  readonly world: FleetWorld;
}

/** Fleet pushes again by itself while a command waits, once a minute. */
const PUSH_AGAIN_MS = 60_000;

/** @param options.base https address under which devices and Odette reach it */
export async function createFleetServer(options: {
  readonly world: Pick<World, 'dataDir'>;
  readonly base: string;
  readonly push: PushDevice;
}): Promise<FleetServer> {
  const world = await FleetWorld.open(`${options.world.dataDir}/fleet.json`, options.push);
  const app = express();
  app.disable('x-powered-by');
  app.use((request, _response, next) => {
    if (world.state.knobs.isDown) request.socket.destroy();
    else next();
  });
  app.use(await mdmRoutes(world, options.base));
  app.use(['/api/v1/fleet', '/api/latest/fleet'], apiRoutes(world));
  const timer = setInterval(() => {
    for (const host of world.state.hosts)
      if (host.enrollmentStatus !== 'Off' && world.nextFor(host.udid, false)) void world.wake(host);
  }, PUSH_AGAIN_MS);
  timer.unref();
  return {
    world,
    listener: app,
    nameOf: ({ url = '/' }) => nameOf(url.split('?')[0] ?? '/'),
    knobs: managementRoutes(world),
    counts: () => ({ ...world.state.counts }),
    close: async () => {
      clearInterval(timer);
      await world.save();
    },
  };
}

const nameOf = (path: string): string =>
  path
    .replace(/^\/(api\/(v1|latest)\/fleet|mdm\/apple)\//, '')
    .replaceAll('/', '.')
    .replace(/^\./, '');

const TokenShape = z.strictObject({ role: z.string() });
const HostShape = z.strictObject({ labels: z.array(z.string()) });
const ProfileShape = z.strictObject({
  name: z.string(),
  teamId: z.number().int().nullable().default(null),
  /** Base64 of the file. */
  content: z.base64(),
});

function managementRoutes(world: FleetWorld): Router {
  const { state } = world;
  const routes = express.Router();
  routes.get('/', (_request, response) => {
    const { hosts, commands, profiles, knobs, counts, tokens } = state;
    response.json({ hosts, commands, profiles, knobs, counts, tokens });
  });
  routes.patch('/knobs', async (request, response) => {
    Object.assign(state.knobs, FleetKnobsShape.partial().parse(request.body));
    await world.save();
    response.json(state.knobs);
  });
  routes.post('/tokens', async (request, response) => {
    const added = { token: randomBytes(32).toString('base64'), ...TokenShape.parse(request.body) };
    state.tokens.push(added);
    await world.save();
    response.status(201).json(added);
  });
  routes.patch('/hosts/:udid', async (request, response) => {
    const host = world.host(request.params.udid);
    if (host === undefined) return void response.status(404).json({ error: 'there is no such host' });
    Object.assign(host, HostShape.parse(request.body));
    await world.save();
    response.json(host);
  });
  /** An admin deletes the host in Fleet; its device does not know. */
  routes.delete('/hosts/:udid', async (request, response) => {
    state.hosts = state.hosts.filter(({ udid }) => udid !== request.params.udid);
    await world.save();
    response.status(204).end();
  });
  routes.post('/profiles', async (request, response) => {
    const added = { uuid: `a${randomUUID()}`, ...ProfileShape.parse(request.body) };
    state.profiles.push(added);
    await world.save();
    response.status(201).json({ uuid: added.uuid });
  });
  return routes;
}
