// Another user of the machine: runs a few lines of JavaScript as a uid that is not ours.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** An unused uid, outside the range that the embedded database takes its own from. */
export const STRANGER = 61_500;

export const isRoot = (): boolean => process.getuid?.() === 0;

/** @returns what the lines wrote to standard output and error */
export async function runAs(uid: number, script: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['-e', script, ...args], {
    uid,
    gid: uid,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
  await once(child, 'close');
  return said.trim();
}
