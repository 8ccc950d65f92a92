// Runs `odette` in this process for tests: what it printed, what it told, what it asked, how it ended.
import { runCommand } from '../../cli/program.ts';
import type { World } from './world.ts';

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly printed: string;
  /** Standard error. */
  readonly told: string;
  readonly questions: readonly string[];
}

/** What `odette` needs to reach the Odette of a world. */
export const environmentOf = async (world: World): Promise<NodeJS.ProcessEnv> => ({
  ODETTE_URL: `http://${world.environment['ODETTE_ADMIN_LISTEN']}`,
  ODETTE_TOKEN: await world.token(),
});

export async function runOdette(
  args: readonly string[],
  options: {
    readonly environment: NodeJS.ProcessEnv;
    /** Somebody sits there and answers so. */
    readonly typed?: readonly string[];
    /** Somebody sits there, does what is asked, and presses Return. */
    readonly carryOut?: (task: string) => Promise<void>;
    readonly input?: string;
    /** Of the terminal. */
    readonly columns?: number;
  },
): Promise<Ran> {
  const printed: string[] = [];
  const told: string[] = [];
  const questions: string[] = [];
  const typed = [...(options.typed ?? [])];
  const ask = async (question: string): Promise<string> => {
    questions.push(question);
    await options.carryOut?.(question);
    return typed.shift() ?? '';
  };
  const code = await runCommand(args, options.environment, {
    columns: options.columns,
    isInteractive: options.typed !== undefined || options.carryOut !== undefined,
    print: (text) => void printed.push(text),
    printLines: (lines) => void printed.push(lines.map(({ text }) => text).join('\n')),
    tell: (text) => void told.push(text),
    ask,
    promptSecret: ask,
    readInput: () => Promise.resolve(Buffer.from(options.input ?? '')),
  });
  return { code, printed: printed.join('\n'), told: told.join('\n'), questions };
}
