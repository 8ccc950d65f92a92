// One set-up at a time in a clone: `npm start` and `npm test` begun together must not install over each other. Built-ins only.
import { execFile } from 'node:child_process';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A lock is written right after it is made; one that stays unreadable was left so by a killed set-up. */
const UNREADABLE_MS = 5_000;
/** Of another machine (or container) with the same clone nothing is known but that it keeps its lock fresh. */
const FRESH_EVERY_MS = 5_000;
const STALE_MS = 60_000;
const LOOK_EVERY_MS = 200;

/**
 * Waits until no other set-up holds the lock, and takes it. One whose owner is gone is taken over.
 * @param {string} file
 * @param {(line: string) => void} say
 * @returns {Promise<() => Promise<void>>} lets the next one in
 */
export async function takeSetupLock(file, say) {
  const mine = JSON.stringify({ host: os.hostname(), pid: process.pid, start: await startOf(process.pid) });
  for (let hasSaid = false; !(await make(file, mine)); await pause(LOOK_EVERY_MS)) {
    const { holder } = await holderOf(file);
    if (holder === undefined) await takeAway(file);
    else if (!hasSaid) {
      hasSaid = true;
      say(`Another set-up is under way here (${holder}); waiting for it …`);
    }
  }
  const stayFresh = setInterval(
    () => void utimes(file, new Date(), new Date()).catch(() => undefined),
    FRESH_EVERY_MS,
  );
  stayFresh.unref();
  return async () => {
    clearInterval(stayFresh);
    await rm(file, { force: true });
  };
}

async function make(file, content) {
  try {
    const handle = await open(file, 'wx', 0o644);
    await handle.writeFile(content);
    await handle.close();
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    // Where nobody may write nothing can be installed either: there is nothing to take turns for.
    if (error.code === 'EACCES' || error.code === 'EROFS') return true;
    throw error;
  }
}

/** `holder`: words for who holds it, undefined: nobody any more. `content`: what the lock says, undefined: there is none. */
async function holderOf(file) {
  const content = await readFile(file, 'utf8').catch(() => undefined);
  const facts = await stat(file).catch(() => undefined);
  if (content === undefined || facts === undefined) return { content: undefined };
  const age = Date.now() - facts.mtimeMs;
  try {
    const { host, pid, start } = JSON.parse(content);
    if (host !== os.hostname())
      return { holder: age < STALE_MS ? `process ${pid} on ${host}` : undefined, content };
    return { holder: (await startOf(pid)) === start ? `process ${pid}` : undefined, content };
  } catch {
    return { holder: age < STALE_MS ? 'it has just begun' : undefined, content };
  }
}

/**
 * Two that see the same stale lock must not both remove it, for the second would remove the first one's new lock. One that was released and taken by
 * another between the look at it and the look at its owner is not stale: it says something else now.
 */
async function takeAway(file) {
  const guard = `${file}.takeover`;
  if (await make(guard, '')) {
    const { holder, content } = await holderOf(file);
    const isStale = holder === undefined && content !== undefined;
    if (isStale && (await readFile(file, 'utf8').catch(() => undefined)) === content)
      await rm(file, { force: true });
    await rm(guard, { force: true });
    return;
  }
  const facts = await stat(guard).catch(() => undefined);
  if (facts !== undefined && Date.now() - facts.mtimeMs > STALE_MS) await rm(guard, { force: true });
}

/** When the process started, so that a later one with the same number is told apart; undefined: it does not run. */
async function startOf(pid) {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // The name in parentheses may hold spaces; behind it come the state, and as the twentieth field the start.
    const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
  }
  const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
  return found?.stdout.trim() || undefined;
}
