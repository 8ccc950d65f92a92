// Many Macs roll out while Okta answers 429 to half of all requests, then not at all: with several workers as processes, counted by the
// pretend tenant. `npm run bench:okta-outage` (OUTAGE_MACS 1000, OUTAGE_SECONDS 600, OUTAGE_WORKERS 3): its figures, and 1 where a limit is passed.
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { MAX_WINDOW } from '../../domain/okta-budget.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import type { JournaledRequest } from '../../sandbox/okta/request-journal.ts';
import { mostAtOnce, requestsOf, startWorkers } from '../harness/okta-trouble.ts';
import { setUpTrust } from '../harness/stage.ts';
import { eventually, startWorld } from '../harness/world.ts';
import { addAwakeMacs } from './macs-at-once.ts';

const MACS = Number(process.env['OUTAGE_MACS'] ?? 1000);
const OUTAGE_MS = Number(process.env['OUTAGE_SECONDS'] ?? 600) * 1_000;
const WORKERS = Number(process.env['OUTAGE_WORKERS'] ?? 3);
/** What Odette asks; the pretend devices' own requests to the tenant are left alone. */
const PATHS = ['/oauth2/', '/api/', '/scep/v1/challenge/'];
const RESET_SECONDS = 5;
/** A wait is lengthened by up to a fifth, and begins when the refusal is written down. */
const CANARY_MS = 30_000;
const PATIENCE_MS = 10 * 60_000 + MACS * 2_000;
const TOLD_EVERY_MS = 30_000;
const faults: string[] = [];
function check(holds: boolean, fault: string): void {
  console.log(`${holds ? 'holds' : 'FAULT'}  ${fault}`);
  if (!holds) faults.push(fault);
}

const world = await startWorld({ devices: 'none' });
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench' });
const count = async (text: string): Promise<number> =>
  (await database.query<{ count: number }>(`select count(*)::int as count from ${text}`))[0]?.count ?? 0;
