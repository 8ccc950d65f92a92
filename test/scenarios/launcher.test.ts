// `odette up` on one machine: comes up, is found by its data folder, mends what is killed, takes over after kill -9, stops without a trace.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRunning } from '../../workers/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE = { timeout: 120_000, interval: 200 };

interface Launch {
  readonly child: ChildProcess;
  said(): string;
  /** Standard output alone. */
  printed(): string;
  readonly ended: Promise<number | null>;
}

let folder: string;
const launches: Launch[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-up-'));
  // As root, PostgreSQL's own user must be able to pass through.
  await chmod(folder, 0o711);
});
afterAll(async () => {
  for (const { child, ended } of launches) {
    child.kill('SIGINT');
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

function up(...options: string[]): Launch {
  const { DATABASE_URL: _database, TEMPORAL_ADDRESS: _temporal, ...environment } = process.env;
  const child = spawn(process.execPath, ['cli/odette.mjs', 'up', '--no-sandbox', ...options], {
    cwd: ROOT,
    env: { ...environment, ODETTE_DATA_DIR: path.join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const launch = { child, said: () => text, printed: () => printed, ended };
  launches.push(launch);
  return launch;
}

const read = async <Shape>(name: string): Promise<Shape> =>
  JSON.parse(await readFile(path.join(folder, 'data', name), 'utf8')) as Shape;
const pidOf = async (name: string): Promise<number> =>
  (await read<{ pid: number }>(`processes/${name}.json`)).pid;

async function status(): Promise<{ ready: boolean; needs: { id: string }[] }> {
  const { api, tokenFile } = await read<{ api: string; tokenFile: string }>('runtime.json');
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const answer = await fetch(`${api}/api/status`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()) as { ready: boolean; needs: { id: string }[] };
}
const isReady = (): Promise<boolean> =>
  status().then(
    ({ ready }) => ready,
    () => false,
  );

test('it comes up, says how to sign in and what real devices still need, and is found by its data folder', async () => {
  const launch = up();
  await expect.poll(() => launch.said(), PATIENCE).toContain('Ctrl-C stops it.');
  expect(launch.said()).toMatch(/Sign in +http:\/\/127\.0\.0\.1:\d+\/first-run#[\w-]+/);
  expect(launch.said()).toContain('ODETTE_PUBLIC_URL');
  expect(launch.said()).toContain('push-certificate');
  await expect.poll(isReady, PATIENCE).toBe(true);
}, 180_000);

test('each line that a process logs is JSON, those of the core of Temporal among them', async () => {
  const linesOf = async (name: string): Promise<string[]> =>
    (await readFile(path.join(folder, 'data', 'logs', `${name}.log`), 'utf8')).trim().split('\n');
  const components = async () =>
    (await Promise.all(['worker', 'relay', 'api', 'devices'].map(linesOf)))
      .flat()
      .map((line) => (JSON.parse(line) as { sdkComponent?: string }).sdkComponent);
  await expect.poll(components, PATIENCE).toContain('core');
});

test('a second launcher with the same folder is refused', async () => {
  const second = up();
  expect(await second.ended).toBe(1);
  expect(second.said()).toContain('already runs');
}, 60_000);

test.each(['worker', 'api', 'relay', 'devices'])(
  'a killed %s is started again',
  async (name) => {
    const before = await pidOf(name);
    process.kill(before, 'SIGKILL');
    await expect.poll(() => pidOf(name).catch(() => before), PATIENCE).not.toBe(before);
    await expect.poll(isReady, PATIENCE).toBe(true);
  },
  180_000,
);

test('after kill -9 of the launcher the next start takes over, with the same addresses and the same key', async () => {
  const before = {
    runtime: await read<{ api: string; pid: number }>('runtime.json'),
    key: await readFile(path.join(folder, 'data', 'odette.key'), 'utf8'),
  };
  process.kill(before.runtime.pid, 'SIGKILL');
  const next = up('--json');
  await expect.poll(() => next.said(), PATIENCE).toContain('Ctrl-C stops it.');
  const after = await read<{ api: string; pid: number }>('runtime.json');
  // For programs: one line, and nothing else, where the answer belongs.
  expect(next.printed().trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(next.printed())).toMatchObject({
    console: after.api,
    enrollmentLink: null,
    sandbox: null,
    dataFolder: path.join(folder, 'data'),
  });
  expect(after.pid).not.toBe(before.runtime.pid);
  expect(after.api).toBe(before.runtime.api);
  expect(await readFile(path.join(folder, 'data', 'odette.key'), 'utf8')).toBe(before.key);
  await expect.poll(isReady, PATIENCE).toBe(true);
}, 240_000);

test('Ctrl-C stops all of it, and nothing is left running', async () => {
  const processes = await Promise.all(
    (await readdir(path.join(folder, 'data', 'processes'))).map((name) => pidOf(path.parse(name).name)),
  );
  const postgres = Number.parseInt(
    await readFile(path.join(folder, 'data/postgres/data/postmaster.pid'), 'utf8'),
    10,
  );
  const temporal = (await read<{ pid: number }>('temporal/temporal.pid.json')).pid;
  const launch = launches.at(-1);
  launch?.child.kill('SIGINT');
  expect(await launch?.ended).toBe(0);
  expect([...processes, postgres, temporal].filter(isRunning)).toEqual([]);
}, 60_000);
