// Set-ups of one clone, as processes: one at a time, also after one of them was killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const LOCK_SCRIPT = pathToFileURL(path.resolve('scripts/setup-lock.mjs')).href;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-setup-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Takes the lock, writes down that it works, works, writes down that it is done, and lets the next one in. */
function setUp(
  name: string,
  workMs: number,
): { child: ChildProcess; said: () => string; ended: Promise<unknown> } {
  const source = `
    import { appendFileSync } from 'node:fs';
    import { takeSetupLock } from ${JSON.stringify(LOCK_SCRIPT)};
    const release = await takeSetupLock(process.argv[1] + '/lock', (line) => console.log(line));
    appendFileSync(process.argv[1] + '/log', '${name} begins\\n');
    await new Promise((resolve) => setTimeout(resolve, ${workMs}));
    appendFileSync(process.argv[1] + '/log', '${name} ends\\n');
    await release();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk));
  return { child, said: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
}

const log = async (): Promise<string[]> =>
  (await readFile(path.join(folder, 'log'), 'utf8').catch(() => '')).split('\n').filter(Boolean);

test('a second set-up says for whom it waits; one that was killed holds nobody up, and never do two work at once', async () => {
  const killed = setUp('killed', 600_000);
  await expect.poll(log, { timeout: 30_000 }).toEqual(['killed begins']);
  const waiting = Array.from({ length: 6 }, (_, nth) => setUp(`set-up ${nth}`, 50));
  await expect
    .poll(() => waiting.every(({ said }) => said().includes(`process ${killed.child.pid}`)), {
      timeout: 30_000,
    })
    .toBe(true);
  expect(await log()).toEqual(['killed begins']);
  killed.child.kill('SIGKILL');
  await Promise.all(waiting.map(({ ended }) => ended));
  const lines = (await log()).slice(1);
  expect(lines).toHaveLength(12);
  for (let at = 0; at < lines.length; at += 2)
    expect(lines[at + 1]).toBe(lines[at]?.replace('begins', 'ends'));
}, 60_000);

test('a lock is not taken for held because another process has got the number of its owner', async () => {
  await writeFile(
    path.join(folder, 'lock'),
    JSON.stringify({ host: os.hostname(), pid: process.pid, start: 'long ago' }),
  );
  await setUp('after another', 0).ended;
  expect((await log()).at(-1)).toBe('after another ends');
}, 60_000);
