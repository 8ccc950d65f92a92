// How much a rollout costs and how fast it is: one awake Mac at a time, then a fleet of Macs at once. `npm run bench`.
// BENCH_FLEET: so many that are trusted already (0). BENCH_CHANNEL=nanomdm enrolls the Macs in a real NanoMDM instead, which Odette sends
// its commands through (needs Go).
// Everything runs on this machine, the pretend devices included, whose processor time is printed apart.
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { connectOkta, giveAppleCertificates } from '../../sandbox/demo/set-up.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import { nanoMdmIsMissing } from '../harness/nanomdm.ts';
import { NANO_MDM_HOSTS, startBesideNanoMdm } from '../harness/nanomdm-world.ts';
import { stageOf } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';
import { addAwakeMacs, lookSoonAtOkta, switchOn, trustedNow, untilTrusted } from './macs-at-once.ts';
import { costOf, type Cost } from './process-costs.ts';
import { addQuietFleet } from './quiet-fleet.ts';
import { countStatements, listStatements, resetStatements, STATEMENT_SETTINGS } from './statement-counts.ts';
import { temporalAlone } from './temporal-alone.ts';

const FLEET = Number(process.env['BENCH_DEVICES'] ?? 100);
const THERE_ALREADY = Number(process.env['BENCH_FLEET'] ?? 0);
const SINGLE = Number(process.env['BENCH_SINGLE'] ?? 7);
const NOT_ODETTE: readonly string[] = ['sandbox', 'NanoMDM'];
/** So many of the most frequent statements are printed. */
const STATEMENTS_SHOWN = Number(process.env['BENCH_STATEMENTS'] ?? 0);

const CHANNEL = process.env['BENCH_CHANNEL'] ?? 'built_in';
if (CHANNEL !== 'built_in' && CHANNEL !== 'nanomdm')
  throw new Error(`BENCH_CHANNEL is built_in or nanomdm, not ${CHANNEL}`);
// It prints why.
if (CHANNEL === 'nanomdm' && nanoMdmIsMissing() !== undefined) process.exit();

const world = await startWorld({ postgresSettings: STATEMENT_SETTINGS, allowedPrivateHosts: NANO_MDM_HOSTS });
const beside = CHANNEL === 'nanomdm' ? await startBesideNanoMdm(world) : undefined;
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench', maxStatementMs: 0 });
const temporal = await Connection.connect({ address: world.temporalAddress });
try {
  const stage = await stageOf(world);
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  const blueprint = await stage.odette.call('post /api/blueprints', { body: { name: 'Bench' } });
  await beside?.connect(stage.odette, blueprint.id);
  await lookSoonAtOkta(stage.odette, integrationId);

  const enroll = async (into = blueprint.id): Promise<void> => {
    if (beside === undefined) return enrollDevices(stage, into);
    const devices = await stage.sandbox.devices();
    for (const { name, isEnrolled } of devices)
      if (!isEnrolled) await stage.sandbox.enroll(name, beside.front.url, 'any');
    await eventually(
      () => database.query<{ known: number }>('select count(*)::int as known from devices'),
      ([row]) => row?.known === devices.length,
      { withinMs: 60_000, what: `${devices.length} devices are known` },
    );
  };

  if (THERE_ALREADY > 0) {
    const { id } = await stage.odette.call('post /api/blueprints', { body: { name: 'There already' } });
    await switchOn(stage.odette, integrationId, id);
    await addAwakeMacs(world, 'model', 1);
    await enroll(id);
    await untilTrusted(database, 1);
    await addQuietFleet(database, { modelUser: 'model-0@example.com', copies: THERE_ALREADY });
  }

  // A fleet at once: enrolled first, then the switch is turned on.
  await addAwakeMacs(world, 'fleet', FLEET);
  await enroll();
  await countStatements(database);
  const countsBefore = await counts(world);
  await resetStatements(database);
  const walBefore = await writtenSoFar();
  const trustedBefore = await trustedNow(database);
  const sizesBefore = await historySizes();
  // Last before, and first after: a count over a large fleet is no rollout's.
  const before = snapshot(world);
  const began = performance.now();
  const beganAtMs = Date.now();
  await switchOn(stage.odette, integrationId, blueprint.id);
  await untilTrusted(database, trustedBefore + FLEET);
  const seconds = (performance.now() - began) / 1000;
  const deliveredSeconds = ((await lastClosedMs()) - beganAtMs) / 1000;
  const after = snapshot(world);
  const statements = await listStatements(database);
  const written = await writtenSince(walBefore);
  const countsAfter = await counts(world);
  const sizes = await historySizes();
  const transitions = sizes.transitions - sizesBefore.transitions;
  const events = sizes.events - sizesBefore.events;
  const workflows = sizes.workflows - sizesBefore.workflows;

  const perRollout = (sum: number): string => (sum / FLEET).toFixed(1);
  const load = os.loadavg().map((each) => each.toFixed(1));
  console.log(
    `${FLEET} Macs at once${beside ? ' through NanoMDM' : ''}: all rolled out after ${deliveredSeconds.toFixed(1)} s, ${(FLEET / deliveredSeconds).toFixed(2)} rollouts/s; all trusted after ${seconds.toFixed(1)} s, as Okta is looked at after growing waits (load average ${load.join(' ')})`,
  );
  const callsOf = statements.reduce((sum, { calls }) => sum + calls, 0);
  console.table({
    'for each rollout': {
      statements: perRollout(callsOf),
      'state transitions': perRollout(transitions),
      events: perRollout(events),
      workflows: perRollout(workflows),
      pushes: perRollout(countsAfter.pushes - countsBefore.pushes),
      commands: perRollout(countsAfter.commands - countsBefore.commands),
      'write-ahead log kB': perRollout(written.bytes / 1024),
      'rows inserted': perRollout(written.inserted),
      'rows changed': perRollout(written.changed),
    },
  });
  for (const { text, calls, milliseconds } of statements.slice(0, STATEMENTS_SHOWN))
    console.log(
      `${perRollout(calls).padStart(6)} × ${(milliseconds / calls).toFixed(2).padStart(6)} ms  ${text.replaceAll(/\s+/g, ' ').slice(0, 150)}`,
    );
  console.table(
    Object.fromEntries(
      Object.entries(after).map(([name, cost]) => [
        NOT_ODETTE.includes(name) ? `${name} (not Odette)` : name,
        {
          'CPU ms for each rollout': Math.round((cost.cpuMs - (before[name]?.cpuMs ?? 0)) / FLEET),
          'peak memory MB': cost.peakMemoryMb,
        },
      ]),
    ),
  );

  // One awake Mac at a time: from its enrollment (first TokenUpdate) to everything listed by the device.
  const latencies: number[] = [];
  const pushesToDelivered: number[] = [];
  for (let index = 0; index < SINGLE; index += 1) {
    await addAwakeMacs(world, `single-${index}`, 1);
    const from = await counts(world);
    await enroll();
    await untilTrusted(database, trustedBefore + FLEET + index + 1);
    pushesToDelivered.push((await counts(world)).pushes - from.pushes);
  }
  const rows = await database.query<{ ms: number }>(
    `select ms from (
       select extract(epoch from (t.since - d.enrolled_at)) * 1000 as ms
         from devices d join device_truths t on t.device_id = d.id and t.truth = 'delivered' and t.state = 'held'
        order by d.enrolled_at desc limit $1) as singles order by ms`,
    [SINGLE],
  );
  latencies.push(...rows.map(({ ms }) => Number(ms)));
  const median = latencies[Math.floor(latencies.length / 2)] ?? Number.NaN;
  console.log(
    `one awake Mac: delivered ${Math.round(median)} ms after its enrollment (median of ${latencies.length}; ${latencies.map((ms) => Math.round(ms)).join(', ')})`,
  );
  console.log(`pushes for it, all in all: ${pushesToDelivered.join(', ')}`);

  const alone = await temporalAlone(temporal, world.temporalAddress, FLEET);
  const share = (transitions * alone.seconds) / (alone.transitions * FLEET * deliveredSeconds);
  console.log(
    `Temporal alone: ${(FLEET / alone.seconds).toFixed(2)} workflows of each kind a second with ${alone.transitions.toFixed(1)} transitions; of its transitions a second the rollouts reach ${(100 * share).toFixed(0)} %`,
  );
  console.log(
    JSON.stringify({
      channel: CHANNEL,
      devices: FLEET,
      seconds,
      deliveredSeconds,
      rolloutsPerSecond: FLEET / deliveredSeconds,
      medianDeliveredMs: median,
      statements: callsOf / FLEET,
      transitions: transitions / FLEET,
      events: events / FLEET,
      shareOfTemporalAlone: share,
    }),
  );
} finally {
  await temporal.close();
  await database.end();
  await beside?.stop();
  await world.stop();
}

