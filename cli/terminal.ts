// What `odette` reads from and writes to: answers on standard output, everything said beside them on standard error.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { withEscapedControls } from '../domain/recorded-text.ts';

export interface Terminal {
  /** Somebody sits there and can be asked. */
  readonly isInteractive: boolean;
  /** Characters that one line of the answer holds; undefined: no limit, a program reads it. */
  readonly columns?: number | undefined;
  /** The answer of the command. */
  print(text: string): void;
  /** Progress and errors. */
  tell(text: string): void;
  ask(question: string): Promise<string>;
  /** What is typed is not shown. */
  promptSecret(question: string): Promise<string>;
  /** All of standard input. */
  readInput(): Promise<Buffer>;
}

/** As a program ends that is stopped by SIGPIPE. */
const PIPE_CLOSED = 128 + 13;

export function processTerminal(): Terminal {
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

/** Whoever named a device, or wrote what is shown, does not steer the terminal of who reads it. */
export const steeredByNobody = (terminal: Terminal): Terminal => ({
  ...terminal,
  print: (text) => terminal.print(withEscapedControls(text)),
  tell: (text) => terminal.tell(withEscapedControls(text)),
  ask: (question) => terminal.ask(withEscapedControls(question)),
  promptSecret: (question) => terminal.promptSecret(withEscapedControls(question)),
});

/** Day and minute, in UTC; instants travel as ISO 8601. */
export const moment = (instant: string | null): string =>
  instant === null ? '–' : `${instant.slice(0, 16).replace('T', ' ')} UTC`;
