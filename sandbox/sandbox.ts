// Puts the pretend world together: authorities, clock, devices, Apple's services, Okta tenants, and the management port over all.
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PushService } from './apns/push-service.ts';
import { createAppsAndBooks, type AppsAndBooks } from './apps-and-books/apps-and-books.ts';
import type { Authorities } from './authorities.ts';
import { openAuthorities } from './authorities.ts';
import { MovableClock } from './clock.ts';
import { addDefaultFleet } from './default-fleet.ts';
import { Fleet } from './devices/fleet.ts';
import { createFleetServer } from './fleet/fleet-server.ts';
import { DeviceKeys } from './devices/device-keys.ts';
import { Network } from './devices/network.ts';
import { HoldPoints, holdRequests } from './hold-points.ts';
import { listen, shut } from './listeners.ts';
import { createManagementApp } from './management/management-app.ts';
import { createOktaTenant } from './okta/okta-tenant.ts';
import { StateFile, readWhole, writeWhole } from './state-file.ts';
import type { ServicePart, World } from './world.ts';

export interface SandboxOptions {
  readonly dataDir: string;
  readonly hasDefaultFleet: boolean;
  readonly ports: {
    readonly management: number;
    readonly tenants: readonly [number, number];
    readonly apns: number;
    readonly appsAndBooks: number;
    readonly fleet: number;
  };
}

/** Where everything is: what the ready line says. */
export interface SandboxAddresses {
  readonly management: string;
  readonly apns: string;
  readonly appsAndBooks: string;
  /** A Fleet server, in which devices can enroll instead of in Odette. */
  readonly fleet: string;
  readonly tenants: readonly { readonly name: string; readonly url: string; readonly pages: string }[];
  /** For Odette's list of private hosts that it may call. */
  readonly allowedPrivateHosts: readonly string[];
  readonly files: Authorities['files'] & { readonly appsAndBooksToken: string };
}

export interface Sandbox {
  readonly addresses: SandboxAddresses;
  readonly clock: MovableClock;
  readonly holds: HoldPoints;
  readonly fleet: Fleet;
  close(): Promise<void>;
}

/** The first tenant is for the play; nobody touches the second but the newcomer. Their hosts differ, as SSO hosts must. */
const TENANTS = [
  { name: 'one', hostname: 'localhost' },
  { name: 'two', hostname: '127.0.0.1' },
] as const;

export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const folder = (name: string): string => join(options.dataDir, name);
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const clockFile = new StateFile<{ offsetMs: number }>(folder('clock.json'));
  const clock = new MovableClock((await clockFile.read())?.offsetMs ?? 0);
  const holds = new HoldPoints();
  const authorities = await openAuthorities(folder('authorities'));
  const tls = { key: authorities.server.key, cert: authorities.server.certificate };
  const world = (name: string): World => ({ dataDir: folder(name), clock, holds });

  const appsAndBooks = await createAppsAndBooks({ world: world('apps-and-books') });
  const shop = await serveTls(tls, holds, 'appsAndBooks', appsAndBooks, options.ports.appsAndBooks);
  const tenants = await Promise.all(
    TENANTS.map((tenant, index) =>
      serveTenant(tls, tenant, options.ports.tenants[index] ?? 0, world(`tenant-${tenant.name}`)),
    ),
  );

  const { network, fleet, pushes } = await openDevices(world, clock, authorities, appsAndBooks);
  if (options.hasDefaultFleet) await addDefaultFleet(fleet);
  const apnsPort = await listen(pushes.server, options.ports.apns);
  const fleetServer = await serveFleet(tls, world('fleet'), pushes, options.ports.fleet);

  const appsAndBooksToken = folder('sandbox.vpptoken');
  if (!(await readWhole(appsAndBooksToken)))
    await writeWhole(appsAndBooksToken, await appsAndBooks.newToken());
  const management = createServer();
  const managementPort = await listen(management, options.ports.management);
  const ports = { management: managementPort, apns: apnsPort, shop: shop.port, fleet: fleetServer.port };
  const addresses = addressesOf(ports, tenants, { ...authorities.files, appsAndBooksToken });
  const app = createManagementApp({
    clock,
    holds,
    fleet,
    pushes,
    mounted: {
      '/apps-and-books': appsAndBooks.knobs,
      '/fleet': fleetServer.part.knobs,
      ...Object.fromEntries(tenants.map(({ name, part }) => [`/tenants/${name}`, part.knobs])),
    },
    addresses: () => addresses,
    consoleOf: (name) => addresses.tenants.find((tenant) => tenant.name === name)?.pages,
    counts: () => ({
      apns: pushes.counts(),
      devices: fleet.counts(),
      appsAndBooks: appsAndBooks.counts(),
      fleet: fleetServer.part.counts(),
      tenants: Object.fromEntries(tenants.map(({ name, part }) => [name, part.counts()])),
    }),
    saveClock: () => clockFile.write(() => ({ offsetMs: clock.offsetMs })),
    issuePushCertificate: authorities.issuePushCertificate,
  });
  management.on('request', app);
  fleet.resume();

  return {
    addresses,
    clock,
    holds,
    fleet,
    close: async () => {
      holds.remove();
      await fleet.close();
      network.close();
      await pushes.close();
      const servers = [management, shop.server, fleetServer.server, ...tenants.map(({ server }) => server)];
      await Promise.all(servers.map((server) => shut(server)));
      const parts = [appsAndBooks, fleetServer.part, ...tenants.map(({ part }) => part)];
      await Promise.all(parts.map((part) => part.close()));
    },
  };
}

