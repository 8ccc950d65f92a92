// What a flood costs those who are served meanwhile: `npm run bench:flood`. Console and devices, quiet and under 300 slow uploads, 10,000
// refused requests, the worst of each kind of message and 2,000 event streams; then the memory afterwards. Linux only.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { storePushCertificate } from '../harness/device-listener.ts';
import { ProtocolDevice } from '../harness/protocol-device.ts';
import { trustAuthority } from '../harness/trust.ts';
import { startWorld } from '../harness/world.ts';
import type { Flood, FloodReport } from './flood-attack.ts';
import { quantile, row } from './measured.ts';
import { LISTS, ROUNDS, type Attacker } from './worst-messages.ts';

const STREAMS = 2000;
/** Of one caller; more are refused. */
const STREAMS_OF_TOKEN = 20;
const QUIET_MS = 20_000;
/** Ones that others wait for, and two that attack. */
const DEVICES = 7;
const LIMIT_MS = 250;
const LIMIT_GROWTH = 0.1;

const COLLECTS = fileURLToPath(new URL('collect-on-signal.mjs', import.meta.url));
const world = await startWorld({ settings: { NODE_OPTIONS: `--import ${COLLECTS}` } });
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench' });
let attack: ReturnType<typeof fork> | undefined;
try {
  const ring = await KeyRing.open(path.join(world.folder, 'odette', 'odette.key'), { create: false });
  await storePushCertificate(database, ring);
  const { body: blueprint } = await world.api<{ id: string }>('POST', '/api/blueprints', { name: 'Flood' });
  const { ODETTE_ADMIN_LISTEN: adminListen = '', ODETTE_PUBLIC_URL: devicesAt = '' } = world.environment;
  const admin = `http://${adminListen}`;
  trustAuthority(readFileSync(world.sandbox.files.authority, 'utf8'));
  const devices = await enroll(devicesAt, blueprint.id);
  const [returning, listing] = devices.splice(0, 2);
  if (!returning || !listing) throw new Error('no device');
  const tokens = await Promise.all(
    Array.from({ length: STREAMS / STREAMS_OF_TOKEN }, async (_, index) => {
      const made = await world.api<{ token: string }>('POST', '/api/tokens', {
        name: `flood ${index}`,
        role: 'viewer',
      });
      return made.body.token;
    }),
  );
  const flood = async (): Promise<Flood> => ({
    admin,
    devices: devicesAt,
    tokens,
    streamsOfToken: STREAMS_OF_TOKEN,
    returning: asAttacker(returning),
    listing: asAttacker(listing),
    lists: await requestLists(listing.udid),
  });
  const measures = [
    { name: 'console /healthz', ask: () => get(`${admin}/healthz`), everyMs: 20 },
    { name: 'devices /healthz', ask: () => get(`${devicesAt}/healthz`), everyMs: 20 },
    ...devices.map((device) => ({
      name: 'Idle of a device',
      ask: idleOf(devicesAt, device),
      // Below what one device may send in a minute.
      everyMs: 300,
    })),
  ];

  // The first flood makes what stays: compiled code, connections, pages of the heap.
  await underFlood(await flood(), measures);
  await pause(5000);
  const memoryBefore = await memory();
  const quiet = await during(measures, () => pause(QUIET_MS));
  const { times: flooded, report } = await underFlood(await flood(), measures);
  await pause(5000);
  const memoryAfter = await memory();

  console.log(JSON.stringify(report, null, 2));
  console.log(row('milliseconds', ['quiet p50', 'quiet p99', 'flood p50', 'flood p99']));
  const names = [...new Set(measures.map(({ name }) => name))];
  const worst = names.map((name) => {
    const cells = [quiet, flooded].flatMap((times) => [
      quantile(times.get(name) ?? [], 0.5),
      quantile(times.get(name) ?? [], 0.99),
    ]);
    console.log(
      row(
        name,
        cells.map((cell) => cell.toFixed(1)),
      ),
    );
    return cells[3] ?? 0;
  });
  console.log(row('memory in MB', ['before', 'after', 'change']));
  for (const [name, before] of Object.entries(memoryBefore)) {
    const after = memoryAfter[name] ?? 0;
    const change = after / before - 1;
    console.log(row(name, [before.toFixed(0), after.toFixed(0), `${(change * 100).toFixed(1)} %`]));
    if (name.endsWith('held') && change > LIMIT_GROWTH) process.exitCode = 1;
  }
  if (Math.max(...worst) > LIMIT_MS) process.exitCode = 1;
} finally {
  attack?.kill();
  await database.end();
  await world.stop();
}

