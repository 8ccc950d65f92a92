// Starts the pretend world and turns its addresses into ordinary settings of Odette.
import { spawn } from 'node:child_process';
import { z } from 'zod';
import type { WantedPort } from './persisted-ports.ts';
import type { Part } from './supervise.ts';
import { startNodeProcess, type NodeProcess } from './node-process.ts';
import { programAt } from './program.ts';

/** What the sandbox says when it is ready (sandbox/main.ts). */
const Ready = z.object({
  management: z.string(),
  apns: z.string(),
  appsAndBooks: z.string(),
  fleet: z.string(),
  tenants: z.array(z.object({ name: z.string(), url: z.string(), pages: z.string() })),
  allowedPrivateHosts: z.array(z.string()),
  files: z.object({ authority: z.string(), deviceTlsCertificate: z.string(), deviceTlsKey: z.string() }),
});
export type SandboxReady = z.infer<typeof Ready>;

export const SANDBOX_PORTS = [
  { name: 'sandbox', variable: 'SANDBOX_MANAGEMENT_PORT', wanted: 4790 },
  { name: 'tenant one', variable: 'SANDBOX_TENANT_ONE_PORT', wanted: 4791 },
  { name: 'tenant two', variable: 'SANDBOX_TENANT_TWO_PORT', wanted: 4792 },
  { name: 'apns', variable: 'SANDBOX_APNS_PORT', wanted: 4793 },
  { name: 'apps and books', variable: 'SANDBOX_APPS_AND_BOOKS_PORT', wanted: 4794 },
  { name: 'fleet', variable: 'SANDBOX_FLEET_PORT', wanted: 4795 },
] as const;

/**
 * The sandbox's listeners as the launcher looks for free ports. 0, as none, takes any free port.
 * @throws Error naming the variable when it is no port
 */
export const sandboxPorts = (environment: NodeJS.ProcessEnv): WantedPort[] =>
  SANDBOX_PORTS.map(({ name, variable, wanted }) => {
    const text = environment[variable] ?? '';
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error(`${variable} must be a port from 0 to 65535. It is "${text}".`);
    return { name, wanted, isFixed: true, ...(port > 0 && { demanded: { port, variable } }) };
  });

export async function startSandbox(options: {
  readonly folder: string;
  readonly dataDir: string;
  readonly ports: Readonly<Record<string, number>>;
}): Promise<NodeProcess & { readonly world: SandboxReady }> {
  const ports = SANDBOX_PORTS.map(({ name, variable }) => [variable, String(options.ports[name])] as const);
  const started = await startNodeProcess({
    name: 'sandbox',
    program: 'sandbox/main',
    folder: options.folder,
    environment: { ...process.env, SANDBOX_DATA_DIR: options.dataDir, ...Object.fromEntries(ports) },
  });
  return { ...started, world: Ready.parse(started.ready) };
}

/** Odette's settings for this world. Apple's addresses are settings in any installation; these are the sandbox's. */
export const settingsFor = (world: SandboxReady, deviceListen: string): Record<string, string> => ({
  NODE_EXTRA_CA_CERTS: world.files.authority,
  ODETTE_TLS_CERT_FILE: world.files.deviceTlsCertificate,
  ODETTE_TLS_KEY_FILE: world.files.deviceTlsKey,
  ODETTE_PUBLIC_URL: `https://localhost:${deviceListen.split(':').at(-1)}`,
  ODETTE_APNS_URL: world.apns,
  ODETTE_APPS_AND_BOOKS_URL: world.appsAndBooks,
  ODETTE_ALLOWED_PRIVATE_HOSTS: world.allowedPrivateHosts.join(','),
});

/** Plays the main job through the public API, in the terminal; ends by itself. What it did is kept: a later play goes on from there. */
export function startPlay(options: {
  readonly environment: NodeJS.ProcessEnv;
  readonly api: string;
  readonly tokenFile: string;
  readonly world: SandboxReady;
  /** Where it says what it does. */
  readonly output: 'stdout' | 'stderr';
}): Part {
  const { args, cwd } = programAt('sandbox/demo');
  const child = spawn(process.execPath, args, {
    cwd,
    env: {
      ...options.environment,
      ODETTE_URL: options.api,
      ODETTE_TOKEN_FILE: options.tokenFile,
      SANDBOX_URL: options.world.management,
    },
    stdio: ['ignore', options.output === 'stdout' ? 1 : 2, 2],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  return {
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
