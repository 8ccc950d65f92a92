// What a daily check of a device costs that is as it should be: awake Macs that are rolled out fall due, all of them, twice; the second time
// is measured. `npm run bench:checks` (CHECKS_MACS 200).
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import { connectOkta, giveAppleCertificates } from '../../sandbox/demo/set-up.ts';
import { workflowIds } from '../../workflows/messages.ts';
import { stageOf } from '../harness/stage.ts';
import { eventually, startWorld } from '../harness/world.ts';
import { addAwakeMacs, lookSoonAtOkta, switchOn, untilTrusted } from './macs-at-once.ts';
import { costOf } from './process-costs.ts';
import { countStatements, listStatements, resetStatements, STATEMENT_SETTINGS } from './statement-counts.ts';

const MACS = Number(process.env['CHECKS_MACS'] ?? 200);
const LIMIT_MS = 15;
const ODETTE = ['api', 'devices', 'relay', 'worker'];

const world = await startWorld({ devices: 'none', postgresSettings: STATEMENT_SETTINGS });
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench', maxStatementMs: 0 });
const connection = await Connection.connect({ address: world.temporalAddress });
const temporal = new Client({ connection });
try {
  const stage = await stageOf(world);
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  await lookSoonAtOkta(stage.odette, integrationId);
  const { id: blueprintId } = await stage.odette.call('post /api/blueprints', { body: { name: 'Bench' } });
  await addAwakeMacs(world, 'fleet', MACS);
  await enrollDevices(stage, blueprintId);
  await switchOn(stage.odette, integrationId, blueprintId);
  await untilTrusted(database, MACS);
  await countStatements(database);

  await checkAll();
  const before = { cpuMs: used(), pushes: await pushes(), runs: await runs() };
  await resetStatements(database);
  const began = performance.now();
  await checkAll();
  const seconds = (performance.now() - began) / 1000;
  const statements = await listStatements(database);
  const cpuMs = Object.fromEntries(
    Object.entries(used()).map(([name, ms]) => [name, (ms - (before.cpuMs[name] ?? 0)) / MACS]),
  );
  const odetteMs = ODETTE.reduce((sum, name) => sum + (cpuMs[name] ?? 0), 0);

  const load = os.loadavg().map((each) => each.toFixed(1));
  console.log(
    `${MACS} Macs checked in ${seconds.toFixed(1)} s (load average ${load.join(' ')}), ${(await runs()) - before.runs} rollouts begun`,
  );
  const each = (sum: number): string => (sum / MACS).toFixed(1);
  console.table({
    'for each check': {
      'CPU ms: console, devices, relay, worker': odetteMs.toFixed(1),
      statements: each(statements.reduce((sum, { calls }) => sum + calls, 0)),
      pushes: each((await pushes()) - before.pushes),
    },
  });
  console.table(
    Object.fromEntries(Object.entries(cpuMs).map(([name, ms]) => [name, { 'CPU ms': ms.toFixed(1) }])),
  );
  if (odetteMs > LIMIT_MS) {
    console.error(`more than ${LIMIT_MS} CPU ms for each check`);
    process.exitCode = 1;
  }

  /** As if two days had passed, and the hourly sweep came. */
  async function checkAll(): Promise<void> {
    const [row] = await database.query<{ at: Date }>(
      `with due as (update device_trust set verified_at = now() - interval '2 days', check_asked_at = null returning 1)
       select now() as at from due limit 1`,
    );
    await temporal.schedule.getHandle(workflowIds.sweep('enforcement', integrationId)).trigger();
    await eventually(
      () =>
        database.query<{ count: number }>(
          'select count(*)::int as count from device_trust where verified_at >= $1 -- as measured',
          [row?.at],
        ),
      ([checked]) => checked?.count === MACS,
      { withinMs: 10 * 60_000, what: `${MACS} Macs checked` },
    );
  }
} finally {
  await connection.close();
  await database.end();
  await world.stop();
}

function used(): Record<string, number> {
  return Object.fromEntries(Object.entries(world.pids()).map(([name, pid]) => [name, costOf(pid).cpuMs]));
}

async function pushes(): Promise<number> {
  const { apns } = await world.manage<{ apns: Record<string, number> }>('GET', '/counts');
  return apns['accepted'] ?? 0;
}

async function runs(): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    'select count(*)::int as count from rollout_runs -- as measured',
  );
  return row?.count ?? 0;
}
