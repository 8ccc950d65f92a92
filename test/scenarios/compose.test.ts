// Each Odette service of docker-compose.yml, started with that file's command and environment, becomes ready. No containers:
// names of containers and mounts are replaced by addresses and folders of this machine.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../../workers/free-port.ts';
import { searchAttributes } from '../../workflows/messages.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { temporalAddress } from '../harness/temporal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICES = ['api', 'devices', 'relay', 'worker'] as const;
type ServiceName = (typeof SERVICES)[number];

const READY: Record<ServiceName, readonly [variable: string, path: string]> = {
  api: ['ODETTE_ADMIN_LISTEN', '/healthz'],
  devices: ['ODETTE_DEVICE_METRICS_LISTEN', '/readyz'],
  relay: ['ODETTE_RELAY_LISTEN', '/readyz'],
  worker: ['ODETTE_WORKER_LISTEN', '/readyz'],
};

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
  readonly healthcheck: { readonly test: readonly string[] };
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
}

const text = await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as ComposeFile;

let database: TestDatabase;
let folder: string;
let temporal: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-compose-'));
  temporal = await temporalAddress();
});
afterAll(async () => {
  await Promise.all(children.map(stop));
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** ${NAME:-fallback} and ${NAME:?message} as compose reads them; what must be given is given here. */
const interpolate = (value: string): string =>
  value.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_whole, name: string, kind: string, rest: string) =>
    kind === '-' ? rest : `${name.toLowerCase().replaceAll('_', '-')}-0123456789abcdef0123456789abcdef`,
  );

async function environmentOf(service: Service): Promise<Record<string, string>> {
  const entries = Object.entries(service.environment).map(
    ([name, value]) => [name, interpolate(String(value))] as const,
  );
  const environment = Object.fromEntries(entries);
  for (const [name, value] of entries)
    if (/_LISTEN$/.test(name)) environment[name] = value.replace(/:\d+$/, `:${await freePort()}`);
  expect(environment['DATABASE_URL']).toMatch(/@postgres:5432\/odette$/);
  expect(environment['TEMPORAL_ADDRESS']).toBe('temporal:7233');
  return {
    ...environment,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal,
    // The shared server of the tests has the one namespace.
    TEMPORAL_NAMESPACE: 'default',
    ODETTE_DATA_DIR: path.join(folder, 'data'),
  };
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('close', () => resolve());
    child.kill('SIGTERM');
  });
}

const fetched = (url: string): Promise<Response | undefined> => fetch(url).catch(() => undefined);

test.each(SERVICES)(
  '%s starts with the command and environment of the compose file, and is ready',
  async (name) => {
    const service = compose.services[name];
    if (!service) throw new Error(`${name} is not in docker-compose.yml`);
    const environment = await environmentOf(service);
    const [program, ...args] = service.command;
    expect(program).toBe('node');
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: folder, NODE_ENV: 'production', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));

    const [variable, pathOf] = READY[name];
    const listen = environment[variable] ?? '';
    const url = `http://127.0.0.1:${listen.split(':').at(-1)}${pathOf}`;
    await expect
      .poll(async () => (child.exitCode === null ? (await fetched(url))?.status : `ended: ${said}`), {
        timeout: 60_000,
        interval: 250,
      })
      .toBe(200);
    // The container's own health check asks the address that the service listens on.
    const port = interpolate(String(service.environment[variable])).split(':').at(-1);
    expect(service.healthcheck.test.join(' ')).toContain(`127.0.0.1:${port}/`);
    if (name === 'api')
      await expect.poll(() => said).toMatch(/Create the first admin: http:\/\/localhost:4780\/first-run#/);
  },
  90_000,
);

test('the compose file registers every search attribute of the workflows', () => {
  const types = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;
  for (const { name, type } of Object.values(searchAttributes))
    expect(text).toContain(`${name}:${types[type]}`);
});

test('every image is named by its digest, so that nobody serves another one under its tag', async () => {
  const dockerfile = await readFile(path.join(ROOT, 'Dockerfile'), 'utf8');
  const images = [
    ...[...text.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image),
    ...[...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image),
  ].filter((image) => image !== 'odette');
  expect(images.length).toBeGreaterThanOrEqual(7);
  for (const image of images) expect(image).toMatch(/^[a-z/-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
});
