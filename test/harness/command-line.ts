// Runs `odette` in this process for tests: what it printed, what it told, what it asked, how it ended.
import { runCommand } from '../../cli/program.ts';

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly printed: string;
  /** Standard error. */
  readonly told: string;
  readonly questions: readonly string[];
}

export async function runOdette(
  args: readonly string[],
  options: {
    readonly environment: NodeJS.ProcessEnv;
    /** Somebody sits there and answers so. */
    readonly typed?: readonly string[];
    readonly input?: string;
    /** Of the terminal. */
    readonly columns?: number;
  },
): Promise<Ran> {
  const printed: string[] = [];
  const told: string[] = [];
  const questions: string[] = [];
  const typed = [...(options.typed ?? [])];
  const ask = (question: string): Promise<string> => {
    questions.push(question);
    return Promise.resolve(typed.shift() ?? '');
  };
  const code = await runCommand(args, options.environment, {
    columns: options.columns,
    isInteractive: options.typed !== undefined,
    print: (text) => void printed.push(text),
    printLines: (lines) => void printed.push(lines.map(({ text }) => text).join('\n')),
    tell: (text) => void told.push(text),
    ask,
    promptSecret: ask,
    readInput: () => Promise.resolve(Buffer.from(options.input ?? '')),
  });
  return { code, printed: printed.join('\n'), told: told.join('\n'), questions };
}
