// A pretend tenant's admin console as JSON, and its knobs: on the management port at /tenants/NAME, and for the console's own pages.
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import * as admin from './admin.ts';
import { renewIntermediate, renewRegistration, revokeUnused } from './authority.ts';
import { changeLifecycle, deleteDevice, type LifecycleAction } from './devices-route.ts';
import { changeKnobs } from './knobs.ts';
import type { Tenant } from './tenant.ts';
import { ROLE_PERMISSIONS } from './tenant-state.ts';

const Integration = z.strictObject({
  clientId: z.string().min(1).optional(),
  clientSecret: z.string().min(8).optional(),
  scopes: z.array(z.string()).optional(),
});
const App = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  scopes: z.array(z.string()).optional(),
  roles: z.array(z.string()).optional(),
  publicJwks: z.array(z.record(z.string(), z.unknown())).optional(),
  dpop: z.boolean().optional(),
  applicationType: z.enum(['service', 'web']).optional(),
});
const Role = z.strictObject({
  name: z.string().min(1).max(100),
  permissions: z.array(z.enum(ROLE_PERMISSIONS)).min(1),
});
const Mac = z.strictObject({
  id: z
    .string()
    .regex(/^pfm[A-Za-z0-9]{17}$/)
    .optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(8).optional(),
});
const Ios = z.strictObject({
  secretKey: z.string().min(8).max(256).optional(),
  providerName: z.string().min(1).default('Odette'),
  enrollmentLink: z.string().default('https://odette.example/enroll'),
});

type Work = (request: Request) => Promise<unknown>;

/** What `work` returns is the response; undefined is 404; a body that does not fit is 400 with the first reason. */
const handling =
  (status: number, work: Work) =>
  async (request: Request, response: Response): Promise<void> => {
    try {
      const result = await work(request);
      if (result === undefined || result === false) response.status(404).json({ error: 'not found' });
      else if (result === true) response.status(204).end();
      else response.status(status).json(result);
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const [issue] = error.issues;
      response.status(400).json({ error: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unfit'}` });
    }
  };

const id = (request: Request, name = 'id'): string => String(request.params[name]);

/** exactOptionalPropertyTypes: what was not sent is not there. */
const given = <Shape extends object>(shape: Shape) =>
  Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Shape]: Exclude<Shape[Key], undefined>;
  };

export function tenantManagement(tenant: Tenant): Router {
  const routes = Router();
  routes.get(
    '/',
    handling(200, async () => overview(tenant)),
  );
  routes.get(
    '/knobs',
    handling(200, async () => tenant.state.knobs),
  );
  routes.patch(
    '/knobs',
    handling(200, async ({ body }) => {
      tenant.state.knobs = changeKnobs(tenant.state.knobs, body);
      await tenant.save();
      return tenant.state.knobs;
    }),
  );
  routes.get(
    '/requests',
    handling(200, async ({ query }) => tenant.requests.since(Number(query['since'] ?? 0))),
  );
  addClients(routes, tenant);
  addRoles(routes, tenant);
  addPlatforms(routes, tenant);
  addDevices(routes, tenant);
  return routes;
}

function addClients(routes: Router, tenant: Tenant): void {
  routes.post(
    '/api-service-integrations',
    handling(201, async ({ body }) =>
      admin.installApiServiceIntegration(tenant, Integration.parse(body ?? {})),
    ),
  );
  routes.post(
    '/api-service-integrations/:id/secrets',
    handling(201, async (request) =>
      admin.addClientSecret(tenant, id(request), Integration.parse(request.body ?? {}).clientSecret),
    ),
  );
  routes.delete(
    '/api-service-integrations/:id/secrets/:secret',
    handling(204, async (request) => admin.removeClientSecret(tenant, id(request), id(request, 'secret'))),
  );
  routes.delete(
    '/api-service-integrations/:id',
    handling(204, async (request) => admin.removeClient(tenant, id(request))),
  );
  routes.post(
    '/api-services-apps',
    handling(201, async ({ body }) => admin.createApiServicesApp(tenant, given(App.parse(body ?? {})))),
  );
  routes.patch(
    '/api-services-apps/:id',
    handling(200, async (request) =>
      admin.changeApiServicesApp(tenant, id(request), given(App.parse(request.body ?? {}))),
    ),
  );
  routes.delete(
    '/api-services-apps/:id',
    handling(204, async (request) => admin.removeClient(tenant, id(request))),
  );
}

