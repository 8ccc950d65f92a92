import { expect, test } from 'vitest';
import { recordedLine, recordedText, withEscapedControls } from './recorded-text.ts';

test('what steers a terminal is removed, its visible rest is kept', () => {
  expect(recordedText('\u001b[2J\u001b]0;title\u0007Mac\u009b31m\u007f')).toBe('[2J]0;titleMac31m');
});
test('what turns the direction of reading is removed', () => {
  expect(recordedText('\u202egpj.\u2066exe\u200f')).toBe('gpj.exe');
});
test('NUL and half a surrogate pair are seen as unknown characters', () => {
  expect(recordedText('a\0b\ud800c')).toBe('a\ufffdb\ufffdc');
});
test('line ends and tabs stay in a text, and are spaces in a line', () => {
  expect(recordedText('a\r\n\tb')).toBe('a\n\tb');
  expect(recordedLine(' a\r\n\tb\u2028c ')).toBe('a bc');
});
test('emoji and names of every script stay as they are', () => {
  for (const name of ["Mia's 👩‍💻", 'محمد', 'François', '東京']) expect(recordedText(name)).toBe(name);
});
test('what is shown is escaped, and JSON says the same as before', () => {
  const said = { name: '\u001b[2J\u009b31m\u202e\u007f' };
  const shown = withEscapedControls(JSON.stringify(said));
  expect(shown).toBe(String.raw`{"name":"\u001b[2J\u009b31m\u202e\u007f"}`);
  expect(JSON.parse(shown)).toEqual(said);
  expect(withEscapedControls('a\r\nb\tc\n')).toBe('a\nb\tc\n');
});
