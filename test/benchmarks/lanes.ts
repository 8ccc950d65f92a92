// Whether a fleet waits behind itself: Macs enroll and a wizard is walked, first beside nothing, then while thousands of daily checks are under
// way. `npm run bench:lanes` (LANES_CHECKS 10000, LANES_MACS 20, LANES_EVERY_MS 500). Median and p95 of each.
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { checkOwner } from '../../domain/device-check.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import {
  assignOktaVerify,
  connectOkta,
  giveAppleCertificates,
  type TenantName,
} from '../../sandbox/demo/set-up.ts';
import { stageOf } from '../harness/stage.ts';
import { eventually, startWorld } from '../harness/world.ts';
import { addAwakeMac, addAwakeMacs } from './macs-at-once.ts';
import { quantile, row } from './measured.ts';
import { addQuietFleet } from './quiet-fleet.ts';

const CHECKS = Number(process.env['LANES_CHECKS'] ?? 10_000);
const MACS = Number(process.env['LANES_MACS'] ?? 20);
/** From one Mac's enrollment to the next one's; 0: all at once. */
const EVERY_MS = Number(process.env['LANES_EVERY_MS'] ?? 500);
/** So many of the quiet fleet have been asked when the others come: a page, and the next one is on its way. */
const UNDER_WAY = Math.min(CHECKS, 200);
const PATIENCE_MS = 15 * 60_000;

const world = await startWorld({ devices: 'none' });
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench', maxStatementMs: 0 });
try {
  const stage = await stageOf(world);
  await giveAppleCertificates(stage);
  const idleSteps = await walkWizard('one');
  const integrationId = await connectOkta(stage, 'one');
  const blueprintId = await assignOktaVerify(stage, integrationId);
  await enroll('model', 1);
  const idleMacs = await enroll('idle', MACS);

  await addSilentFleet();
  await stage.odette.call('patch /api/integrations/{id}', {
    params: { id: integrationId },
    body: { settings: { enforcementSweepMinutes: 1 } },
  });
  await eventually(checksAsked, (asked) => asked >= UNDER_WAY, { withinMs: PATIENCE_MS, what: 'checks' });
  const [busyMacs, busySteps] = await Promise.all([enroll('busy', MACS), walkWizard('two')]);
  const asked = await checksAsked();

  const load = os.loadavg().map((each) => each.toFixed(1));
  console.log(
    `${CHECKS} silent Macs due for their daily check, ${asked} asked when the last one was through (load average ${load.join(' ')})`,
  );
  console.log(row('milliseconds', ['count', 'median', 'p95']));
  console.log(figures('enrolled → delivered, idle', idleMacs));
  console.log(figures('enrolled → delivered, busy', busyMacs));
  console.log(figures('step of the wizard, idle', idleSteps));
  console.log(figures('step of the wizard, busy', busySteps));

  async function enroll(prefix: string, count: number): Promise<number[]> {
    if (EVERY_MS === 0) {
      await addAwakeMacs(world, prefix, count);
      await enrollDevices(stage, blueprintId);
    }
    for (let index = 0; EVERY_MS > 0 && index < count; index += 1) {
      await Promise.all([
        pause(EVERY_MS),
        addAwakeMac(world, `${prefix}-${index}`).then(() => enrollDevices(stage, blueprintId)),
      ]);
    }
    const rows = await eventually(
      () =>
        database.query<{ ms: number }>(
          `select extract(epoch from (truth.since - device.enrolled_at))::float8 * 1000 as ms
             from devices as device join device_truths as truth on truth.device_id = device.id
            where truth.truth = 'delivered' and truth.state = 'held' and device.user_name like $1`,
          [`${prefix}-%`],
        ),
      ({ length }) => length === count,
      { withinMs: PATIENCE_MS, what: `${count} Macs delivered` },
    );
    return rows.map(({ ms }) => ms);
  }

  /** Of each step, with what an admin fetches from Okta for it. */
  async function walkWizard(tenant: TenantName): Promise<number[]> {
    const times: number[] = [];
    let last = performance.now();
    const print = (): void => {
      const now = performance.now();
      times.push(now - last);
      last = now;
    };
    await connectOkta({ ...stage, progress: { ...stage.progress, print } as never }, tenant);
    return times;
  }

  /** The model is switched off: what wakes it stays with Apple, and nobody says anything. */
  async function addSilentFleet(): Promise<void> {
    await world.manage('POST', '/devices/model-0/power-off', {});
    await addQuietFleet(database, {
      modelUser: 'model-0@example.com',
      copies: CHECKS,
      trust: `jsonb_build_object('phase', 'delivered', 'verified_at', now() - interval '2 days', 'check_asked_at', null)`,
    });
  }
} finally {
  await database.end();
  await world.stop();
}

async function checksAsked(): Promise<number> {
  const [seen] = await database.query<{ count: number }>(
    'select count(distinct device_id)::int as count from commands where workflow_id like $1',
    [`${checkOwner('')}%`],
  );
  return seen?.count ?? 0;
}

function figures(name: string, times: readonly number[]): string {
  const whole = [times.length, quantile(times, 0.5), quantile(times, 0.95)].map((each) => each.toFixed(0));
  return row(name, whole);
}
