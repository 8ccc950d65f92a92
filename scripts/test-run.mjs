// One run of the tests: everything that it starts carries its mark, so that what is left of it is found and ended, however it ends.
// Built-ins only.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const WARDEN = fileURLToPath(new URL('./test-warden.mjs', import.meta.url));
const NAME = 'odette-run-';

/**
 * The folder is the temporary folder of the run, and its name the mark: of a program that keeps the environment, and of one that does not
 * but works in it.
 * @returns {Promise<{ folder: string, env: NodeJS.ProcessEnv }>}
 */
export async function openTestRun() {
  await sweep();
  const folder = await mkdtemp(path.join(os.tmpdir(), `${NAME}${process.pid}-`));
  // As root, PostgreSQL's own user must be able to pass through.
  await chmod(folder, 0o711);
  // Its own group, so that Ctrl-C does not reach it; its input ends when we do, even by kill -9.
  const warden = spawn(process.execPath, [WARDEN, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  warden.stdin.on('error', () => undefined);
  warden.stdin.unref();
  warden.unref();
  return { folder, env: { ...process.env, TMPDIR: folder } };
}

/** @returns {Promise<{ pid: number, command: string }[]>} what still runs of it, without the warden */
export async function leftOf(folder) {
  const found = process.platform === 'linux' ? await fromProc(folder) : await fromPs(folder);
  return found.filter(({ pid, command }) => pid !== process.pid && !command.includes(WARDEN));
}

/** Asks all of it to end, then ends it, and removes the folder. */
export async function endTestRun(folder) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL', 'SIGKILL']) {
    const left = await leftOf(folder);
    for (const { pid } of left) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended meanwhile.
      }
    }
    for (let turn = 0; turn < 20 && (await leftOf(folder)).length > 0; turn += 1) await pause(100);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Runs whose runner and warden were both killed. */
async function sweep() {
  for (const name of await readdir(os.tmpdir())) {
    const pid = Number(new RegExp(`^${NAME}(\\d+)-`).exec(name)?.[1]);
    if (pid && !isRunning(pid)) await endTestRun(path.join(os.tmpdir(), name));
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function fromProc(folder) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid, file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all([read(pid, 'cmdline'), read(pid, 'environ')]);
      // A zombie has no command line and holds nothing.
      if (command === '' || !(command.includes(folder) || environment.includes(`TMPDIR=${folder}\0`)))
        return [];
      return [{ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() }];
    }),
  );
  return found.flat();
}

async function fromPs(folder) {
  const { stdout } = await promisify(execFile)('ps', ['-axEww', '-o', 'pid=,command='], {
    maxBuffer: 1 << 26,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return command?.includes(folder) ? [{ pid: Number(pid), command }] : [];
  });
}