async function enroll(url: string, blueprintId: string): Promise<ProtocolDevice[]> {
  const enrolled: ProtocolDevice[] = [];
  for (let index = 0; index < DEVICES; index += 1) {
    const { body } = await world.api<{ code: string }>(
      'POST',
      `/api/blueprints/${blueprintId}/enrollment-codes`,
      { maxUses: 1 },
    );
    enrolled.push(await ProtocolDevice.enroll(url, body.code));
  }
  return enrolled;
}

function asAttacker({ udid, identity }: ProtocolDevice): Attacker {
  const keyPem = identity.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { udid, certificatePem: identity.certificate.pem, keyPem };
}

/** The device has been handed a command for each kind of list and round. */
async function requestLists(udid: string): Promise<Record<string, string[]>> {
  const commands: Record<string, string[]> = {};
  for (const type of Object.keys(LISTS)) {
    const rows = await database.query<{ uuid: string }>(
      `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, hand_overs, state)
       select gen_random_uuid(), id, enrollment_id, 'w', $2 || gen_random_uuid(), $2, 1, 'handed_over'
         from devices, generate_series(1, $3) where udid = $1 returning uuid`,
      [udid, type, ROUNDS],
    );
    commands[type] = rows.map(({ uuid }) => uuid);
  }
  return commands;
}

async function get(url: string): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
}

/** Signed once: what signing costs is the device's. */
function idleOf(url: string, { udid, identity }: ProtocolDevice): () => Promise<void> {
  const body = buildPlist({ UDID: udid, Status: 'Idle' });
  const signature = signDetached(body, identity, 'no-attributes-sha1').toString('base64');
  return async () => {
    const response = await fetch(`${url}/mdm`, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: { 'Mdm-Signature': signature },
    });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`Idle: ${response.status}`);
  };
}

type Measure = { readonly name: string; readonly ask: () => Promise<void>; readonly everyMs: number };

/** Asks each at its own pace while the work lasts, one question after the other. */
async function during(
  measures: readonly Measure[],
  work: () => Promise<unknown>,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  let isOver = false;
  const asking = measures.map(async ({ name, ask, everyMs }) => {
    const taken = times.get(name) ?? [];
    times.set(name, taken);
    while (!isOver) {
      const began = performance.now();
      await ask();
      taken.push(performance.now() - began);
      await pause(Math.max(0, everyMs - (performance.now() - began)));
    }
  });
  await work();
  isOver = true;
  await Promise.all(asking);
  return times;
}

/** The attack is a process of its own, so that it does not hold the loop that measures. */
async function underFlood(
  flood: Flood,
  measures: readonly Measure[],
): Promise<{ times: Map<string, number[]>; report: FloodReport }> {
  const child = fork(fileURLToPath(new URL('flood-attack.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: world.sandbox.files.authority },
  });
  attack = child;
  child.send(flood);
  let report: FloodReport | undefined;
  const times = await during(measures, async () => {
    [report] = (await once(child, 'message')) as [FloodReport];
  });
  child.kill();
  await once(child, 'exit');
  if (!report) throw new Error('the attack said nothing');
  return { times, report };
}

/** Resident, in MB, of the two processes that anybody reaches: as it is found, and what they hold once their garbage is collected. */
async function memory(): Promise<Record<string, number>> {
  const pids = world.pids();
  const found: Record<string, number> = {};
  for (const name of ['api', 'devices'] as const) {
    const pid = pids[name] ?? 0;
    found[`${name}, as found`] = resident(pid);
    found[`${name}, held`] = await held(pid);
  }
  return found;
}

/** What is no longer used is given back by and by: until nothing more is, or for a minute. */
async function held(pid: number): Promise<number> {
  let before = resident(pid);
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    process.kill(pid, 'SIGUSR2');
    await pause(5000);
    const now = resident(pid);
    if (now > before * 0.98) return Math.min(now, before);
    before = now;
  }
  return before;
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
