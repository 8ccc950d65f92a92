// The hook that set-up installs: where it is installed, and which subjects it refuses.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installHooks } from './git-hooks.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'odette-hooks-'));
  mkdirSync(path.join(folder, 'scripts'));
  cpSync(fileURLToPath(new URL('./hooks', import.meta.url)), path.join(folder, 'scripts/hooks'), {
    recursive: true,
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();
const commit = (subject: string) =>
  spawnSync('git', [
    '-C',
    folder,
    '-c',
    'user.name=n',
    '-c',
    'user.email=e@example.com',
    'commit',
    '--allow-empty',
    '-m',
    subject,
  ]).status;

test('a subject of 72 characters is taken and one of 73 refused, counted in characters', async () => {
  git('init', '-q');
  await installHooks(folder);
  expect(commit(`area: ${'ü'.repeat(66)}`)).toBe(0);
  expect(commit(`area: ${'a'.repeat(67)}`)).toBe(1);
  expect(commit(`Revert "area: ${'a'.repeat(70)}"`)).toBe(0);
});

test("another choice of the checkout's owner stays, and outside of a checkout nothing is done", async () => {
  await installHooks(folder);
  git('init', '-q');
  git('config', 'core.hooksPath', 'mine');
  await installHooks(folder);
  expect(git('config', '--get', 'core.hooksPath')).toBe('mine');
});
