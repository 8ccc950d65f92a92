// Which user PostgreSQL runs as, for it refuses root: as root a uid of its own that no account and no process has, else ourselves.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lchown, lstat, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { folderKey, isRoot } from './postgres-binaries.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Uids that no distribution gives to anybody (systemd.io/UIDS-GIDS, "60578…61183 unused"), and that exist in a container whose user
 * namespace ends at 65535.
 */
const FIRST_UID = 60_578;
const LAST_UID = 61_183;
const COUNT = LAST_UID - FIRST_UID + 1;

/**
 * The owner of the cluster in `data`, or one that is chosen for it: each data folder has its own, so that nothing else on this machine
 * runs as the database's user. undefined: we are not root, and it runs as ourselves.
 * @throws Error one sentence when the cluster belongs to an account
 */
export async function accountFor(data: string): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const existing = await stat(data).catch(() => undefined);
  if (existing === undefined) return unusedAccount(data);
  const { uid, gid } = existing;
  if (uid < FIRST_UID || uid > LAST_UID || gid !== uid || (await isAccount(uid)))
    throw new Error(
      `${data} belongs to user ${uid}, but the database needs its own user. Change the owner to an unused one (chown -R ${FIRST_UID}:${FIRST_UID}), or use another data folder.`,
    );
  return { uid, gid };
}

async function unusedAccount(data: string): Promise<Account> {
  const running = await uidsOfProcesses();
  const first = Number.parseInt(folderKey(data), 16) % COUNT;
  for (let step = 0; step < COUNT; step += 1) {
    const uid = FIRST_UID + ((first + step) % COUNT);
    if (!running.has(uid) && !(await isAccount(uid))) return { uid, gid: uid };
  }
  throw new Error(
    `Every uid from ${FIRST_UID} to ${LAST_UID} is in use; set DATABASE_URL to your own PostgreSQL.`,
  );
}

/** Asks the system, which may know accounts that stand in no file. */
async function isAccount(uid: number): Promise<boolean> {
  const child = spawn('id', ['-un', String(uid)], { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

async function uidsOfProcesses(): Promise<ReadonlySet<number>> {
  const names = await readdir('/proc').catch(() => []);
  const owners = names
    .filter((name) => /^\d+$/.test(name))
    .map((name) =>
      stat(`/proc/${name}`).then(
        ({ uid }) => uid,
        () => undefined,
      ),
    );
  return new Set((await Promise.all(owners)).filter((uid) => uid !== undefined));
}

/**
 * initdb, unlike the server, wants a user with a name: it runs as `nobody` with the group of the account, in a folder that only this group
 * may enter, so that no other process of nobody's can reach or trace it. What it makes is the account's afterwards.
 */
export async function accountForInitdb(account: Account): Promise<Account> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const uid = Number(/^nobody:[^:]*:(\d+):/m.exec(accounts)?.[1] ?? 65_534);
  return { uid, gid: account.gid };
}

/**
 * A folder of ours or of the account's: made exclusively, or found to be that and written to by nobody else. No link is followed.
 * @throws Error one sentence otherwise
 */
export async function makeOwnFolder(
  folder: string,
  options: { readonly mode: number; readonly account?: Account | undefined },
): Promise<void> {
  const made = await mkdir(folder, { mode: options.mode }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  if (made && options.account) await chown(folder, options.account.uid, options.account.gid);
  const found = await lstat(folder);
  const owner = options.account?.uid ?? process.getuid?.();
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o022) !== 0)
    throw new Error(
      `${folder} is a link, belongs to another user, or other users can write to it. Remove it and start again.`,
    );
  // Whatever the umask took away.
  await chmod(folder, options.mode);
}

/** Gives a folder that nobody else can enter, and everything in it, to the account. */
export async function giveTo(account: Account, folder: string): Promise<void> {
  const inside = await readdir(folder, { recursive: true });
  for (const name of [...inside, '.']) await lchown(path.join(folder, name), account.uid, account.gid);
}
