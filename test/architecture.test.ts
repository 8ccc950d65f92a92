// The rules of the house bite: a forbidden import is refused, and the lock can be installed completely on every platform.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

// In a copy: other checks look at the tree at the same time.
/** A second of work, on a machine that does many other things. */
const PATIENCE_MS = 240_000;

describe('who may import whom', () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(path.join(os.tmpdir(), 'odette-layers-'));
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs'])
      await cp(path.join(ROOT, file), path.join(copy, file));
    await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
    await plant('domain/word.ts', 'export const word = 1;');
    await plant(
      'adapters/store/rows.ts',
      "import { word } from '../../domain/word.ts';\nexport const rows = word;",
    );
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  const plant = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(copy, file)), { recursive: true });
    await writeFile(path.join(copy, file), `${text}\n`);
  };
  const check = (): Promise<{ code: number; output: string }> =>
    new Promise((resolve) => {
      const depcruise = path.join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
      execFile(
        process.execPath,
        [depcruise, '--config', '.dependency-cruiser.cjs', '.'],
        { cwd: copy },
        (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
      );
    });

  test(
    'imports along the arrows pass',
    async () => {
      expect(await check()).toMatchObject({ code: 0 });
    },
    PATIENCE_MS,
  );

  test(
    'a forbidden import fails the check, whichever wall it goes through',
    async () => {
      const planted = [
        ['domain/reaches.ts', "export * from '../adapters/store/rows.ts';", 'domain-is-pure'],
        ['domain/reads-files.ts', "export * from 'node:fs';", 'domain-is-pure'],
        [
          'adapters/okta/reaches.ts',
          "export * from '../store/rows.ts';",
          'adapters-keep-to-their-own-folder',
        ],
        [
          'adapters/okta/takes-the-client.ts',
          "export * from '@okta/okta-sdk-nodejs/src/client.js';",
          'okta-sdk-without-its-client',
        ],
        [
          'workers/calls-okta.ts',
          "export * from '@okta/okta-sdk-nodejs/src/generated/apis/DeviceApi.js';",
          'okta-sdk-in-its-adapter-alone',
        ],
        [
          'workflows/reaches.ts',
          "export * from '../adapters/store/rows.ts';",
          'workflows-know-domain-and-workflows',
        ],
        ['sandbox/reaches.ts', "export * from '../adapters/store/rows.ts';", 'sandbox-knows-the-protocol'],
        [
          'test/second-device/reaches.ts',
          "export * from '../../domain/word.ts';",
          'the-second-device-is-written-apart',
        ],
        [
          'web/reaches.ts',
          "export * from '../adapters/store/rows.ts';",
          'web-and-cli-know-the-contract-only',
        ],
      ] as const;
      for (const [file, text] of planted) await plant(file, text);
      const { code, output } = await check();
      expect(code).toBe(planted.length);
      for (const [file, , rule] of planted) expect(output).toContain(`${rule}: ${file}`);
    },
    PATIENCE_MS,
  );
});

describe('the lock', async () => {
  interface Entry {
    readonly resolved?: string;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages } = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Entry>>;
  };

  test('holds an entry for every optional dependency, so that it installs on every platform', () => {
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isFound(place, name)),
    );
    expect(missing).toEqual([]);
  });

  // As Node looks for it: beside the package, then in every folder above.
  const isFound = (place: string, name: string): boolean => {
    for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
      if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in packages) return true;
      if (at === '') return false;
    }
  };

  test('names no address that packages are fetched from', () => {
    expect(Object.keys(packages).filter((place) => packages[place]?.resolved !== undefined)).toEqual([]);
  });
});