function addRoles(routes: Router, tenant: Tenant): void {
  routes.post(
    '/custom-roles',
    handling(201, async ({ body }) => admin.createCustomRole(tenant, Role.parse(body ?? {}))),
  );
}

function addPlatforms(routes: Router, tenant: Tenant): void {
  routes.post(
    '/platforms/macos/generate',
    handling(200, async () => admin.generateMacPlatform(tenant)),
  );
  routes.post(
    '/platforms/ios/generate',
    handling(200, async () => admin.generateSecretKey()),
  );
  routes.post(
    '/platforms/macos',
    handling(201, async ({ body }) => admin.addMacPlatform(tenant, Mac.parse(body ?? {}))),
  );
  routes.post(
    '/platforms/macos/:id/reset-password',
    handling(200, async (request) =>
      admin.resetChallengePassword(tenant, id(request), Mac.parse(request.body ?? {}).password),
    ),
  );
  routes.post(
    '/platforms/ios',
    handling(201, async ({ body }) => admin.addIosPlatform(tenant, Ios.parse(body ?? {}))),
  );
  routes.post(
    '/platforms/ios/:id/reset-secret-key',
    handling(200, async (request) =>
      admin.resetSecretKey(tenant, id(request), Ios.parse(request.body ?? {}).secretKey),
    ),
  );
  routes.delete(
    '/platforms/:id',
    handling(204, async (request) => admin.removePlatform(tenant, id(request))),
  );
  routes.post(
    '/authority/renew-registration',
    handling(204, async () => renewRegistration(tenant).then(() => true)),
  );
  routes.post(
    '/authority/renew-intermediate',
    handling(204, async () => renewIntermediate(tenant).then(() => true)),
  );
}

const ACTIONS: readonly string[] = ['activate', 'deactivate', 'suspend', 'unsuspend'];

function addDevices(routes: Router, tenant: Tenant): void {
  routes.get(
    '/devices',
    handling(200, async () => tenant.state.devices),
  );
  routes.get(
    '/certificates',
    handling(200, async () => {
      revokeUnused(tenant);
      return tenant.state.certificates;
    }),
  );
  routes.get(
    '/users',
    handling(200, async () => tenant.state.users),
  );
  routes.post('/devices/:id/:action', async (request, response) => {
    const device = tenant.state.devices.find((known) => known.id === id(request));
    if (device === undefined || !ACTIONS.includes(id(request, 'action'))) {
      response.status(404).json({ error: 'not found' });
      return;
    }
    const { status, body } = await changeLifecycle(tenant, device, id(request, 'action') as LifecycleAction);
    response.status(status).json(body);
  });
  /** Deactivates first when needed, as the console's two clicks do. */
  routes.delete('/devices/:id', async (request, response) => {
    const device = tenant.state.devices.find((known) => known.id === id(request));
    if (device !== undefined) await changeLifecycle(tenant, device, 'deactivate');
    const { status, body } = await deleteDevice(tenant, id(request));
    response.status(status).json(body);
  });
}

/** Everything but secrets. */
function overview(tenant: Tenant) {
  const { orgId, knobs, clients, customRoles = [], platforms, counts, devices, certificates } = tenant.state;
  return {
    host: tenant.host,
    orgId,
    knobs,
    counts,
    devices: devices.length,
    certificates: certificates.length,
    customRoles,
    clients: clients.map((client) =>
      client.kind === 'api_services_app'
        ? client
        : { ...client, secrets: client.secrets.map((one) => ({ id: one.id })) },
    ),
    platforms: platforms.map((platform) =>
      platform.platform === 'macOS'
        ? { platform: 'macOS', username: platform.username, ...addressesOf(tenant, platform) }
        : {
            platform: 'iOS',
            id: platform.id,
            providerName: platform.providerName,
            enrollmentLink: platform.enrollmentLink,
          },
    ),
  };
}

const { addressesOf } = admin;