interface Written {
  readonly bytes: number;
  readonly inserted: number;
  readonly changed: number;
}

/** Of the whole server, which is this installation's alone. */
async function writtenSoFar(): Promise<Written> {
  const [row] = await database.query<Written>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes, sum(n_tup_ins)::float8 as inserted, sum(n_tup_upd)::float8 as changed
       from pg_stat_user_tables`,
  );
  return row ?? { bytes: 0, inserted: 0, changed: 0 };
}

async function writtenSince(before: Written): Promise<Written> {
  const now = await writtenSoFar();
  return {
    bytes: now.bytes - before.bytes,
    inserted: now.inserted - before.inserted,
    changed: now.changed - before.changed,
  };
}

interface Counts {
  readonly pushes: number;
  readonly commands: number;
}

async function counts(of: World): Promise<Counts> {
  const all = await of.manage<{ apns: Record<string, number> }>('GET', '/counts');
  const [responded] = await database.query<{ count: number }>(
    `select count(*) as count from commands where state = 'responded'`,
  );
  return { pushes: all.apns['accepted'] ?? 0, commands: responded?.count ?? 0 };
}

function snapshot(of: World): Record<string, Cost> {
  const pids = { ...of.pids(), ...(beside && { NanoMDM: beside.nano.pid }) };
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, costOf(pid)]));
}

/** When the last rollout ended, by the clock of this machine. */
async function lastClosedMs(): Promise<number> {
  const [last] = await database.query<{ ms: number }>(
    `select extract(epoch from max(closed_at))::float8 * 1000 as ms from rollout_runs where outcome = 'completed'`,
  );
  return last?.ms ?? Number.NaN;
}

async function historySizes(): Promise<{ transitions: number; events: number; workflows: number }> {
  const client = new Client({ connection: temporal });
  const sum = { transitions: 0, events: 0, workflows: 0 };
  for await (const workflow of client.workflow.list({
    query: `WorkflowType IN ('rollOutDevice', 'keepCertificate', 'pollOktaTrust')`,
  })) {
    const described = await client.workflow.getHandle(workflow.workflowId, workflow.runId).describe();
    sum.transitions += Number(described.raw.workflowExecutionInfo?.stateTransitionCount ?? 0);
    sum.events += described.historyLength;
    sum.workflows += 1;
  }
  return sum;
}
