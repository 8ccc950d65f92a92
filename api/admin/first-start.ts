// What the first start needs before anybody has signed in: the link that makes the first admin, and the token of this machine.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import {
  readInstanceSetting,
  takeInstanceSetting,
  writeInstanceSetting,
} from '../../adapters/store/base/instance-settings.ts';
import { countLocalAdmins } from '../../adapters/store/people/people.ts';
import { addToken, revokeOtherTokens } from '../../adapters/store/people/tokens.ts';
import { randomToken, sha256 } from './passwords.ts';

const FIRST_RUN = 'first_run';
/** A link that was left in a terminal or a chat does not make an admin for ever. */
const FIRST_RUN_MS = 24 * 3_600_000;
const LOCAL_TOKEN = 'this machine';

/**
 * A new one-time token while there is no local admin, else undefined. The launcher prints `<console>/first-run#<token>`:
 * a fragment is sent to no server and written to no log. An older link stops working, and this one after a day.
 */
export async function offerFirstRun(database: Database): Promise<string | undefined> {
  return database.inTransaction(async (sql) => {
    if ((await countLocalAdmins(sql)) > 0) return undefined;
    const token = randomToken('');
    await writeInstanceSetting(sql, FIRST_RUN, {
      hash: sha256(token).toString('hex'),
      until: Date.now() + FIRST_RUN_MS,
    });
    return token;
  });
}

/** True once for the right token, within a day. */
export async function takeFirstRun(sql: Sql, token: string): Promise<boolean> {
  const offered = await readInstanceSetting<{ until: number }>(sql, FIRST_RUN);
  if (offered === undefined || offered.until < Date.now()) return false;
  return takeInstanceSetting(sql, FIRST_RUN, { hash: sha256(token).toString('hex') });
}

/**
 * The command line of this machine signs in with DATA/cli-token: whoever may read the data folder is an admin anyway.
 * Makes the file if it is not there, and registers its hash; a token from before is revoked.
 */
export async function ensureLocalToken(database: Database, dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'cli-token');
  const token = (await readToken(file)) ?? (await makeToken(file));
  await database.inTransaction(async (sql) => {
    const tokenHash = sha256(token);
    await revokeOtherTokens(sql, LOCAL_TOKEN, tokenHash);
    await addToken(sql, {
      name: LOCAL_TOKEN,
      role: 'admin',
      tokenHash,
      createdBy: 'system',
      // Its file is its guard: whoever may read it may read the key ring.
      expiresAt: null,
    });
  });
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    await chmod(file, 0o600);
    return token.length >= 43 ? token : undefined;
  } catch {
    return undefined;
  }
}

async function makeToken(file: string): Promise<string> {
  const token = randomToken('odt_');
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return token;
}
