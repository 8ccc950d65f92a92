import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessLog } from './process-log.ts';

const FULL_DISK = '/dev/full';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const line = (index: number) => `line ${String(index).padStart(4, '0')}`;
const lines = async (name: string) =>
  (await readFile(path.join(folder, name), 'utf8')).split('\n').filter((text) => text !== '');

test('a log that grows while the process runs keeps the newest lines in two files of the size that is given', async () => {
  const log = await ProcessLog.open(folder, 'api', 100);
  for (let index = 0; index < 1000; index += 1) log.write(line(index));
  await log.end();
  expect((await readdir(folder)).sort()).toEqual(['api.log', 'api.log.1']);
  await expect
    .poll(async () => [...(await lines('api.log.1')), ...(await lines('api.log'))].at(0))
    .toBe(line(980));
  const kept = [...(await lines('api.log.1')), ...(await lines('api.log'))];
  expect(kept).toEqual(Array.from({ length: 20 }, (_, index) => line(980 + index)));
  for (const name of ['api.log', 'api.log.1']) {
    const { size, mode } = await stat(path.join(folder, name));
    expect(size).toBeLessThanOrEqual(100);
    expect(mode & 0o777).toBe(0o600);
  }
});

test('a new start goes on with the file that is there, and counts what it holds', async () => {
  await writeFile(path.join(folder, 'api.log'), 'before\n');
  const log = await ProcessLog.open(folder, 'api', 20);
  log.write('one');
  log.write('two, and more than fits');
  await log.end();
  await expect.poll(() => lines('api.log.1')).toEqual(['before', 'one']);
  expect(await lines('api.log')).toEqual(['two, and more than fits']);
});

test('a full disk costs lines, and not the process that keeps them', async ({ skip }) => {
  if (!existsSync(FULL_DISK)) skip('needs a file that is a full disk, as Linux has it');
  const file = path.join(folder, 'api.log');
  await symlink(FULL_DISK, file);
  const log = await ProcessLog.open(folder, 'api');
  log.write('lost');
  await rm(file);
  await expect
    .poll(async () => {
      log.write('written');
      return lines('api.log').catch(() => []);
    })
    .toContain('written');
  await log.end();
  expect(await lines('api.log')).not.toContain('lost');
});
