// A whole Odette of its own for one scenario: PostgreSQL, Temporal, sandbox, worker, relay, API and device process as real processes,
// each of which can be killed and started again.
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { chmodSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildPrograms } from '../../scripts/build-programs.mjs';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { startEmbeddedTemporal } from '../../workers/embedded-temporal.ts';
import { isFree } from '../../workers/free-port.ts';
import { SANDBOX_PORTS, settingsFor, type SandboxReady } from '../../workers/launch-sandbox.ts';
import { startNodeProcess } from '../../workers/node-process.ts';

export const PARTS = ['postgres', 'temporal', 'worker', 'relay', 'api', 'devices'] as const;
export type PartName = (typeof PARTS)[number];

const PROGRAMS = {
  worker: 'workers/worker',
  relay: 'workers/relay',
  api: 'workers/api-server',
  devices: 'workers/device-server',
} as const;

interface Running {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface ApiResponse<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface World {
  readonly folder: string;
  /** The environment that Odette's processes get. */
  readonly environment: NodeJS.ProcessEnv;
  readonly sandbox: SandboxReady;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** Calls the admin API with the machine's own token. */
  api<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiResponse<Body>>;
  /** Calls the sandbox's management port. @throws Error when it refuses */
  manage<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  token(): Promise<string>;
  /** The process ids of everything that runs, the sandbox included. */
  pids(): Readonly<Record<string, number>>;
  /** SIGKILL, at once. */
  kill(part: PartName): Promise<void>;
  /** Starts a killed part again on the same data. */
  start(part: PartName): Promise<void>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly devices?: 'default' | 'none';
  /** Dynamic configuration of the Temporal server. */
  readonly temporalConfig?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** Further hosts that Odette may call. */
  readonly allowedPrivateHosts?: readonly string[];
  /** Of the PostgreSQL server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

/**
 * One for each listener, by its name. Below the ports that the system gives to connections, for it must still be free when a killed part
 * comes back; and files that run at once look for theirs in places of their own.
 */
async function quietPorts(): Promise<(name: string) => number> {
  const names = [
    'admin',
    'devices',
    'temporal',
    'worker',
    'relay',
    'device metrics',
    ...SANDBOX_PORTS.map(({ name }) => name),
  ];
  const first = 15_000 + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 4) * 4_000;
  const ports = new Set<number>();
  while (ports.size < names.length) {
    const port = randomInt(first, first + 4_000);
    if (await isFree(port)) ports.add(port);
  }
  const inOrder = [...ports];
  return (name) => inOrder[names.indexOf(name)] ?? 0;
}

/** @throws Error when a part does not start; everything that had started is then ended, and nothing is left on the disk */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await buildPrograms(() => undefined);
  // A killed run's folder is told by the pid in its name, and what it left is ended by the next run (global-setup.ts).
  const folder = await mkdtemp(path.join(os.tmpdir(), `odette-world-${process.pid}-`));
  // PostgreSQL runs as an unprivileged user, who must get through.
  chmodSync(folder, 0o711);
  const running = new Map<PartName | 'sandbox', Running>();
  const starting = new Set<Promise<unknown>>();
  const kill = async (part: PartName | 'sandbox'): Promise<void> => {
    const found = running.get(part);
    if (!found) return;
    running.delete(part);
    try {
      process.kill(found.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await found.ended;
  };
  const stop = async (): Promise<void> => {
    await Promise.allSettled(starting);
    // Nothing is kept, so nothing has to end gracefully; PostgreSQL alone holds something outside of its folder.
    await Promise.all((['api', 'devices', 'relay', 'worker', 'sandbox', 'temporal'] as const).map(kill));
    await running.get('postgres')?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const environment: NodeJS.ProcessEnv = { ...process.env };
  const ports = await quietPorts();
  const temporalAddress = `127.0.0.1:${ports('temporal')}`;

  const odette = (name: keyof typeof PROGRAMS): Promise<Running> =>
    startNodeProcess({ name, program: PROGRAMS[name], environment, folder });
  const starters: Record<PartName, () => Promise<Running>> = {
    postgres: async () => {
      const postgres = await startEmbeddedPostgres({
        folder: path.join(folder, 'postgres'),
        ...(options.postgresSettings && { settings: options.postgresSettings }),
      });
      environment['DATABASE_URL'] = postgres.url;
      return postgres;
    },
    temporal: async () =>
      startEmbeddedTemporal({
        program: await getTemporal(() => undefined),
        folder: path.join(folder, 'temporal'),
        port: ports('temporal'),
        ...(options.temporalConfig && { dynamicConfig: options.temporalConfig }),
      }),
    worker: () => odette('worker'),
    relay: () => odette('relay'),
    api: () => odette('api'),
    devices: () => odette('devices'),
  };
  const keep = async <Started extends Running>(
    name: PartName | 'sandbox',
    part: Promise<Started>,
  ): Promise<Started> => {
    starting.add(part);
    try {
      const started = await part;
      running.set(name, started);
      return started;
    } finally {
      starting.delete(part);
    }
  };
  const start = async (part: PartName): Promise<void> => {
    await keep(part, starters[part]());
  };
  const startSandbox = async (): Promise<SandboxReady> => {
    const { ready } = await keep(
      'sandbox',
      startNodeProcess({
        name: 'sandbox',
        program: 'sandbox/main',
        folder,
        environment: {
          ...process.env,
          SANDBOX_DATA_DIR: path.join(folder, 'sandbox'),
          SANDBOX_DEVICES: options.devices ?? 'none',
          ...Object.fromEntries(SANDBOX_PORTS.map(({ name, variable }) => [variable, String(ports(name))])),
        },
      }),
    );
    return ready as unknown as SandboxReady;
  };

  let addresses: SandboxReady;
  try {
    [addresses] = await Promise.all([startSandbox(), start('postgres'), start('temporal')]);
    Object.assign(environment, {
      NODE_ENV: 'production',
      ODETTE_DATA_DIR: path.join(folder, 'odette'),
      ODETTE_ADMIN_LISTEN: `127.0.0.1:${ports('admin')}`,
      ODETTE_DEVICE_LISTEN: `127.0.0.1:${ports('devices')}`,
      ODETTE_WORKER_LISTEN: `127.0.0.1:${ports('worker')}`,
      ODETTE_RELAY_LISTEN: `127.0.0.1:${ports('relay')}`,
      ODETTE_DEVICE_METRICS_LISTEN: `127.0.0.1:${ports('device metrics')}`,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: 'default',
      ...settingsFor(addresses, `127.0.0.1:${ports('devices')}`),
      ...options.settings,
    });
    environment['ODETTE_ALLOWED_PRIVATE_HOSTS'] = [
      environment['ODETTE_ALLOWED_PRIVATE_HOSTS'],
      ...(options.allowedPrivateHosts ?? []),
    ].join();
    // The first of Odette's processes makes the key file and the tables.
    await start('api');
    await Promise.all([start('worker'), start('relay'), start('devices')]);
  } catch (error) {
    await stop();
    throw error;
  }

  const token = async (): Promise<string> =>
    (await readFile(path.join(folder, 'odette', 'cli-token'), 'utf8')).trim();
  return {
    folder,
    environment,
    sandbox: addresses,
    get databaseUrl() {
      return environment['DATABASE_URL'] ?? '';
    },
    temporalAddress,
    token,
    pids: () => Object.fromEntries([...running].map(([name, { pid }]) => [name, pid])),
    async api<Body>(method: string, at: string, body?: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(`http://127.0.0.1:${ports('admin')}${at}`, {
        method,
        headers: {
          authorization: `Bearer ${await token()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? undefined : JSON.parse(text)) as Body,
      };
    },
    async manage<Body>(method: string, at: string, body?: unknown) {
      const response = await fetch(addresses.management + at, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as Body;
    },
    kill,
    start,
    stop,
  };
}

/** Looks until it holds, or throws with the last thing seen. */
export async function eventually<Value>(
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
  options: { withinMs: number; what: string; everyMs?: number },
): Promise<Value> {
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    let seen: Value | Error;
    try {
      seen = await look();
      if (holds(seen)) return seen;
    } catch (error) {
      seen = error instanceof Error ? error : new Error(String(error));
    }
    if (Date.now() > deadline)
      throw new Error(
        `${options.what}: not within ${options.withinMs / 1000} s; last seen: ${seen instanceof Error ? seen.message : JSON.stringify(seen).slice(0, 2000)}`,
      );
    await pause(options.everyMs ?? 200);
  }
}