/** The devices, what they need, and the push service that wakes them. */
async function openDevices(
  world: (name: string) => World,
  clock: MovableClock,
  authorities: Authorities,
  licenses: AppsAndBooks,
) {
  const { holds } = world('devices');
  const network = new Network(authorities.tls.certificate.pem);
  const fleet = await Fleet.open({
    folder: world('devices').dataDir,
    clock,
    network,
    keys: new DeviceKeys(),
    licenses,
    holds,
  });
  const pushes = await PushService.open({
    key: authorities.server.key,
    certificate: authorities.server.certificate,
    appleAuthority: authorities.apple.certificate.pem,
    directory: fleet,
    clock,
    holds,
    file: new StateFile(world('apns.json').dataDir),
  });
  fleet.onReachable = (token) => void pushes.deliverStored(token);
  return { network, fleet, pushes };
}

async function serveTenant(
  tls: { readonly key: string; readonly cert: string },
  { name, hostname }: (typeof TENANTS)[number],
  wantedPort: number,
  world: World,
) {
  // The tenant's own addresses hold its port, which port 0 tells only once it listens.
  const server = createTlsServer(tls);
  const port = await listen(server, wantedPort);
  const host = `${hostname}:${port}`;
  const part = await createOktaTenant({ world, host });
  const named = (request: IncomingMessage): string => `tenant.${name}.${part.nameOf(request)}`;
  server.on('request', holdRequests(world.holds, named, part.listener));
  return { name, host, part, server };
}

/** Its own addresses hold its port, which port 0 tells only once it listens. */
async function serveFleet(
  tls: { readonly key: string; readonly cert: string },
  world: World,
  pushes: PushService,
  wantedPort: number,
) {
  const server = createTlsServer(tls);
  const port = await listen(server, wantedPort);
  const part = await createFleetServer({
    world,
    base: `https://localhost:${port}`,
    push: async (token, payload) => (await pushes.push(token, payload)) === undefined,
  });
  const named = (request: IncomingMessage): string => `fleet.${part.nameOf(request)}`;
  server.on('request', holdRequests(world.holds, named, part.listener));
  return { server, port, part };
}

const addressesOf = (
  ports: {
    readonly management: number;
    readonly apns: number;
    readonly shop: number;
    readonly fleet: number;
  },
  tenants: readonly { readonly name: string; readonly host: string }[],
  files: SandboxAddresses['files'],
): SandboxAddresses => ({
  management: `http://127.0.0.1:${ports.management}`,
  apns: `https://localhost:${ports.apns}`,
  appsAndBooks: `https://localhost:${ports.shop}/mdm/v2`,
  fleet: `https://localhost:${ports.fleet}`,
  tenants: tenants.map(({ name, host }) => ({
    name,
    url: `https://${host}`,
    pages: `https://${host}/admin/dashboard`,
  })),
  allowedPrivateHosts: [
    ...tenants.map(({ host }) => host),
    `localhost:${ports.apns}`,
    `localhost:${ports.shop}`,
    `localhost:${ports.fleet}`,
  ],
  files,
});

async function serveTls(
  tls: { key: string; cert: string },
  holds: HoldPoints,
  name: string,
  part: ServicePart,
  port: number,
): Promise<{ server: TlsServer; port: number }> {
  const server = createTlsServer(
    tls,
    holdRequests(holds, (request) => `${name}.${part.nameOf(request)}`, part.listener),
  );
  return { server, port: await listen(server, port) };
}
