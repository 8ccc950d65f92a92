// Runs Temporal's development server for one data folder (or in memory), with Odette's search attributes registered.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/messages.ts';
import { endRecordedChild, recordChild } from './child-record.ts';

const READY_WITHIN_MS = 60_000;
const RETENTION_SECONDS = 30 * 86_400;

export interface EmbeddedTemporal {
  readonly address: string;
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface EmbeddedTemporalOptions {
  /** The `temporal` program (scripts/temporal-server.mjs finds it). */
  readonly program: string;
  /** Holds the database, the log and the record of the process. Absent: everything is in memory. */
  readonly folder?: string;
  readonly port: number;
  /** Absent: no UI. */
  readonly ui?: { readonly port: number };
  /** Dynamic configuration: name → JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
}

/** @throws Error when the server does not respond within a minute or ends before */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const { folder } = options;
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await endLeftTemporal(folder);
  }
  const child = spawn(options.program, startArguments(options), {
    // Its own group: Ctrl-C in the terminal reaches the launcher, which stops the server after its clients.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let lastWords = '';
  const log =
    folder === undefined
      ? undefined
      : createWriteStream(path.join(folder, 'temporal.log'), { flags: 'a', mode: 0o600 });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log?.write(chunk);
      lastWords = (lastWords + chunk.toString()).slice(-1000);
    });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const ended = () => {
      hasEnded = true;
      log?.end();
      resolve();
    };
    child.once('error', ended);
    child.once('close', ended);
  });
  const stop = async () => {
    if (!hasEnded) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  const address = `127.0.0.1:${options.port}`;
  try {
    if (folder !== undefined && child.pid !== undefined) await recordChild(recordFile(folder), child.pid);
    await becomeReady(address, () => hasEnded);
  } catch (error) {
    await stop();
    throw new Error(
      `The Temporal server did not start: ${lastWords.trim().split('\n').at(-1) || String(error)}`,
    );
  }
  return { address, pid: child.pid ?? 0, ended, stop };
}

/** Ends the server that a killed launcher left behind. */
export async function endLeftTemporal(folder: string): Promise<void> {
  await endRecordedChild(recordFile(folder), 10_000);
}

const recordFile = (folder: string) => path.join(folder, 'temporal.pid.json');

/** What Temporal's history service does by itself. */
const QUEUES = ['timer', 'memoryTimer', 'transfer', 'visibility'] as const;
/**
 * Of each queue. All of them share one connection to one file: of 512, the server's default, most wait past their deadline of 3 s as
 * soon as a write takes 6 ms, and are done again, so that a busy server gets slower and slower and does not recover by itself.
 */
const AT_ONCE = 8;

function startArguments({ folder, port, ui, dynamicConfig }: EmbeddedTemporalOptions): string[] {
  const types = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;
  const config: Record<string, string> = {
    // Timers of the development server otherwise fire up to a second late.
    'history.timerProcessorMaxTimeShift': '"20ms"',
    // Asks the vendor's host for news of versions.
    'frontend.enableServerVersionCheck': 'false',
    // Between integrations of one lane (domain/lanes.ts).
    'matching.enableFairness': 'true',
    // `TemporalReportedProblems` of a workflow whose task fails so often.
    'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': '3',
    ...Object.fromEntries(
      QUEUES.map((queue) => [`history.${queue}ProcessorSchedulerWorkerCount`, String(AT_ONCE)]),
    ),
    ...dynamicConfig,
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
    ...['--log-level', 'error', '--log-format', 'json'],
    ...(folder === undefined
      ? []
      : [
          ...['--db-filename', path.join(folder, 'temporal.sqlite')],
          ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
        ]),
    ...(ui === undefined ? ['--headless'] : [...['--ui-port', String(ui.port), '--ui-disable-news-fetch']]),
    ...Object.values(searchAttributes).flatMap(({ name, type }) => [
      '--search-attribute',
      `${name}=${types[type]}`,
    ]),
    ...Object.entries(config).flatMap(([name, json]) => ['--dynamic-config-value', `${name}=${json}`]),
  ];
}

/** Responds, and its namespace is there; closed workflows are kept for 30 days instead of the development server's one. */
async function becomeReady(address: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2000 });
      try {
        // The type wants a Long; the encoder takes a number as well.
        await connection.workflowService.updateNamespace({
          namespace: 'default',
          config: { workflowExecutionRetentionTtl: { seconds: RETENTION_SECONDS as never } },
        });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (hasEnded() || Date.now() > deadline) throw error;
      await pause(50);
    }
  }
}
