// What a shell completes: bash is asked itself; of the scripts for all three, that each command and option is in them.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';

const scriptFor = async (shell: string): Promise<string> => {
  const { code, printed } = await runOdette(['completion', shell], { environment: {} });
  expect(code).toBe(0);
  return printed;
};

/** What bash offers behind these words; the last one is being typed. */
function offered(script: string, words: readonly string[]): string[] {
  const asked = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _odette; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', asked, 'bash', ...words], { encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test.for([
    [['odette', 'notif'], ['notification']],
    [
      ['odette', 'completion', ''],
      ['bash', 'zsh', 'fish', '--help'],
    ],
    // The name of a token is no command; options before it are passed over with what stands behind them.
    [['odette', 'token', 'create', 'list', '--ro'], ['--role']],
    [
      ['odette', 'token', '--json', 'create', '--role', ''],
      ['viewer', 'operator', 'admin'],
    ],
    [['odette', 'token', 'create', '--role', 'admin', '--d'], ['--days']],
    [['odette', 'notification', 'add-email', 'x', '--security', 's'], ['starttls']],
  ] as const)('offers behind %j: %j', async ([words, wanted]) => {
    expect(offered(await scriptFor('bash'), words)).toEqual(wanted);
  });

  test('offers files where an option takes anything', async () => {
    const found = offered(await scriptFor('bash'), [
      'odette',
      'notification',
      'add-slack',
      'x',
      '--url-file',
      'packag',
    ]);
    expect(found).toContain('package.json');
  });
});

test.for(['bash', 'zsh', 'fish'])('the script for %s has every command of the help', async (shell) => {
  const [script, help] = await Promise.all([scriptFor(shell), runOdette(['--help'], { environment: {} })]);
  const commands = [...help.printed.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name = '']) => name);
  expect(commands.length).toBeGreaterThan(20);
  for (const name of commands.filter((each) => each !== 'odette' && each !== 'help'))
    expect(script).toContain(name);
});

test('another shell is refused with the ones there are', async () => {
  const { code, told } = await runOdette(['completion', 'tcsh'], { environment: {} });
  expect([code, told]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
});