const outage = (change: object | null) => world.manage('PATCH', '/tenants/one/knobs', { outage: change });
const stopWorkers = await startWorkers(world, WORKERS - 1);
try {
  const { stage, blueprintId } = await setUpTrust(world);
  await addAwakeMacs(world, 'mac', MACS);
  await world.manage('PATCH', '/tenants/one/knobs', { delayMs: 50 });
  await outage({ kind: 'rate_limit', share: 0.5, resetSeconds: RESET_SECONDS, paths: PATHS });
  const began = Date.now();
  await enrollDevices(stage, blueprintId);
  await eventually(
    () => requestsOf(world, began),
    (seen) => challenges(seen).filter(({ status }) => status === 200).length >= 4,
    { withinMs: PATIENCE_MS, what: 'four challenges in spite of the refusals', everyMs: 2_000 },
  );
  console.log(
    `${MACS} Macs enrolled within ${seconds(Date.now() - began)}, half of Okta's responses refusals; the outage begins`,
  );
  // A change names what it changes: the share of before would stay.
  await outage({ kind: 'status_503', share: 1, paths: PATHS });
  const outageBegan = Date.now();
  await pause(OUTAGE_MS);
  await outage(null);
  const cured = Date.now();
  const firstServed = eventually(
    () => requestsOf(world, cured),
    (seen) => challenges(seen).some(({ status }) => status === 200),
    { withinMs: PATIENCE_MS, what: 'the first challenge after the outage', everyMs: 500 },
  ).then(() => Date.now());
  let toldAt = cured;
  // Who does not come is a fault like the others: the figures say why.
  await eventually(
    () => count(`device_trust where certificate_present and okta_verify_managed and delivered`),
    (delivered) => {
      if (Date.now() - toldAt > TOLD_EVERY_MS) {
        toldAt = Date.now();
        console.log(`${seconds(toldAt - cured)} after the cure: ${delivered} of ${MACS} delivered`);
      }
      return delivered === MACS;
    },
    { withinMs: PATIENCE_MS, what: `${MACS} Macs delivered`, everyMs: 2_000 },
  ).catch(async (error: unknown) => {
    check(false, String(error));
    console.table(
      await database.query(
        `select phase, waits_for, count(*)::int as devices, min(device_id::text) as one
           from device_trust where not coalesce(certificate_present and okta_verify_managed and delivered, false) group by 1, 2`,
      ),
    );
  });
  const delivered = Date.now();
  const requests = await requestsOf(world, began);
  const endpoints = new Map<string, JournaledRequest[]>();
  for (const request of requests)
    if (['challenge', 'token', 'devices'].includes(request.name))
      endpoints.set(request.name, [...(endpoints.get(request.name) ?? []), request]);
  console.table(
    Object.fromEntries([...endpoints].map(([name, each]) => [name, figures(each, outageBegan, cured)])),
  );
  for (const [name, each] of endpoints) {
    const offsets = each
      .filter(({ beganAtMs }) => beganAtMs > outageBegan && beganAtMs < cured)
      .map(({ beganAtMs }) => ((beganAtMs - outageBegan) / 1_000).toFixed(1));
    console.log(`${name}, seconds after the outage began: ${offsets.slice(0, 40).join(' ')}`);
    const { early, during, 'at once': atOnce } = figures(each, outageBegan, cured);
    check(
      early < MAX_WINDOW,
      `${name}: requests that began within the wait after a refusal: ${early} < ${MAX_WINDOW}`,
    );
    check(
      during <= MAX_WINDOW + 6 + OUTAGE_MS / CANARY_MS,
      `${name}: requests during the outage: ${during} ≤ a window, the first six waits, one each 30 s`,
    );
    check(atOnce <= MAX_WINDOW, `${name}: at once: ${atOnce} ≤ ${MAX_WINDOW}`);
  }
  const served = await firstServed;
  check(served - cured <= 60_000, `awake ${seconds(served - cured)} after the cure, within a minute`);
  check((await count(`rollout_runs where outcome = 'failed'`)) === 0, 'no rollout ended failed');
  check((await count(`device_trust where failure_code is not null`)) === 0, 'no device shows a failure');
  const histories = await countHistories();
  console.log(`workflows: ${JSON.stringify(histories)}`);
  check(
    (histories['Failed'] ?? 0) + (histories['TimedOut'] ?? 0) === 0,
    'no workflow ended failed or timed out',
  );
  console.log(
    `looked at until ${seconds(delivered - cured)} after the cure; ${WORKERS} workers; load average ${os.loadavg()[0]?.toFixed(1)}`,
  );
} finally {
  await stopWorkers();
  await database.end();
  await world.stop();
}
process.exitCode = faults.length > 0 ? 1 : 0;

/** Of all workflows, by how they ended or that they run. */
async function countHistories(): Promise<Record<string, number>> {
  const connection = await Connection.connect({ address: world.temporalAddress });
  const { workflow } = new Client({ connection });
  const counts: Record<string, number> = {};
  for (const status of [
    'Running',
    'Completed',
    'ContinuedAsNew',
    'Canceled',
    'Terminated',
    'Failed',
    'TimedOut',
  ])
    counts[status] = (await workflow.count(`ExecutionStatus = '${status}'`)).count;
  await connection.close();
  return counts;
}

function challenges(requests: readonly JournaledRequest[]): JournaledRequest[] {
  return requests.filter(({ name }) => name === 'challenge');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

interface Figures {
  readonly requests: number;
  readonly refused: number;
  /** The most that began within the wait after one refusal. */
  readonly early: number;
  readonly during: number;
  readonly 'at once': number;
}

function figures(requests: readonly JournaledRequest[], outageBegan: number, cured: number): Figures {
  const refused = requests.filter(({ status }) => status === 429);
  const early = refused.map(
    ({ endedAtMs }) =>
      requests.filter(
        ({ beganAtMs }) => beganAtMs > endedAtMs && beganAtMs < endedAtMs + RESET_SECONDS * 1_000,
      ).length,
  );
  return {
    requests: requests.length,
    refused: refused.length,
    early: Math.max(0, ...early),
    during: requests.filter(({ beganAtMs }) => beganAtMs > outageBegan && beganAtMs < cured).length,
    'at once': mostAtOnce(requests),
  };
}
