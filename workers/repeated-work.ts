// Work that is looked for again and again by a process: after as long as it says itself, or as soon as PostgreSQL tells of news.
import type { Database } from '../adapters/store/base/database.ts';
import type { RelayLog } from './relay-loop.ts';

interface RepeatedWork {
  readonly database: Database;
  readonly log: RelayLog;
  /** Ends the repetition when what is under way is done. */
  readonly signal: AbortSignal;
  /** In the log, when the work throws: what cannot be done. */
  readonly name: string;
  /** Returns how long to pause, milliseconds. */
  readonly work: () => Promise<number>;
  /** A NOTIFY that ends a pause. */
  readonly channel?: string;
}

const AFTER_FAILURE_MS = 5_000;

/** Resolves when it has ended. */
export async function repeat({ database, log, signal, name, work, channel }: RepeatedWork): Promise<void> {
  let wake: () => void = () => undefined;
  let stopListening: (() => Promise<void>) | undefined;
  signal.addEventListener('abort', () => wake());
  while (!signal.aborted) {
    let waitMs = AFTER_FAILURE_MS;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    try {
      if (channel !== undefined) stopListening ??= await database.listen(channel, () => wake());
      waitMs = await work();
    } catch (error) {
      log.warn({ err: error }, `${name} cannot be read or written; trying again`);
    }
    if (signal.aborted) break;
    const timer = setTimeout(() => wake(), waitMs);
    await woken;
    clearTimeout(timer);
  }
  await stopListening?.().catch(() => undefined);
}
