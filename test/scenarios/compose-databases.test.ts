// The databases of docker-compose.yml, made in a real PostgreSQL by the file that the container runs: Odette's role owns its own, Temporal's
// role its own, and neither opens the other's.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { migrate } from '../../adapters/store/base/migrate.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../workers/embedded-postgres.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PASSWORDS = { odette_password: 'password-of-odette', temporal_password: 'password-of-temporal' };

interface Service {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
}
const compose = parse(await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};

let folder: string;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-compose-databases-'));
  await chmod(folder, 0o711);
  // The embedded server's superuser is called odette; the file's roles get other names so that both fit. They sign in as over the network.
  const rules = path.join(folder, 'pg_hba.conf');
  await writeFile(rules, 'local all odette peer map=odette\nlocal all all scram-sha-256\n', { mode: 0o644 });
  postgres = await startEmbeddedPostgres({
    folder: path.join(folder, 'postgres'),
    isDurable: false,
    settings: { hba_file: rules },
  });
  const admin = connectDatabase(postgres.urlOf('postgres'), { max: 1 });
  for (const statement of await statements()) await admin.query(statement);
  await admin.end();
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

async function statements(): Promise<string[]> {
  const text = await readFile(path.join(ROOT, 'docker/create-databases.sql'), 'utf8');
  return text
    .replaceAll(/^(--|\\getenv).*$/gm, '')
    .replaceAll(/:'(\w+)'/g, (_whole, name: keyof typeof PASSWORDS) => `'${PASSWORDS[name]}'`)
    .replaceAll(/\b(odette|temporal_visibility|temporal)\b(?!')/g, 'compose_$1')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

const connect = (role: 'odette' | 'temporal', database: string) => {
  const url = new URL(postgres.urlOf(`compose_${database}`));
  url.searchParams.set('user', `compose_${role}`);
  url.searchParams.set('password', PASSWORDS[`${role}_password`]);
  return connectDatabase(url.href, { max: 1 });
};

test.each([
  ['odette', 'odette'],
  ['temporal', 'temporal'],
  ['temporal', 'temporal_visibility'],
] as const)('%s owns %s and may do everything in it', async (role, name) => {
  const database = connect(role, name);
  if (name === 'odette') await migrate(database);
  else await database.query('create table executions (id int)');
  // The visibility schema of Temporal makes it.
  if (name === 'temporal_visibility') await database.query('create extension btree_gin');
  expect(
    await database.query(
      `select rolsuper as s, rolcreatedb as d, rolcreaterole as r from pg_roles where rolname = current_user`,
    ),
  ).toEqual([{ s: false, d: false, r: false }]);
  await database.end();
});

test.each([
  ['odette', 'temporal'],
  ['odette', 'temporal_visibility'],
  ['temporal', 'odette'],
] as const)('%s cannot open %s', async (role, name) => {
  const database = connect(role, name);
  await expect(database.query('select 1')).rejects.toThrow('permission denied for database');
  await database.end();
});

test('each service gets the password of its own role alone, and no two are the same', () => {
  const { services } = compose;
  const passwordsOf = (name: string): string[] =>
    [...new Set(JSON.stringify(services[name]?.environment ?? {}).match(/\w*PASSWORD(?=:)/g) ?? [])].sort();
  for (const name of ['api', 'devices', 'relay', 'worker'])
    expect(passwordsOf(name)).toEqual(['ODETTE_DATABASE_PASSWORD']);
  for (const name of ['temporal', 'temporal-schema'])
    expect(passwordsOf(name)).toEqual(['TEMPORAL_DATABASE_PASSWORD']);
  for (const name of ['temporal-setup', 'temporal-ui']) expect(passwordsOf(name)).toEqual([]);
  expect(services['temporal']?.environment?.['POSTGRES_USER']).toBe('temporal');
  expect(services['temporal-schema']?.environment?.['SQL_USER']).toBe('temporal');
});
