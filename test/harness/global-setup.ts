// What the whole test run shares: one PostgreSQL cluster with a migrated template, one Temporal server. Both in a temporary folder.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { connectDatabase } from '../../adapters/store/database.ts';
import { migrate } from '../../adapters/store/migrate.ts';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';

const TEMPLATE = 'odette_template';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly postgres: { readonly adminUrl: string; readonly template: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-test-'));
  // As root, PostgreSQL's own user must be able to pass through.
  await chmod(folder, 0o711);
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), isDurable: false });
  await makeTemplate(postgres.urlOf);
  project.provide('postgres', { adminUrl: postgres.urlOf('postgres'), template: TEMPLATE });
  return async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function makeTemplate(urlOf: (database: string) => string): Promise<void> {
  const admin = connectDatabase(urlOf('postgres'), { max: 1 });
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const template = connectDatabase(urlOf(TEMPLATE), { max: 1 });
  await migrate(template);
  // Open connections would make every copy of the template fail.
  await template.end();
}
