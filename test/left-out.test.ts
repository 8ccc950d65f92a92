// A clone has all that its tests need: what may be left out is what needs a program, a user or a platform that the machine lacks.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const THIS = 'test/left-out.test.ts';

/** Each prints its reason. `isSkipped` of the channels is that NanoMDM is missing. */
const REASONS = [
  '!hasBrowser',
  '!hasOpenssl',
  'nanoMdmIsMissing() !== undefined',
  'isSkipped',
  'isRoot()',
  'isFetchable',
  "'needs root to become another user'",
  "'needs a file that is a full disk",
];

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx', '*.mjs'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && file !== THIS);
const read = (file: string): string => {
  try {
    return readFileSync(`${ROOT}${file}`, 'utf8');
  } catch {
    // Deleted, and not committed yet.
    return '';
  }
};

test('no test is left out for want of data, and none for good', () => {
  const leftOut = files
    .filter((file) => file.endsWith('.test.ts') || file.endsWith('.test.tsx'))
    .flatMap((file) =>
      [...read(file).matchAll(/\.(skipIf|runIf|skip|todo|only|fails)\(([^\n]*)/g)].map(
        ([, how = '', rest = '']) => ({
          file,
          how,
          rest,
        }),
      ),
    );
  expect(leftOut.length).toBeGreaterThan(10);
  expect(
    leftOut.filter(
      ({ how, rest }) =>
        !['skipIf', 'runIf', 'skip'].includes(how) || !REASONS.some((reason) => rest.startsWith(reason)),
    ),
  ).toEqual([]);
});
