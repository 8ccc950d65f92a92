// A migrated database of its own for each test file, in the one cluster of the run (test/harness/global-setup.ts).
import { randomBytes } from 'node:crypto';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import type { SharedPostgres } from './global-setup.ts';
import { sharedServer } from './shared-servers.ts';

export interface TestDatabase {
  readonly database: Database;
  /** For processes and second connections. */
  readonly url: string;
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const cluster = await sharedServer<SharedPostgres>('postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(cluster.adminUrl, `create database ${name} template ${cluster.template} strategy wal_log`);
  const url = cluster.adminUrl.replace('/postgres?', `/${name}?`);
  const database = connectDatabase(url, { max: 5, applicationName: name });
  return {
    database,
    url,
    async drop() {
      await database.end();
      await asAdmin(cluster.adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const admin = connectDatabase(url, { max: 1, applicationName: 'odette-test' });
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
