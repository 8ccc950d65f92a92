// docs/field-reports.md is true: each row names a test that is there, by its words where it gives some.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..');
const rows = (await readFile(path.join(ROOT, 'docs/field-reports.md'), 'utf8'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (report|-)/.test(line))
  .map((line) => line.split(/ \| /).map((cell) => cell.replace(/^\| | +\|?$/g, '').trim()))
  .map(([report = '', , shown = '']) => ({ report, shown }));

/** A folder's test has its name. */
async function textOf(file: string): Promise<string> {
  const at = path.join(ROOT, file);
  const isFolder = (await stat(at)).isDirectory();
  return readFile(isFolder ? path.join(at, `${path.basename(file)}.test.ts`) : at, 'utf8');
}

test.each(rows)('$report', async ({ shown }) => {
  const named = [...shown.matchAll(/`([\w.-]+\/[\w/.-]+)`(?: "([^"]+)")?/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file = '', words = ''] of named) {
    const text = await textOf(file);
    for (const part of words.split(' / ')) expect(text, file).toContain(part.replace(/ ?…$/, ''));
  }
});

test('no report is lost', () => {
  expect(rows.length).toBeGreaterThan(20);
});
