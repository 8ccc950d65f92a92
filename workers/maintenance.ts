// `odette backup`, `odette restore`, `odette keys`: what is done to database and key file on the machine itself, while Odette is stopped.
import { createReadStream, createWriteStream } from 'node:fs';
import { access, copyFile, mkdir, chmod } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { connectDatabase, type Database } from '../adapters/store/base/database.ts';
import { proveKey } from '../adapters/store/base/key-canary.ts';
import { migrate } from '../adapters/store/base/migrate.ts';
import { resealEverything } from '../adapters/store/base/reseal.ts';
import { exportTables, importTables } from '../adapters/store/base/table-copy.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

const DATABASE_FILE = 'database.ndjson.gz';
const KEY_FILE = 'odette.key';

const [command = '', argument = ''] = process.argv.slice(2);
try {
  const config = readConfig(process.env);
  console.log(await inDatabase(config, (database) => run(database, config)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}

async function run(database: Database, config: Config): Promise<string> {
  if (command === 'backup') return backUp(database, config.keyFile, path.resolve(argument));
  if (command === 'restore') return restore(database, config.keyFile, path.resolve(argument));
  return argument === 'retire' ? retireKeys(database, config.keyFile) : renewKeys(database, config.keyFile);
}

/** The database of DATABASE_URL, or the embedded one, which only one may run. */
async function inDatabase(config: Config, work: (database: Database) => Promise<string>): Promise<string> {
  if (config.databaseUrl !== undefined) return withMigrated(config.databaseUrl, work);
  const data = await openDataFolder(config.dataDir, { isSandbox: false });
  try {
    const postgres = await startEmbeddedPostgres({ folder: data.at('postgres') });
    try {
      return await withMigrated(postgres.url, work);
    } finally {
      await postgres.stop();
    }
  } finally {
    await data.release();
  }
}

async function withMigrated(url: string, work: (database: Database) => Promise<string>): Promise<string> {
  const database = connectDatabase(url, { max: 2, applicationName: 'odette-maintenance', maxStatementMs: 0 });
  try {
    await migrate(database);
    return await work(database);
  } finally {
    await database.end();
  }
}

async function backUp(database: Database, keyFile: string, folder: string): Promise<string> {
  const ring = await KeyRing.open(keyFile, { create: false });
  await proveKey(database, ring);
  // New, so that an earlier backup is never half overwritten.
  await mkdir(folder, { mode: 0o700 });
  await database.inSession((sql) =>
    pipeline(
      Readable.from(withLineEnds(exportTables(sql))),
      createGzip(),
      createWriteStream(path.join(folder, DATABASE_FILE), { mode: 0o600, flags: 'wx', flush: true }),
    ),
  );
  await copyFile(keyFile, path.join(folder, KEY_FILE));
  await chmod(path.join(folder, KEY_FILE), 0o600);
  return `${folder} holds the database (${DATABASE_FILE}) and the key file (${KEY_FILE}). Keep the two apart.`;
}

async function restore(database: Database, keyFile: string, folder: string): Promise<string> {
  const isThere = await access(keyFile).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new Error(
      `A key file already exists: ${keyFile}. Restore a backup only into an empty data folder.`,
    );
  const ring = await KeyRing.open(path.join(folder, KEY_FILE), { create: false });
  await database.inTransaction(async (sql) => {
    await importTables(sql, linesOf(path.join(folder, DATABASE_FILE)));
    await proveKey(sql, ring);
  });
  await mkdir(path.dirname(keyFile), { recursive: true, mode: 0o700 });
  await copyFile(path.join(folder, KEY_FILE), keyFile);
  await chmod(keyFile, 0o600);
  return 'Restored the database and the key file. Start Odette; workflows continue from the tables.';
}

async function renewKeys(database: Database, keyFile: string): Promise<string> {
  const old = await KeyRing.open(keyFile, { create: false });
  await proveKey(database, old);
  // First the file: a key that nothing is sealed under yet harms nobody, something sealed under a key that is lost does.
  const ring = await KeyRing.renew(keyFile);
  const count = await database.inTransaction((sql) => resealEverything(sql, ring));
  return `${count} secrets are now encrypted with the new key. Back up the key file. Older keys still decrypt the histories of Temporal.`;
}

async function retireKeys(database: Database, keyFile: string): Promise<string> {
  const ring = await KeyRing.open(keyFile, { create: false });
  const count = await database.inTransaction((sql) => resealEverything(sql, ring));
  await KeyRing.retireOldKeys(keyFile);
  return `${count} secrets are encrypted with the newest key, and the older keys are deleted. Empty Temporal's store before the next start.`;
}

/** The file is opened when the first line is asked for: readline drops what comes before somebody listens. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const unpacked = createGunzip();
  const reading = pipeline(createReadStream(file), unpacked);
  // Whoever reads the lines meets the error at the end of them.
  reading.catch(() => undefined);
  yield* createInterface({ input: unpacked, crlfDelay: Infinity });
  await reading;
}

async function* withLineEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
