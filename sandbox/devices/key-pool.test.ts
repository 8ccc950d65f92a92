// Keys made beforehand: what a closed pool leaves behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { KeyPool } from './key-pool.ts';

test('a pool that is closed while it is filled writes nothing afterwards', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-keys-'));
  const pool = await KeyPool.open(folder);
  const filled = pool.fill(1_000);
  await pool.close();
  const left = await readdir(folder);
  await filled;
  expect(await readdir(folder)).toEqual(left);
  expect(left.length).toBeLessThan(1_000);
  await rm(folder, { recursive: true });
});
