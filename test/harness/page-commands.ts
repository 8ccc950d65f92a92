// The commands of a page of the documentation: taken out of its fenced blocks, and run as a reader would, in one shell.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FENCE = /^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm;

/** A chapter's text, from its heading to the next of the same depth; all of the page without one. */
export async function readPage(page: string, heading?: string): Promise<string> {
  const text = await readFile(new URL(page, `file://${ROOT}`), 'utf8');
  if (heading === undefined) return text;
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`${page} has no heading ${heading}`);
  const depth = heading.split(' ', 1)[0] ?? '';
  const to = text.indexOf(`\n${depth} `, from + heading.length);
  return text.slice(from, to < 0 ? undefined : to);
}

/** @throws Error for a block that nobody would run: every block of such a page is commands */
export function commandsIn(text: string): string[] {
  return [...text.matchAll(FENCE)].map(([, indent = '', language, body = '']) => {
    if (language !== 'sh') throw new Error(`a block of “${language}” among the commands`);
    return body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
  });
}

/** Runs commands in the clone, in one shell that stops at the first one that fails. */
export function runCommands(
  commands: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
  return new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', (code) => resolve({ code, said }));
  });
}
