// The launcher's data folder: one launcher at a time, and the sandbox's folder is never opened by a real installation.
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunning, startOf } from './processes.ts';

export interface DataFolder {
  readonly path: string;
  /** A path inside. */
  at(...names: string[]): string;
  /** Lets the next launcher in. */
  release(): Promise<void>;
}

/** @throws Error one sentence: another launcher runs there, the folder belongs to the other kind of installation, or to another user */
export async function openDataFolder(
  folder: string,
  options: { readonly isSandbox: boolean },
): Promise<DataFolder> {
  // Other users may pass through (the database's unprivileged user must), and list nothing.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await mustBeOurs(folder);
  const at = (...names: string[]) => path.join(folder, ...names);
  await takeLock(at('launcher.lock'), folder);
  const release = () => rm(at('launcher.lock'), { force: true });
  const kind = options.isSandbox ? 'sandbox' : 'installation';
  const known = await readFile(at('kind'), 'utf8').catch(() => undefined);
  if (known === undefined) await writeFile(at('kind'), `${kind}\n`);
  else if (known.trim() !== kind) {
    await release();
    throw new Error(
      options.isSandbox
        ? `${folder} belongs to a real installation; the sandbox needs its own folder (ODETTE_DATA_DIR).`
        : `${folder} belongs to the sandbox; a real installation needs its own folder (ODETTE_DATA_DIR).`,
    );
  }
  return { path: folder, at, release };
}

/** Whoever can write here can put another key, another database or another program's socket in the place of ours. */
async function mustBeOurs(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  if (process.platform === 'win32' || (uid === process.getuid?.() && (mode & 0o022) === 0)) return;
  throw new Error(
    `${folder} belongs to another user, or other users can write to it. Use a folder of your own, or: chmod go-w ${folder}`,
  );
}

async function takeLock(file: string, folder: string): Promise<void> {
  const mine = JSON.stringify({ pid: process.pid, start: startOf(process.pid) });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const lock = await open(file, 'wx', 0o600);
      await lock.writeFile(mine);
      await lock.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(file);
    if (holder !== undefined)
      throw new Error(`Odette already runs with ${folder} (process ${holder}). \`odette status\` shows it.`);
    await rm(file, { force: true });
  }
  throw new Error(`Cannot lock ${file}: Odette is already starting.`);
}

/** The pid of the launcher that holds the lock and still runs. */
async function readHolder(file: string): Promise<number | undefined> {
  try {
    const { pid, start } = JSON.parse(await readFile(file, 'utf8')) as { pid: number; start?: string };
    return isRunning(pid) && startOf(pid) === start ? pid : undefined;
  } catch {
    return undefined;
  }
}
