// Keeps a part of the installation running: one that ends by itself is started again, sooner at first and then more slowly.
import { setTimeout as pause } from 'node:timers/promises';

export interface Part {
  /** Resolves when the part has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

const BACK_OFF_MS = [200, 500, 1000, 2000, 5000, 10_000];
/** A part that ran this long was well: the next restart is quick again. */
const WELL_AFTER_MS = 60_000;

/**
 * Resolves when the part has started for the first time; rejects when it does not. `stop` ends it for good.
 * @param options.start also called for every restart
 */
export async function supervise(options: {
  readonly name: string;
  readonly start: () => Promise<Part>;
  readonly say: (line: string) => void;
}): Promise<{ stop(): Promise<void> }> {
  const { name, start, say } = options;
  const stopping = new AbortController();
  let part = await start();

  const watch = async (): Promise<void> => {
    for (let failures = 0; ;) {
      const began = Date.now();
      await part.ended;
      if (stopping.signal.aborted) return;
      failures = Date.now() - began > WELL_AFTER_MS ? 0 : failures;
      for (let isUp = false; !isUp; failures += 1) {
        const wait = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 0;
        say(`${name} ended. Odette restarts it in ${wait / 1000} s.`);
        await pause(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (stopping.signal.aborted) return;
        isUp = await start().then(
          (started) => {
            part = started;
            return true;
          },
          (error: unknown) => {
            say(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
            return false;
          },
        );
      }
      // Asked to stop while it was starting.
      if (stopping.signal.aborted) await part.stop();
      else say(`${name} runs again.`);
    }
  };
  const watching = watch();

  return {
    async stop() {
      stopping.abort();
      await part.stop();
      await watching;
    },
  };
}
