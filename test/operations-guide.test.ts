// The operations guide's tables are true: every setting is there with its default, every measurement under its name.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { searchAttributes } from '../workflows/messages.ts';
import { readConfig, type Config } from '../workers/config.ts';
import { runOdette } from './harness/command-line.ts';
import { readPage } from './harness/page-commands.ts';

const GUIDE = 'docs/operations-guide.md';
const source = (file: string): Promise<string> => readFile(new URL(`../${file}`, import.meta.url), 'utf8');

const settings = await readPage(GUIDE, '## Settings');
const rows = settings
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, name = '', fallback = '']) => ({ name: name.replaceAll('`', ''), fallback }));

/** Functions cannot be compared; of them the settings have one, which reads a file that is not given here. */
const comparable = (config: Config): unknown => JSON.parse(JSON.stringify(config));

describe('the settings of the guide', () => {
  test('are those of the processes', async () => {
    const declared = [...(await source('workers/config.ts')).matchAll(/^ {4}([A-Z_]+): /gm)].map(
      ([, name]) => name,
    );
    expect(declared.length).toBeGreaterThan(20);
    expect(rows.map(({ name }) => name).sort()).toEqual(declared.sort());
  });

  const literal = rows.filter(({ fallback }) => /^`[^`]+`$/.test(fallback));
  test.each(literal)('$name is $fallback unless it is given', ({ name, fallback }) => {
    const oidc = name.startsWith('ODETTE_OIDC_')
      ? {
          ODETTE_OIDC_ISSUER: 'https://id.example.com',
          ODETTE_OIDC_CLIENT_ID: 'c',
          ODETTE_OIDC_CLIENT_SECRET: 's',
        }
      : {};
    const given = readConfig({ ...oidc, [name]: fallback.replaceAll('`', '') });
    expect(comparable(given)).toEqual(comparable(readConfig(oidc)));
  });

  test('have no default where the guide names none', async () => {
    const text = await source('workers/config.ts');
    const without = rows.filter(({ fallback }) => fallback === '–').map(({ name }) => name);
    for (const name of without) {
      const declaration = new RegExp(`^ {4}${name}: ([\\s\\S]*?),\\n {4}(?=[A-Z/]|\\w|})`, 'm').exec(
        text,
      )?.[1];
      expect(declaration, name).toMatch(/optional\(\)|^list\b/);
    }
  });
});

test('every measurement of Odette is in the guide, and the guide names no other', async () => {
  const files = ['api/http/observability.ts', 'api/mdm/device-metrics.ts', 'workers/relay-metrics.ts'];
  const texts = await Promise.all(files.map(source));
  const measured = texts.flatMap((text) =>
    [...text.matchAll(/name: '(odette_\w+)'/g)].map(([, name]) => name),
  );
  const named = [...(await readPage(GUIDE)).matchAll(/\bodette_[a-z_]+/g)].map(([name]) => name);
  expect([...new Set(named)].sort()).toEqual([...new Set(measured)].sort());
});

test('the command that registers search attributes names each with its type', async () => {
  const types = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;
  const text = await readPage(GUIDE);
  for (const { name, type } of Object.values(searchAttributes))
    expect(text).toContain(`--name ${name} --type ${types[type]}`);
});

describe('every command of `odette` in the guide', () => {
  /** `up` and those that need the stopped machine itself are no calls of the API (cli/odette.mjs). */
  const OUTSIDE = /^(up|backup|restore|keys|COMMAND)$/;
  const commands = async (): Promise<string[][]> => {
    const text = await readPage(GUIDE);
    const inline = [...text.matchAll(/`(?:npx )?odette ([^`]+)`/g)].map(([, words]) => words);
    const fenced = [...text.matchAll(/^ *(?:npx )?odette (.+)$/gm)].map(([, words]) => words);
    const inside = [...text.matchAll(/\$\((?:npx )?odette ([^)]+)\)/g)].map(([, words]) => words);
    return [...inline, ...fenced, ...inside]
      .map((words = '') => words.replace(/ #.*$| >.*$/, '').split(/\s+/))
      .filter(([first = '']) => !OUTSIDE.test(first));
  };

  test('is one, with the options that it is given', async () => {
    const found = await commands();
    expect(found.length).toBeGreaterThan(30);
    for (const words of found) {
      const after = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
      const names = after < 0 ? words : words.slice(0, after);
      let help = { code: 1, printed: '' };
      // What stands behind the command itself may be an argument in small letters.
      for (let length = Math.min(names.length, 2); length > 0 && help.code !== 0; length -= 1) {
        const path = names.slice(0, length);
        const ran = await runOdette([...path, '--help'], { environment: {} });
        if (ran.printed.startsWith(`Usage: odette ${path.join(' ')} `)) help = ran;
      }
      expect(help.code, words.join(' ')).toBe(0);
      for (const option of words.filter((word) => /^--?[a-z]/.test(word)))
        expect(help.printed, words.join(' ')).toMatch(new RegExp(`(^|[ ,])${option}\\b`, 'm'));
    }
  });
});
