// A run of the tests leaves nothing running: not when its runner is killed, and what is left at its end is named.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isRunning } from '../workers/processes.ts';
import { endTestRun, leftOf } from './test-run.mjs';

/** A runner that starts one program with its environment and one that only works in its folder, says so, and waits. */
const RUNNER = `
const { openTestRun } = await import(${JSON.stringify(fileURLToPath(new URL('./test-run.mjs', import.meta.url)))});
const { spawn } = await import('node:child_process');
const run = await openTestRun();
const options = { detached: true, stdio: 'ignore' };
const one = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { ...options, env: run.env });
const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', run.folder + '/data'], { ...options, env: {} });
console.log(JSON.stringify({ folder: run.folder, pids: [one.pid, other.pid] }));
setInterval(() => {}, 1000);
`;

async function startRunner() {
  const runner = spawn(process.execPath, ['--input-type=module', '-e', RUNNER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(runner.stdout, 'data')) as [Buffer];
  return { runner, ...(JSON.parse(line.toString()) as { folder: string; pids: number[] }) };
}

test.each(['SIGKILL', 'SIGINT'] as const)(
  '%s of the runner ends all that it started, and removes its folder',
  async (signal) => {
    const { runner, folder, pids } = await startRunner();
    expect(pids.map(isRunning)).toEqual([true, true]);
    runner.kill(signal);
    await expect.poll(() => pids.map(isRunning), { timeout: 40_000 }).toEqual([false, false]);
    await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
  },
  70_000,
);

test('what is left at the end is named, and ended', async () => {
  const { runner, folder, pids } = await startRunner();
  const left = (await leftOf(folder)).map(({ pid }) => pid);
  expect(left).toEqual(expect.arrayContaining(pids));
  await endTestRun(folder);
  expect(await leftOf(folder)).toEqual([]);
  runner.kill('SIGKILL');
});
