// docs/attacks.md and docs/okta-field-reports.md are true: each row names a test that is there, and no file of test/attacks/ is missing.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, ROOT), 'utf8');

/** A row ends with the file and a part of the test's title. */
async function rowsOf(page: string): Promise<{ what: string; file: string; part: string }[]> {
  return (await text(page))
    .split('\n')
    .filter((line) => /^\| .*\.test\.ts/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => ({ what: cells[1] ?? '', file: cells.at(-3) ?? '', part: cells.at(-2) ?? '' }));
}

const [attacks, reports] = await Promise.all(['docs/attacks.md', 'docs/okta-field-reports.md'].map(rowsOf));

describe.each([
  ['attacks', attacks ?? [], 51],
  ['field reports of Okta', reports ?? [], 39],
])('%s', (_page, rows, atLeast) => {
  test.each(rows)('$what: $file', async ({ file, part }) => {
    expect(part.length).toBeGreaterThan(4);
    const titles = (await text(file))
      .split('\n')
      .filter((line) => /\b(test|it|describe)\b.*\(/.test(line) || /^\s*(\]\)\(|\[)?['"`]/.test(line));
    expect(titles.join('\n')).toContain(part);
  });

  test('are all here', () => {
    expect(rows.length).toBeGreaterThanOrEqual(atLeast);
  });
});

test('every file of attacks is in the table', async () => {
  const files = (await readdir(new URL('test/attacks/', ROOT))).filter((name) => name.endsWith('.test.ts'));
  const named = new Set(attacks?.map(({ file }) => file));
  expect(files.filter((name) => !named.has(`test/attacks/${name}`))).toEqual([]);
});
