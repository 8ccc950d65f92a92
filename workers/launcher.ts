// `odette up`: starts everything that one machine needs, keeps it running, and stops it in order.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getTemporal } from '../scripts/temporal-server.mjs';
import { ConfigError, defaultDataDir, hostAndPort, readConfig } from './config.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { endLeftTemporal, startEmbeddedTemporal } from './embedded-temporal.ts';
import { supervise, type Part } from './supervise.ts';
import { persistedPorts } from './persisted-ports.ts';
import { sandboxPorts, settingsFor, startPlay, startSandbox, type SandboxReady } from './launch-sandbox.ts';
import { endLeftProcesses, startNodeProcess } from './node-process.ts';
import { placesOf, signInLink, sayWhatIsNeeded, sayWhereEverythingIs } from './launcher-report.ts';

/** Then standard output holds the addresses alone. */
const isJson = process.argv.includes('--json');
const say = (line: string): void => (isJson ? console.error(line) : console.log(line));
const EXTERNAL_TEMPORAL = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];

const stops: (() => Promise<void>)[] = [];
let isStopping = false;

/** Last started, first stopped: databases go when nobody needs them any more. */
async function stopEverything(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const stop of stops.reverse()) await stop().catch((error: unknown) => console.error(error));
  process.exit(exitCode);
}

async function keep(name: string, start: () => Promise<Part>): Promise<void> {
  if (isStopping) return;
  const supervised = await supervise({ name, start, say });
  if (isStopping) await supervised.stop();
  else stops.push(() => supervised.stop());
}

async function up(isSandbox: boolean): Promise<void> {
  const began = Date.now();
  const given = process.env['ODETTE_DATA_DIR'];
  const dataDir = given || defaultDataDir(isSandbox ? 'odette-sandbox' : 'odette');
  const config = readConfig({ ...process.env, ODETTE_DATA_DIR: dataDir });
  const data = await openDataFolder(config.dataDir, { isSandbox });
  stops.push(() => data.release());
  await endWhatWasLeft(data.path);
  const ports = await persistedPorts(data.at('ports.json'), wantedPorts(isSandbox));
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_ENV: 'production',
    ODETTE_DATA_DIR: config.dataDir,
    ODETTE_ADMIN_LISTEN: process.env['ODETTE_ADMIN_LISTEN'] || `127.0.0.1:${ports['admin']}`,
    ODETTE_DEVICE_LISTEN: process.env['ODETTE_DEVICE_LISTEN'] || `127.0.0.1:${ports['devices']}`,
    ODETTE_WORKER_LISTEN: process.env['ODETTE_WORKER_LISTEN'] || `127.0.0.1:${ports['worker metrics']}`,
    ODETTE_RELAY_LISTEN: process.env['ODETTE_RELAY_LISTEN'] || `127.0.0.1:${ports['relay metrics']}`,
    ODETTE_DEVICE_METRICS_LISTEN:
      process.env['ODETTE_DEVICE_METRICS_LISTEN'] || `127.0.0.1:${ports['device metrics']}`,
  };

  const world = await startWorlds(isSandbox, data, ports, environment);
  const programs = {
    worker: 'workers/worker',
    relay: 'workers/relay',
    api: 'workers/api-server',
    devices: 'workers/device-server',
  } as const;
  await allOf(
    Object.entries(programs).map(([name, program]) =>
      keep(name, () => startNodeProcess({ name, program, environment, folder: data.path })),
    ),
  );
  if (isStopping) return;

  const settled = readConfig(environment);
  const signIn = await signInLink(settled);
  const api = `http://${hostAndPort(settled.adminListen)}`;
  // How `odette` on this machine finds the running server and its token.
  const runtime = { api, tokenFile: data.at('cli-token'), pid: process.pid, sandbox: isSandbox };
  await writeFile(data.at('runtime.json'), `${JSON.stringify(runtime, null, 2)}\n`, { mode: 0o600 });
  stops.push(() => rm(data.at('runtime.json'), { force: true }));
  say(`Odette is up after ${((Date.now() - began) / 1000).toFixed(1)} s.`);
  if (world) {
    const output = isJson ? 'stderr' : 'stdout';
    const play = startPlay({ environment, api, tokenFile: runtime.tokenFile, world, output });
    stops.push(() => play.stop());
    await play.ended;
    if (isStopping) return;
  }
  const places = placesOf({ config: settled, signIn, world });
  if (isJson) console.log(JSON.stringify(places));
  else sayWhereEverythingIs(places, say);
  if (!isSandbox) await sayWhatIsNeeded({ api, tokenFile: runtime.tokenFile, say });
  say('Ctrl-C stops it.');
}

