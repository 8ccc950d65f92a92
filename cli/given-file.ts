// Files that are named on the command line; `-` is standard input.
import { readFile } from 'node:fs/promises';
import { CliError, EXIT } from './exits.ts';
import type { Terminal } from './terminal.ts';

/** @throws CliError it cannot be read */
export async function readGiven(file: string, terminal: Terminal): Promise<Buffer> {
  if (file === '-') return terminal.readInput();
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CliError(EXIT.usage, `Cannot read ${file} (${code}).`);
  }
}

/** A secret in a file of its own: without the line end that editors add. */
export const readSecret = async (file: string, terminal: Terminal): Promise<string> =>
  (await readGiven(file, terminal)).toString('utf8').replace(/\r?\n$/, '');
