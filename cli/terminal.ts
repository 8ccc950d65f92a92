// What `odette` reads from and writes to: answers on standard output, everything said beside them on standard error.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { withEscapedControls } from '../domain/recorded-text.ts';

/** What a line is, for who sees colors: none says anything that its words do not say. */
export type Tone = 'head' | 'good' | 'waits' | 'bad' | 'past';

export interface TonedLine {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

export interface Terminal {
  /** Somebody sits there and can be asked. */
  readonly isInteractive: boolean;
  /** Characters that one line of the answer holds; undefined: no limit, a program reads it. */
  readonly columns?: number | undefined;
  /** The answer of the command. */
  print(text: string): void;
  /** The same, line by line; `again`: what changed since, in the place of the last lines where that can be. */
  printLines(lines: readonly TonedLine[], again: boolean): void;
  /** Progress and errors. */
  tell(text: string): void;
  ask(question: string): Promise<string>;
  /** What is typed is not shown. */
  promptSecret(question: string): Promise<string>;
  /** All of standard input. */
  readInput(): Promise<Buffer>;
}

const STYLES = { head: 'bold', good: 'green', waits: 'yellow', bad: 'red', past: 'dim' } as const;

/** As a program ends that is stopped by SIGPIPE. */
const PIPE_CLOSED = 128 + 13;

export function processTerminal(environment: NodeJS.ProcessEnv): Terminal {
  // Whoever read the answer has seen enough (`odette devices | head -1`).
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(PIPE_CLOSED);
    });
  const ask = async (question: string, isHidden: boolean): Promise<string> => {
    process.stderr.write(question);
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!isHidden) process.stderr.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input: process.stdin, output, terminal: true });
    // Ctrl-C at a question ends the command.
    lines.once('SIGINT', () => process.exit(130));
    try {
      return await lines.question('');
    } finally {
      lines.close();
      if (isHidden) process.stderr.write('\n');
    }
  };
  return {
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    print: (text) => void process.stdout.write(`${text}\n`),
    printLines: linePrinter(process.stdout, showsColors(environment)),
    tell: (text) => void process.stderr.write(`${text}\n`),
    ask: (question) => ask(question, false),
    promptSecret: (question) => ask(question, true),
    async readInput() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
  };
}

/** https://no-color.org: set and not empty. */
const showsColors = ({ NO_COLOR: noColor, TERM: term }: NodeJS.ProcessEnv): boolean =>
  (noColor ?? '') === '' && term !== 'dumb';

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Prints lines; into a file, or for a program that reads them, in no color and one below the other. */
export function linePrinter(output: Output, colors: boolean): Terminal['printLines'] {
  let height = 0;
  return (lines, again) => {
    const { isTTY = false, columns = 80, rows = 24 } = output;
    // Lines above the screen cannot be reached any more.
    const back = Math.min(height, rows - 1);
    // ECMA-48: CPL to the first of the last lines, ED below it.
    const start = !again ? '' : isTTY && back > 0 ? `\u001b[${back}F\u001b[J` : isTTY ? '' : '\n';
    const painted = lines.map(({ text, tone }) =>
      tone === undefined || !isTTY || !colors
        ? text
        : styleText(STYLES[tone], text, { validateStream: false }),
    );
    output.write(`${start}${painted.join('\n')}\n`);
    height = lines.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(text.length / columns)), 0);
  };
}

/** Whoever named a device, or wrote what is shown, does not steer the terminal of who reads it. */
export const steeredByNobody = (terminal: Terminal): Terminal => ({
  ...terminal,
  print: (text) => terminal.print(withEscapedControls(text)),
  printLines: (lines, again) =>
    terminal.printLines(
      lines.map(({ text, tone }) => ({ text: withEscapedControls(text), tone })),
      again,
    ),
  tell: (text) => terminal.tell(withEscapedControls(text)),
  ask: (question) => terminal.ask(withEscapedControls(question)),
  promptSecret: (question) => terminal.promptSecret(withEscapedControls(question)),
});

/** Day and minute, in UTC; instants travel as ISO 8601. */
export const moment = (instant: string | null): string =>
  instant === null ? '–' : `${instant.slice(0, 16).replace('T', ' ')} UTC`;
