// Runs PostgreSQL for one data folder: makes the cluster on first start, ends a server that a killed run left behind, listens on a Unix
// socket in a folder of its own and lets in nobody but the user who started it. As root it runs as an unprivileged user.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connectDatabase } from '../adapters/store/base/database.ts';
import { accountFor, accountForInitdb, giveTo, makeOwnFolder, type Account } from './postgres-account.ts';
import { folderKey, isRoot, postgresBinaries } from './postgres-binaries.ts';
import { commandOf, endProcess } from './processes.ts';

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
  await mkdir(path.dirname(folder), { recursive: true });
  await makeOwnFolder(folder, { mode: 0o711 });
  await mustBeReachable(folder);
  const data = path.join(folder, 'data');
  await endLeftServer(data);
  const account = await accountFor(data);
  if (!(await stat(path.join(data, 'PG_VERSION')).catch(() => undefined)))
    await initialize(binaries.initdb, folder, account);
  const socket = await socketFolder(folder, account);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    ...(await writeAccessRules(folder)),
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
    { cwd: folder, account },
  );
  await mustBeTheServers(path.join(socket, '.s.PGSQL.5432'), account);
  await makeDatabase(urlOf('postgres'));
  return { url: urlOf('odette'), urlOf, ...server };
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

/** Made beside its place and renamed, so that a killed start leaves no half cluster. */
async function initialize(initdb: string, folder: string, account: Account | undefined): Promise<void> {
  const draft = path.join(folder, 'new');
  const data = path.join(draft, 'data');
  await rm(draft, { recursive: true, force: true });
  await makeOwnFolder(draft, { mode: 0o700 });
  if (account) {
    await mkdir(data, { mode: 0o700 });
    const maker = await accountForInitdb(account);
    await giveTo(maker, data);
    await chown(draft, 0, maker.gid);
    await chmod(draft, 0o710);
    await runInitdb(initdb, data, maker);
    await giveTo(account, data);
  } else await runInitdb(initdb, data, undefined);
  await rm(path.join(folder, 'data'), { recursive: true, force: true });
  await rename(data, path.join(folder, 'data'));
  await rm(draft, { recursive: true });
}

async function runInitdb(initdb: string, data: string, account: Account | undefined): Promise<void> {
  const child = spawn(
    initdb,
    // Its own rules of access let nobody in; the server gets others (writeAccessRules).
    [
      '-D',
      data,
      '-U',
      'odette',
      '-A',
      'reject',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-instructions',
      '--no-sync',
    ],
    { ...account, cwd: data, stdio: ['ignore', 'ignore', 'pipe'], env: serverEnvironment() },
  );
  const said: string[] = [];
  createInterface(child.stderr).on('line', (line) => said.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`PostgreSQL could not create its data folder: ${said.slice(-3).join(' ')}`);
}

/**
 * The kernel says who is at the other end of the socket (`peer`): the user who starts the server comes in, nobody else, and there is no
 * password to keep. Outside the cluster, where the server's own user cannot change it.
 */
async function writeAccessRules(folder: string): Promise<{ hba_file: string; ident_file: string }> {
  const rules = {
    hba_file: 'local all odette peer map=odette\n',
    ident_file: `odette "${os.userInfo().username}" odette\n`,
  };
  const files = {
    hba_file: path.join(folder, 'pg_hba.conf'),
    ident_file: path.join(folder, 'pg_ident.conf'),
  };
  for (const name of ['hba_file', 'ident_file'] as const) {
    const draft = `${files[name]}.${randomUUID()}`;
    await writeFile(draft, rules[name], { mode: 0o644, flag: 'wx' });
    await chmod(draft, 0o644);
    await rename(draft, files[name]);
  }
  return files;
}

// A socket's path over 107 bytes is refused by the system; names of the database's socket file take 16 of them.
async function socketFolder(folder: string, account: Account | undefined): Promise<string> {
  const inside = path.join(folder, 'socket');
  const chosen =
    Buffer.byteLength(inside) < 80 ? inside : path.join(runtimeFolder(), `odette-${folderKey(folder)}`);
  await makeOwnFolder(chosen, { mode: 0o700, account });
  return chosen;
}

const runtimeFolder = (): string =>
  isRoot() && process.platform === 'linux' ? '/run' : (process.env['XDG_RUNTIME_DIR'] ?? os.tmpdir());

/** Whoever listens there is told everything: it must be the server that was started. */
async function mustBeTheServers(socket: string, account: Account | undefined): Promise<void> {
  const { uid, mode } = await lstat(socket);
  if (uid !== (account?.uid ?? process.getuid?.()) || (mode & 0o077) !== 0)
    throw new Error(`${socket} is not the database's own socket. Remove it and start again.`);
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
  { cwd, account }: { readonly cwd: string; readonly account: Account | undefined },
): Promise<Pick<EmbeddedPostgres, 'pid' | 'ended' | 'stop'>> {
  const child = spawn(postgres, args, {
    ...account,
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
    throw new Error(`PostgreSQL did not start: ${lastLines.slice(-3).join(' ') || 'no output'}`);
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
