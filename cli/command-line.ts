// What every subject of the command line is given, and how it shows its answer.
import type { Command } from 'commander';
import { CliError, EXIT } from './exits.ts';
import { odetteClient, type OdetteClient } from './odette-client.ts';
import { findServer } from './find-server.ts';
import { laidOut, type Line } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface CommandLine {
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  connect(options?: { readonly patienceMs?: number }): Promise<OdetteClient>;
  /** As people read it, or as JSON. */
  show(options: JsonOption, value: unknown, lines: () => readonly Line[]): void;
  /** How the process ends when nothing was thrown. */
  exitCode: number;
}

export interface JsonOption {
  readonly json?: true;
}

export function createCommandLine(environment: NodeJS.ProcessEnv, terminal: Terminal): CommandLine {
  return {
    environment,
    terminal,
    exitCode: EXIT.done,
    connect: async (options) =>
      odetteClient(await findServer(environment), { ...options, tell: (text) => terminal.tell(text) }),
    show(options, value, lines) {
      if (options.json) terminal.print(JSON.stringify(value, null, 2));
      else terminal.printLines(laidOut(lines(), terminal.columns), false);
    },
  };
}

/** A command of its own, with `--json`. */
export const jsonCommand = (parent: Command, usage: string, description: string): Command =>
  parent.command(usage).description(description).option('--json', 'print the response or the error as JSON');

/** @throws CliError unless the answer is yes; who cannot be asked must have said so on the command line */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  if (!terminal.isInteractive)
    throw new CliError(EXIT.unfinished, question, 'Run the command again with --yes.');
  const answer = (await terminal.ask(`${question} [y/N] `)).trim().toLowerCase();
  if (!['y', 'yes'].includes(answer)) throw new CliError(EXIT.unfinished, 'No changes made.');
}

export { plural } from '../domain/plural.ts';

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];
