// Runs PostgreSQL for one data folder: makes the cluster on first start, ends a server that a killed run left behind,
// listens on a Unix socket only, runs as an unprivileged user when we are root.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, lstat, mkdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connectDatabase } from '../adapters/store/base/database.ts';
import { folderKey, isRoot, postgresBinaries } from './postgres-binaries.ts';
import { commandOf, endProcess } from './processes.ts';

const NOBODY = 65534;
const OWNER = isRoot() ? { uid: NOBODY, gid: NOBODY } : {};

export interface EmbeddedPostgres {
  /** Of the database `odette`; other databases: `urlOf`. */
  readonly url: string;
  urlOf(database: string): string;
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason, with its last words. */
  readonly ended: Promise<{ readonly lastLines: readonly string[] }>;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
}

/**
 * @param options.folder holds the cluster; made when missing
 * @param options.isDurable false only for tests: no fsync
 * @throws Error one sentence, when the platform has no PostgreSQL, the folder cannot be used or the server does not come up
 */
export async function startEmbeddedPostgres(options: {
  readonly folder: string;
  readonly isDurable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<EmbeddedPostgres> {
  const folder = path.resolve(options.folder);
  const binaries = await postgresBinaries();
  await makeFolder(folder);
  await mustBeReachable(folder);
  const data = path.join(folder, 'data');
  await endLeftServer(data);
  if (!(await stat(path.join(data, 'PG_VERSION')).catch(() => undefined)))
    await initialize(binaries.initdb, data, folder);
  const socket = await socketFolder(folder);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    max_connections: '200',
    fsync: options.isDurable === false ? 'off' : 'on',
    synchronous_commit: options.isDurable === false ? 'off' : 'on',
    ...options.settings,
  };
  const urlOf = (database: string) =>
    `postgresql:///${database}?host=${encodeURIComponent(socket)}&user=odette`;
  const server = await serve(
    binaries.postgres,
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    folder,
  );
  await makeDatabase(urlOf('postgres'));
  return { url: urlOf('odette'), urlOf, ...server };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (isRoot()) await chown(folder, NOBODY, NOBODY);
}

async function mustBeReachable(folder: string): Promise<void> {
  if (!isRoot()) return;
  for (let parent = path.dirname(folder); parent !== path.dirname(parent); parent = path.dirname(parent)) {
    const { mode } = await stat(parent);
    if ((mode & 0o001) === 0)
      throw new Error(
        `PostgreSQL runs as an unprivileged user, who cannot enter ${parent}. Use another data folder, or set DATABASE_URL.`,
      );
  }
}

async function initialize(initdb: string, data: string, cwd: string): Promise<void> {
  await rm(data, { recursive: true, force: true });
  const child = spawn(
    initdb,
    ['-D', data, '-U', 'odette', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions', '--no-sync'],
    { ...OWNER, cwd, stdio: ['ignore', 'ignore', 'pipe'], env: serverEnvironment() },
  );
  const said: string[] = [];
  createInterface(child.stderr).on('line', (line) => said.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  await rm(data, { recursive: true, force: true });
  throw new Error(`PostgreSQL could not make its data folder: ${said.slice(-3).join(' ')}`);
}

// A socket's path over 107 bytes is refused by the system; names of the database's socket file take 16 of them.
async function socketFolder(folder: string): Promise<string> {
  const inside = path.join(folder, 'socket');
  const chosen =
    Buffer.byteLength(inside) < 80
      ? inside
      : path.join(process.env['XDG_RUNTIME_DIR'] ?? os.tmpdir(), `odette-${folderKey(folder)}`);
  await makeFolder(chosen);
  const { uid, mode } = await lstat(chosen);
  const isOurs = uid === (isRoot() ? NOBODY : process.getuid?.());
  if (!isOurs || (mode & 0o077) !== 0)
    throw new Error(`${chosen} is open to other users. Remove it and start again.`);
  return chosen;
}

/** Two servers never share a data folder: one that outlived its launcher is shut down. */
export async function endLeftServer(data: string): Promise<void> {
  const text = await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid) || !commandOf(pid)?.includes(data)) return;
  await endProcess(pid, { signal: 'SIGINT', patienceMs: 20_000 });
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C' };
}

async function serve(
  postgres: string,
  args: readonly string[],
  cwd: string,
): Promise<Pick<EmbeddedPostgres, 'pid' | 'ended' | 'stop'>> {
  const child = spawn(postgres, args, {
    ...OWNER,
    cwd,
    // Its own group: Ctrl-C in the terminal reaches the launcher, which stops the database last.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: serverEnvironment(),
  });
  const lastLines: string[] = [];
  const ended = new Promise<{ lastLines: readonly string[] }>((resolve) => {
    child.once('error', (error) => {
      lastLines.push(error.message);
      resolve({ lastLines });
    });
    child.once('close', () => resolve({ lastLines }));
  });
  const isReady = new Promise<boolean>((resolve) => {
    void ended.then(() => resolve(false));
    createInterface(child.stderr).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      if (line.includes('ready to accept connections')) resolve(true);
    });
  });
  if (!(await isReady))
    throw new Error(`PostgreSQL did not start: ${lastLines.slice(-3).join(' ') || 'it said nothing'}`);
  return {
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await ended;
    },
  };
}

async function makeDatabase(url: string): Promise<void> {
  const database = connectDatabase(url, { max: 1, applicationName: 'odette-start' });
  try {
    const found = await database.query(`select from pg_database where datname = 'odette'`);
    if (found.length === 0) await database.query('create database odette');
  } finally {
    await database.end();
  }
}
