// NanoMDM and micromdm/scep for comparisons: built by Go through its module proxy, started on a free port. Nothing of them is kept here.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../workers/free-port.ts';

const SOURCE = fileURLToPath(new URL('go-peers', import.meta.url));
const NANOMDM = 'github.com/micromdm/nanomdm/cmd/nanomdm@v0.9.0';
const SCEP = 'github.com/micromdm/scep/v2/cmd/scepserver@v2.3.0';

export interface PeerPrograms {
  /** As its authors publish it. */
  readonly nanomdm: string;
  readonly scepserver: string;
  /** Their packages over TLS (go-peers). */
  readonly peers: string;
}

export interface Peer {
  readonly origin: string;
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** undefined: Go is not here. @throws Error when it is, and cannot build them */
export function buildPeers(folder: string): PeerPrograms | undefined {
  const go = findGo();
  if (go === undefined) return undefined;
  const run = (args: readonly string[], cwd: string) => runGo(go, args, { cwd, bin: folder });
  run(['install', NANOMDM], folder);
  run(['install', SCEP], folder);
  const peers = path.join(folder, 'go-peers');
  run(['build', '-o', peers, '.'], SOURCE);
  return { nanomdm: path.join(folder, 'nanomdm'), scepserver: path.join(folder, 'scepserver'), peers };
}

/** NanoMDM alone, and the tables that it expects in PostgreSQL. undefined: Go is not here. @throws Error when it cannot build it */
export function buildNanoMdm(
  folder: string,
): { readonly nanomdm: string; readonly schema: string } | undefined {
  const go = findGo();
  if (go === undefined) return undefined;
  runGo(go, ['install', NANOMDM], { cwd: folder, bin: folder });
  const module = ['list', '-m', '-f', '{{.Dir}}', 'github.com/micromdm/nanomdm'];
  const source = runGo(go, module, { cwd: SOURCE, bin: folder }).trim();
  const schema = readFileSync(path.join(source, 'storage', 'pgsql', 'schema.sql'), 'utf8');
  return { nanomdm: path.join(folder, 'nanomdm'), schema };
}

const findGo = (): string | undefined =>
  ['go', '/usr/local/go/bin/go'].find((name) => spawnSync(name, ['version']).status === 0);

/** @returns what it prints */
function runGo(
  go: string,
  args: readonly string[],
  { cwd, bin }: { readonly cwd: string; readonly bin: string },
): string {
  const { status, stdout, stderr } = spawnSync(go, args, { cwd, env: { ...process.env, GOBIN: bin } });
  if (status !== 0) throw new Error(`go ${args.join(' ')}: ${stderr.toString('utf8').slice(-2000)}`);
  return stdout.toString('utf8');
}

/** What a program prints. @throws Error when it fails */
export function outputOf(program: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.toString('utf8')}`);
  return stdout.toString('utf8');
}

/** Resolves when it takes connections. @param argsFor the port that it listens on · @param port a free one if it does not matter */
export async function startPeer(
  program: string,
  argsFor: (listen: string) => readonly string[],
  scheme: 'http' | 'https',
  environment: NodeJS.ProcessEnv = process.env,
  port?: number,
): Promise<Peer> {
  port ??= await freePort();
  const listen = `127.0.0.1:${port}`;
  const child: ChildProcess = spawn(program, argsFor(listen), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment,
  });
  let last = '';
  child.stderr?.on('data', (text: Buffer) => {
    last = text.toString('utf8').slice(-500);
  });
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${last}`);
    await pause(50);
  }
  return {
    origin: `${scheme}://${listen}`,
    pid: child.pid ?? 0,
    async stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
