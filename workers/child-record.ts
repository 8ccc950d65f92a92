// Remembers on disk which process was started for a folder, so that the next start can end what a killed one left behind.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { endProcess, isRunning, startOf } from './processes.ts';

interface ChildRecord {
  readonly pid: number;
  /** Tells the process from a later one with the same pid. */
  readonly start: string;
}

export async function recordChild(file: string, pid: number): Promise<void> {
  const start = startOf(pid);
  if (start !== undefined)
    await writeFile(file, JSON.stringify({ pid, start } satisfies ChildRecord), { mode: 0o600 });
}

/** Ends the process of the record if it still runs, and removes the record. Resolves with whether there was one. */
export async function endRecordedChild(file: string, patienceMs: number): Promise<boolean> {
  const record = await readRecord(file);
  const isLeft = record !== undefined && isRunning(record.pid) && startOf(record.pid) === record.start;
  if (isLeft) await endProcess(record.pid, { signal: 'SIGTERM', patienceMs });
  await rm(file, { force: true });
  return isLeft;
}

async function readRecord(file: string): Promise<ChildRecord | undefined> {
  try {
    const { pid, start } = JSON.parse(await readFile(file, 'utf8')) as ChildRecord;
    return Number.isSafeInteger(pid) && pid > 1 ? { pid, start } : undefined;
  } catch {
    return undefined;
  }
}