/** Before ports are chosen: a process of a killed launcher that still starts would take one of them later. */
async function endWhatWasLeft(folder: string): Promise<void> {
  await endLeftProcesses(folder);
  await endLeftTemporal(path.join(folder, 'temporal'));
}

function wantedPorts(isSandbox: boolean) {
  return [
    { name: 'admin', wanted: 4780, isFixed: false },
    { name: 'devices', wanted: 4781, isFixed: true },
    { name: 'temporal', wanted: 4782, isFixed: false },
    { name: 'temporal ui', wanted: 4783, isFixed: false },
    { name: 'temporal ui server', wanted: 4787, isFixed: false },
    { name: 'worker metrics', wanted: 4784, isFixed: false },
    { name: 'relay metrics', wanted: 4785, isFixed: false },
    { name: 'device metrics', wanted: 4786, isFixed: false },
    ...(isSandbox ? sandboxPorts(process.env) : []),
  ];
}

/** Database, Temporal and sandbox side by side; each adds what it knows to the environment of Odette's processes. */
async function startWorlds(
  isSandbox: boolean,
  data: DataFolder,
  ports: Readonly<Record<string, number>>,
  environment: NodeJS.ProcessEnv,
): Promise<SandboxReady | undefined> {
  let world: SandboxReady | undefined;
  const database = async () => {
    if (process.env['DATABASE_URL']) return;
    await keep('PostgreSQL', async () => {
      const postgres = await startEmbeddedPostgres({ folder: data.at('postgres') });
      environment['DATABASE_URL'] = postgres.url;
      return postgres;
    });
  };
  const temporal = async () => {
    if (EXTERNAL_TEMPORAL.some((name) => process.env[name])) return;
    const program = await getTemporal(say);
    const uiPort = ports['temporal ui server'] ?? 0;
    await keep('Temporal', () =>
      startEmbeddedTemporal({
        program,
        folder: data.at('temporal'),
        port: ports['temporal'] ?? 0,
        ui: { port: uiPort },
      }),
    );
    // An empty profile: one of the user's own must not mix with the embedded server.
    await writeFile(data.at('temporal.toml'), '[profile.default]\n');
    environment['TEMPORAL_CONFIG_FILE'] = data.at('temporal.toml');
    environment['TEMPORAL_ADDRESS'] = `127.0.0.1:${ports['temporal']}`;
    environment['TEMPORAL_NAMESPACE'] = 'default';
    // The UI server shows ciphertext; people open it through Odette (api/temporal-ui.ts).
    environment['ODETTE_TEMPORAL_UI_UPSTREAM'] = `http://127.0.0.1:${uiPort}`;
    environment['ODETTE_TEMPORAL_UI_LISTEN'] ||= `127.0.0.1:${ports['temporal ui']}`;
  };
  const sandbox = async () => {
    if (!isSandbox) return;
    await keep('sandbox', async () => {
      const started = await startSandbox({ folder: data.path, dataDir: data.at('sandbox'), ports });
      world = started.world;
      return started;
    });
    if (world) Object.assign(environment, settingsFor(world, environment['ODETTE_DEVICE_LISTEN'] ?? ''));
  };
  await allOf([database(), temporal(), sandbox()]);
  return world;
}

/** Waits for all, also when one fails: what has started must be known to be stopped. */
async function allOf(starting: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(starting))
    if (result.status === 'rejected') throw result.reason;
}

// The command that started us is gone: `npm start` was killed.
process.on('disconnect', () => void stopEverything(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (isStopping) return;
    say('Stopping …');
    void stopEverything(0);
  });

up(!process.argv.includes('--no-sandbox')).catch((error: unknown) => {
  if (isStopping) return;
  console.error(error instanceof Error ? error.message : error);
  void stopEverything(error instanceof ConfigError ? 2 : 1);
});
