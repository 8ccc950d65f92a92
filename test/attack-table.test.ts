// docs/attacks.md is true: each row names a test that is there, and no file of test/attacks/ is missing.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, ROOT), 'utf8');
const rows = (await text('docs/attacks.md'))
  .split('\n')
  .filter((line) => /^\| .*\.test\.ts/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, attack = '', file = '', part = '']) => ({ attack, file, part }));

test.each(rows)('$attack: $file', async ({ file, part }) => {
  expect(part.length).toBeGreaterThan(7);
  const titles = (await text(file))
    .split('\n')
    .filter((line) => /\b(test|it|describe)\b.*\(/.test(line) || /^\s*(\]\)\()?['"`]/.test(line));
  expect(titles.join('\n')).toContain(part);
});

test('every file of attacks is in the table', async () => {
  const files = (await readdir(new URL('test/attacks/', ROOT))).filter((name) => name.endsWith('.test.ts'));
  const named = new Set(rows.map(({ file }) => file));
  expect(files.filter((name) => !named.has(`test/attacks/${name}`))).toEqual([]);
  expect(rows.length).toBeGreaterThan(50);
});
