// Starts one of our own TypeScript processes, keeps its log in a file, and knows when it is ready.
import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { endRecordedChild, recordChild } from './child-record.ts';
import { ProcessLog } from './process-log.ts';
import { programAt, type ProgramName } from './program.ts';
import type { Part } from './supervise.ts';

const STOP_WITHIN_MS = 30_000;
/** What a killed launcher left ends by itself; a new start need not wait for the end of its work, which is done again. */
const LEFT_WITHIN_MS = 5_000;

export interface NodeProcessOptions {
  readonly name: string;
  readonly program: ProgramName;
  readonly environment: NodeJS.ProcessEnv;
  /** Logs and records are kept below it. */
  readonly folder: string;
}

export interface NodeProcess extends Part {
  readonly pid: number;
  /** What the process said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
}

/**
 * Resolves when the process is ready: it sends `{ ready: true }` to its parent or prints it as a line of JSON.
 * @throws Error with the process's last lines when it ends before
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const { name, program, environment, folder } = options;
  const record = path.join(recordsIn(folder), `${name}.json`);
  await mkdir(path.dirname(record), { recursive: true, mode: 0o700 });
  await endRecordedChild(record, LEFT_WITHIN_MS);
  const log = await ProcessLog.open(path.join(folder, 'logs'), name);
  const { args, cwd } = programAt(program);
  const child = spawn(process.execPath, args, {
    cwd,
    env: environment,
    // Its own group: Ctrl-C in the terminal reaches only the launcher, which stops the parts in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lastLines: string[] = [];
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const ended = (): void => {
      hasEnded = true;
      void log.end();
      resolve();
    };
    child.once('error', ended);
    child.once('close', ended);
  });
  const isReady = new Promise<Record<string, unknown> | undefined>((resolve) => {
    void ended.then(() => resolve(undefined));
    const onMessage = (message: unknown): void => {
      if (typeof message === 'object' && message !== null && 'ready' in message) resolve({ ...message });
    };
    child.on('message', onMessage);
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream ?? Readable.from([])).on('line', (line) => {
        log.write(line);
        lastLines.push(line);
        if (lastLines.length > 10) lastLines.shift();
        if (line.startsWith('{"ready":true')) onMessage(JSON.parse(line));
      });
  });
  if (child.pid !== undefined) await recordChild(record, child.pid);
  const ready = await isReady;
  if (ready === undefined) throw new Error(whyItEnded(name, lastLines));
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    async stop() {
      if (!hasEnded) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

const recordsIn = (folder: string): string => path.join(folder, 'processes');

/** Ends the processes that a killed launcher of this folder left behind. */
export async function endLeftProcesses(folder: string): Promise<void> {
  const names = await readdir(recordsIn(folder)).catch(() => []);
  await Promise.all(
    names.map((name) => endRecordedChild(path.join(recordsIn(folder), name), LEFT_WITHIN_MS)),
  );
}

// Plain lines are written for people; of a line of the log its message and its error's are the second best.
function whyItEnded(name: string, lines: readonly string[]): string {
  const plain = lines.filter((line) => !line.startsWith('{'));
  const said = (plain.length > 0 ? plain : lines.map(messageOf)).slice(-5).join('\n  ');
  return `${name} ended before it was ready${said ? `:\n  ${said}` : '.'}`;
}

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [msg, err?.message].filter((part) => part !== undefined).join(': ');
  } catch {
    return line;
  }
}
