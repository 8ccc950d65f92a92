// CSV as spreadsheets save it, and as Odette writes it.
import { expect, test } from 'vitest';
import { cellOf, readCsv } from './csv.ts';

test.each<[string, string, [number, string[]][]]>([
  [
    'commas and line feeds',
    'a,b\n1,2\n',
    [
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ],
  ],
  [
    'the byte order mark and carriage returns of Excel',
    '\ufeffa,b\r\n1,2\r\n',
    [
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ],
  ],
  [
    'semicolons, where the comma is the decimal sign',
    'a;b\n1,5;2',
    [
      [1, ['a', 'b']],
      [2, ['1,5', '2']],
    ],
  ],
  [
    'tabs',
    'a\tb\n1\t2',
    [
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ],
  ],
  [
    'quotes, with a separator, a quote and a line end in them',
    'a,b\n"1,""x""\n2",3\n4,5',
    [
      [1, ['a', 'b']],
      [2, ['1,"x"\n2', '3']],
      [4, ['4', '5']],
    ],
  ],
  [
    'empty lines and empty cells',
    'a,b\n\n,\n1,\n',
    [
      [1, ['a', 'b']],
      [4, ['1', '']],
    ],
  ],
  [
    'what was guarded against formulas',
    "a\n'=1+1\n'x",
    [
      [1, ['a']],
      [2, ['=1+1']],
      [3, ["'x"]],
    ],
  ],
  [
    'a quote that nobody closes',
    'a\n"1,2',
    [
      [1, ['a']],
      [2, ['"1,2']],
    ],
  ],
  ['nothing', '', []],
])('%s', (_name, text, rows) => {
  expect(readCsv(text).map(({ line, cells }) => [line, cells])).toEqual(rows);
});

test.each(['=1+1', ' =1+1', '＝1', '@name', 'plain', '-5'])(
  'what is written of %j is read as it was',
  (text) => {
    expect(readCsv(`a\n${cellOf(text)}`)[1]?.cells).toEqual([text.trim()]);
  },
);
