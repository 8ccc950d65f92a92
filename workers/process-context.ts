// What every Odette process stands on: a migrated database, the key ring that fits it, and a client of Temporal.
import { access } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { connectDatabase, type Database } from '../adapters/store/base/database.ts';
import { holdsSealed, proveKey } from '../adapters/store/base/key-canary.ts';
import { migrate } from '../adapters/store/base/migrate.ts';
import { CataloguedError } from '../domain/failures.ts';
import { ConfigError, type Config } from './config.ts';
import { proveDeviceAddress } from './device-address.ts';
import { createClient, readTemporalSettings, type TemporalSettings } from './temporal-connection.ts';

export interface ProcessContext {
  readonly config: Config;
  readonly log: Logger;
  readonly database: Database;
  readonly ring: KeyRing;
  readonly temporalSettings: TemporalSettings;
  /** Usable before Temporal is there: calls fail until it is. */
  readonly temporal: Client;
  close(): Promise<void>;
}

/**
 * Waits for the database as long as it takes.
 * @throws ConfigError when DATABASE_URL is missing, or ODETTE_PUBLIC_URL is not what enrolled devices know
 * @throws CataloguedError `secrets.key_missing`, `secrets.tampered` when the key file does not fit what is sealed in the database
 */
export async function openProcessContext(
  { config, log }: { readonly config: Config; readonly log: Logger },
  options: {
    readonly name: string;
    readonly connections: number;
    readonly preparesStatements?: boolean;
  },
): Promise<ProcessContext> {
  if (config.databaseUrl === undefined)
    throw new ConfigError('DATABASE_URL is not set. (`odette up` includes a database.)');
  const url = config.databaseUrl;
  await whenReachable(() => bringUpToDate(url, options.name), log);
  const database = connectDatabase(url, {
    max: options.connections,
    applicationName: options.name,
    preparesStatements: options.preparesStatements === true,
  });
  await proveDeviceAddress(database, config);
  const ring = await openKeyRing(config.keyFile, database, log);
  const temporalSettings = readTemporalSettings(process.env);
  const temporal = createClient(temporalSettings, ring);
  return {
    config,
    log,
    database,
    ring,
    temporalSettings,
    temporal,
    async close() {
      await temporal.connection.close();
      await database.end();
    },
  };
}

/** On a connection of its own, for a large table takes its time, and so does another process that was first. */
async function bringUpToDate(url: string, applicationName: string): Promise<void> {
  const database = connectDatabase(url, { max: 1, applicationName, maxStatementMs: 0 });
  try {
    await migrate(database);
  } finally {
    await database.end();
  }
}

async function whenReachable(work: () => Promise<void>, log: Logger): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CataloguedError && error.code === 'store.unavailable')) throw error;
      if (attempt % 20 === 0) log.warn({ code: error.code }, 'waiting for the database');
      await pause(Math.min(250 * (attempt + 1), 2000));
    }
  }
}

/** A key is made only while nothing sealed exists: a new key beside old secrets would lose them without a word. */
async function openKeyRing(file: string, database: Database, log: Logger): Promise<KeyRing> {
  const mayCreate = !(await holdsSealed(database));
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  const ring = await KeyRing.open(file, { create: mayCreate });
  if (!isThere) log.info({ file }, 'created a new key file; back it up together with the database');
  await proveKey(database, ring);
  return ring;
}
