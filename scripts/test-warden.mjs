// Waits until the runner of the tests is gone, however it went, and ends what it left behind. Argument: the folder of the run.
import { setTimeout as pause } from 'node:timers/promises';
import { endTestRun, leftOf } from './test-run.mjs';

/** After Ctrl-C the tests stop what they started by themselves. */
const GRACE_MS = 5_000;

const [, , folder] = process.argv;
process.stdin.resume();
process.stdin.on('end', () => void end());

async function end() {
  for (const deadline = Date.now() + GRACE_MS; Date.now() < deadline; await pause(250))
    if ((await leftOf(folder)).length === 0) break;
  await endTestRun(folder);
}
