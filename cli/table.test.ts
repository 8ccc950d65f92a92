import { expect, test } from 'vitest';
import { laidOut as laidOutToned, table, type Line } from './table.ts';

const laidOut = (lines: readonly Line[], columns: number | undefined): string[] =>
  laidOutToned(lines, columns).map(({ text }) => text);

const rows = table(
  ['WHO', 'DEVICES', 'NEXT STEP', 'CAUSE'],
  [
    [
      'you',
      '12',
      'No license of Okta Verify is left. Get more in Apple Business Manager.',
      'apps_and_books.no_license',
    ],
  ],
);

test('a program gets one line for each row', () => {
  expect(laidOut(['Steps:', ...rows], undefined)).toEqual([
    'Steps:',
    'WHO  DEVICES  NEXT STEP                                                               CAUSE',
    'you  12       No license of Okta Verify is left. Get more in Apple Business Manager.  apps_and_books.no_license',
  ]);
});

test('in 80 columns the widest cell goes on below, and nothing is cut', () => {
  const lines = laidOut(rows, 80);
  expect(lines).toEqual([
    'WHO  DEVICES  NEXT STEP                                CAUSE',
    'you  12       No license of Okta Verify is left. Get   apps_and_books.no_license',
    '              more in Apple Business Manager.',
  ]);
});

test('a word that is wider than its column stays whole', () => {
  const [, line] = laidOut(table(['A', 'B'], [['x'.repeat(30), 'y'.repeat(30)]]), 20);
  expect(line).toBe(`${'x'.repeat(30)}  ${'y'.repeat(30)}`);
});

test('a row keeps its tone on each of its lines, and the head is the head', () => {
  const long = table(
    ['A', 'B'],
    [
      ['one two three four', 'x'],
      ['y', 'z'],
    ],
    ['bad'],
  );
  expect(laidOutToned(['before', ...long], 18)).toEqual([
    { text: 'before' },
    { text: 'A                B', tone: 'head' },
    { text: 'one two three    x', tone: 'bad' },
    { text: 'four', tone: 'bad' },
    { text: 'y                z', tone: undefined },
  ]);
});
