// The embedded database keeps what was committed through kill -9, and takes its folder back from a server that was left behind.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase } from '../adapters/store/base/database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { isRunning } from './processes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-pg-'));
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what was committed survives kill -9; a server left behind is shut down and its folder used again', async () => {
  const place = path.join(folder, 'postgres');
  const first = await startEmbeddedPostgres({ folder: place });
  const writer = connectDatabase(first.url);
  await writer.query('create table kept as select 1 as n');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  await writer.end();

  const second = await startEmbeddedPostgres({ folder: place });
  // Nobody stopped the second one: as after kill -9 of the launcher.
  const third = await startEmbeddedPostgres({ folder: place });
  expect(isRunning(second.pid)).toBe(false);
  const reader = connectDatabase(third.url);
  expect(await reader.query('select n from kept')).toEqual([{ n: 1 }]);
  await reader.end();
  await third.stop();
  expect(isRunning(third.pid)).toBe(false);
});

test('a folder that an unprivileged user cannot enter is refused in one sentence', async ({ skip }) => {
  if (process.getuid?.() !== 0) {
    console.log('skipped: only as root does PostgreSQL run as another user');
    return skip();
  }
  const closed = path.join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await expect(startEmbeddedPostgres({ folder: path.join(closed, 'postgres') })).rejects.toThrow(
    /cannot enter .*closed.*DATABASE_URL/,
  );
});
