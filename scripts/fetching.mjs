// What set-up fetches with, and where it keeps what it fetched. Built-ins only.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

export const cacheFolder = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'odette');

/**
 * Runs a program in its own process group and ends the whole group when its time is over.
 * @returns {Promise<string>} what it wrote to stdout
 */
export function run(command, args, { patienceSeconds, cwd, env, say }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const began = Date.now();
    let out = '';
    let last = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (last = (last + chunk).slice(-2000)));
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    };
    const stillThere = setInterval(() => say?.(`still at it (${seconds(began)}) …`), 20_000);
    const late = setTimeout(() => {
      last = `not done within ${patienceSeconds} s`;
      end();
    }, patienceSeconds * 1000);
    const interrupted = () => {
      end();
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const over = () => {
      clearTimeout(late);
      clearInterval(stillThere);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
    };
    child.once('error', (error) => {
      over();
      reject(error.code === 'ENOENT' ? new Error(`${command} is not installed`) : error);
    });
    child.once('close', (code) => {
      over();
      if (code === 0) resolve(out);
      else reject(new Error(lastLine(last) || `${command} ended with ${code}`));
    });
  });
}

const seconds = (began) => `${((Date.now() - began) / 1000).toFixed(1)} s`;
const lastLine = (text) => text.trim().split('\n').at(-1)?.trim() ?? '';
