// `npm run test:under-load`: the files whose tests race, or wait by real clocks, many times over, while every core is kept busy by something
// else. `npm run test:under-load -- --scenarios` does the same with those that start real processes, which take hours. `TIMES` (20) and file
// names as arguments make it shorter. A file belongs here when a slow machine could turn it red.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { endTestRun, openTestRun } from './test-run.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TIMES = Number(process.env.TIMES ?? 20);
/** About an hour for twenty times. */
const SHORT = [
  // A workflow's clock is moved on while devices, relay and worker go by the real one.
  'test/harness/temporal.test.ts',
  'workflows/keep-certificate.test.ts',
  'workflows/roll-out-device.test.ts',
  'workflows/roll-out-fleet.test.ts',
  'workflows/sweeps.test.ts',
  'workflows/device-errors.test.ts',
  'workflows/reset.test.ts',
  'workflows/reset-causes.test.ts',
  // What Okta may be asked for, by real seconds.
  'workflows/okta-outage.test.ts',
  'workflows/rotate-secret.test.ts',
  'adapters/store/integration/okta-endpoints.test.ts',
  // Long polls, streams of events, loops that look again.
  'api/mdm/long-poll.test.ts',
  'api/mdm/turns.test.ts',
  'api/http/event-stream.test.ts',
  'workers/relay-loop.test.ts',
  'workers/channel-follower.test.ts',
  'cli/watch.test.ts',
  'test/browser/live-events.test.ts',
  'test/browser/overtaken.test.ts',
  // Several at once, and locks.
  'test/attacks/at-once.test.ts',
  'test/attacks/channel-webhooks.test.ts',
  'test/attacks/temporal-jams.test.ts',
  'test/attacks/temporal-trust.test.ts',
  'scripts/setup-lock.test.ts',
  'scripts/test-run.test.ts',
];
const SCENARIOS = [
  // Parts are killed while messages are held, or lost and sent again.
  'test/scenarios/kills-',
  'test/scenarios/secrets.test.ts',
  'test/scenarios/adversity.test.ts',
  'test/scenarios/nanomdm.test.ts',
  'test/scenarios/fleet.test.ts',
  'test/scenarios/launcher.test.ts',
  'test/scenarios/takeover.test.ts',
  'test/scenarios/upgrade.test.ts',
  // Clocks that are moved on, beside devices that go by the real one.
  'test/scenarios/device-errors.test.ts',
  'test/lives/',
];

const { values, positionals } = parseArgs({
  options: { scenarios: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const chosen = values.scenarios ? SCENARIOS : SHORT;
const files = positionals.length > 0 ? positionals : chosen;
const red = new Map();
const busy = os.cpus().map(() => new Worker('for (;;);', { eval: true }));
for (let time = 1; time <= TIMES; time += 1) {
  const begun = performance.now();
  const failed = await runOnce();
  const seconds = Math.round((performance.now() - begun) / 1000);
  for (const name of failed) red.set(name, (red.get(name) ?? 0) + 1);
  console.log(`${time} of ${TIMES}, ${seconds} s: ${failed.length === 0 ? 'green' : failed.join(', ')}`);
}
await Promise.all(busy.map((worker) => worker.terminate()));
for (const [name, times] of red) console.log(`✗ ${name}: red ${times} of ${TIMES} times`);
process.exitCode = red.size === 0 ? 0 : 1;

/** Returns the files that were red; the whole run, where it did not get so far. */
async function runOnce() {
  const { folder, env } = await openTestRun();
  const report = path.join(folder, 'report.json');
  const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...files], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const result = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
  await endTestRun(folder);
  const failed = (result?.testResults ?? []).filter(({ status }) => status === 'failed');
  if (failed.length === 0 && code !== 0) return [`the run ended with ${code}`];
  return failed.map(({ name }) => path.relative(ROOT, name));
}
