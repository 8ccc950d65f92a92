// Migrations: once, in order, without gaps, and never another text than the one that ran.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { connectDatabase } from './database.ts';
import { migrate } from './migrate.ts';

let own: TestDatabase;
let folder: string;
beforeEach(async () => {
  own = await createTestDatabase();
  await own.database.query('drop table schema_migrations');
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-migrations-'));
});
afterEach(async () => {
  await own.drop();
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
}

const applied = async () =>
  (
    await own.database.query<{ name: string }>('select name from schema_migrations order by applied_at, name')
  ).map(({ name }) => name);

test('each runs once, in order of its number, from however many processes at a time', async () => {
  await write({
    '0002-one-row.sql': 'insert into counted values (1);',
    '0001-a-table.sql': 'create table counted (n int);',
  });
  await Promise.all([1, 2, 3, 4].map(() => migrate(own.database, folder)));
  expect(await applied()).toEqual(['0001-a-table.sql', '0002-one-row.sql']);
  expect(await own.database.query('select n from counted')).toEqual([{ n: 1 }]);
});

test('a gap, a number taken twice and a name without a number are refused before anything runs', async () => {
  await write({ '0001-a-table.sql': 'create table counted (n int);', '0003-later.sql': 'select 1;' });
  await expect(migrate(own.database, folder)).rejects.toThrow('0003-later.sql is not number 2');
  await rm(path.join(folder, '0003-later.sql'));
  await write({ '0001-another.sql': 'select 1;' });
  await expect(migrate(own.database, folder)).rejects.toThrow('is not number 2');
  await rm(path.join(folder, '0001-another.sql'));
  await write({ 'later.sql': 'select 1;' });
  await expect(migrate(own.database, folder)).rejects.toThrow('later.sql is not number 2');
  expect(await own.database.query(`select to_regclass('counted') as table`)).toEqual([{ table: null }]);
});

test('a file that changed, one that is gone and one that comes too late are refused', async () => {
  await write({ '0001-a.sql': 'select 1;', '0002-b.sql': 'select 2;' });
  await migrate(own.database, folder);
  await write({ '0001-a.sql': 'select 11;' });
  await expect(migrate(own.database, folder)).rejects.toThrow(
    '0001-a.sql was applied to this database and has changed',
  );
  await write({ '0001-a.sql': 'select 1;' });
  await rm(path.join(folder, '0002-b.sql'));
  await expect(migrate(own.database, folder)).rejects.toThrow(
    '0002-b.sql was applied to this database and is not part of',
  );
  await write({ '0002-b.sql': 'select 2;' });
  await own.database.query(`delete from schema_migrations where name = '0001-a.sql'`);
  await expect(migrate(own.database, folder)).rejects.toThrow('0001-a.sql comes before 0002-b.sql');
});

test('an older release starts beside a newer one that has only added, and not beside one that has taken away', async () => {
  await write({
    '0001-a.sql': 'create table a (n int);',
    '0002-b.sql': '-- expands\nalter table a add column b int;',
  });
  await migrate(own.database, folder);
  await rm(path.join(folder, '0002-b.sql'));
  await migrate(own.database, folder);
  await write({
    '0002-b.sql': '-- expands\nalter table a add column b int;',
    '0003-c.sql': 'alter table a drop column n;',
  });
  await migrate(own.database, folder);
  await rm(path.join(folder, '0003-c.sql'));
  await expect(migrate(own.database, folder)).rejects.toThrow(
    '0003-c.sql was applied to this database and is not part of',
  );
});

test.each([
  'drop table a;',
  'alter table a rename column n to m;',
  'alter table a alter column n type text;',
  'alter table a add column b int not null;',
  'delete from a;',
])('what expands does not hold %s', async (text) => {
  await write({ '0001-a.sql': `-- expands\n${text}\n` });
  await expect(migrate(own.database, folder)).rejects.toThrow('says that it expands');
});

test('what expands adds columns with a default, tables and indexes', async () => {
  await write({
    '0001-a.sql':
      '-- expands\n-- drop table of later.\ncreate table a (n int primary key, m text not null);\nalter table a add column b int not null default 0;\n',
    '0002-i.sql':
      '-- no transaction\n-- expands\ndrop index concurrently if exists i;\ncreate index concurrently i on a (m);\n',
  });
  await migrate(own.database, folder);
  expect(await applied()).toHaveLength(2);
});

test('one that fails leaves nothing behind, keeps those before it, and can be mended', async () => {
  await write({
    '0001-a.sql': 'create table a (n int);',
    '0002-b.sql': 'create table b (n int); select 1/0;',
  });
  await expect(migrate(own.database, folder)).rejects.toThrow('division by zero');
  expect(await own.database.query(`select to_regclass('a') as a, to_regclass('b') as b`)).toEqual([
    { a: 'a', b: null },
  ]);
  await write({ '0002-b.sql': 'create table b (n int);' });
  await migrate(own.database, folder);
  expect(await applied()).toEqual(['0001-a.sql', '0002-b.sql']);
});

test('an index is built while others write and wait for the lock, also after an attempt that stopped half-way', async () => {
  await write({ '0001-a.sql': 'create table a (n int); insert into a values (1), (1);' });
  await migrate(own.database, folder);
  await write({
    '0002-unique.sql':
      '-- no transaction\n-- Built beside the traffic.\ndrop index concurrently if exists a_once;\ncreate unique index concurrently a_once on a (n);\n',
  });
  await expect(migrate(own.database, folder)).rejects.toThrow('could not create unique index');
  await own.database.query('delete from a where ctid in (select ctid from a limit 1)');
  // A transaction that began to write holds the index up; a second process meanwhile waits for its turn.
  const writer = connectDatabase(own.url, { max: 1 });
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const writing = writer.inTransaction(async (sql) => {
    await sql.query('insert into a values (2)');
    begin();
    await finished;
  });
  await begun;
  const migrating = Promise.all([migrate(own.database, folder), migrate(own.database, folder)]);
  const held = () =>
    own.database.query<{ n: number }>(
      `select count(*) as n from pg_stat_activity
        where datname = current_database() and query like '%index concurrently%' and wait_event_type = 'Lock'`,
    );
  await expect.poll(held).toEqual([{ n: 1 }]);
  await own.database.query('insert into a values (3)');
  finish();
  await Promise.all([writing, migrating]);
  await writer.end();
  expect(
    await own.database.query(`select indisvalid as v from pg_index where indexrelid = 'a_once'::regclass`),
  ).toEqual([{ v: true }]);
});

test('outside a transaction stands only what can run again', async () => {
  for (const text of [
    'create index concurrently i on a (n);',
    'drop index concurrently if exists i;\ncreate table b (n int);',
    'drop index concurrently if exists j;\ncreate index concurrently i on a (n);',
  ]) {
    await write({ '0001-a.sql': `-- no transaction\n${text}\n` });
    await expect(migrate(own.database, folder)).rejects.toThrow('outside a transaction stand only');
  }
});
