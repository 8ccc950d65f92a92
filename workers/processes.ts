// Looks at and ends processes that an earlier, killed run left behind.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** The process's command line, or undefined when no such process runs. */
export function commandOf(pid: number): string | undefined {
  return process.platform === 'linux' ? readProc(pid, 'cmdline')?.replaceAll('\0', ' ') : ps(pid, 'command=');
}

/** When the process started, in a form that only compares: a pid that was given to another process has another value. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const text = readProc(pid, 'stat');
  // The name in parentheses may hold spaces; field 22 counts from the one behind it.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

/** Runs and is no zombie. */
export function isRunning(pid: number): boolean {
  if (process.platform !== 'linux') return !(ps(pid, 'stat=') ?? 'Z').startsWith('Z');
  const text = readProc(pid, 'stat');
  return text !== undefined && text.charAt(text.lastIndexOf(')') + 2) !== 'Z';
}

/** Asks with `signal`, waits, then kills. */
export async function endProcess(
  pid: number,
  options: { readonly signal: NodeJS.Signals; readonly patienceMs: number },
): Promise<void> {
  send(pid, options.signal);
  const deadline = Date.now() + options.patienceMs;
  while (isRunning(pid) && Date.now() < deadline) await pause(50);
  if (!isRunning(pid)) return;
  send(pid, 'SIGKILL');
  for (let turn = 0; turn < 100 && isRunning(pid); turn += 1) await pause(50);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}

function ps(pid: number, field: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', field, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return text.trim() || undefined;
  } catch {
    return undefined;
  }
}
