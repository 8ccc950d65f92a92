// Looks again and again for responses that a channel should have told and did not (activities/overdue-responses.ts).
import type { ActivityDependencies } from '../activities/index.ts';
import { requestOverdueResponses } from '../activities/overdue-responses.ts';
import type { RelayLog } from './relay-loop.ts';
import { repeat } from './repeated-work.ts';

const LOOKS_EVERY_MS = 5_000;

/** Starts at once; `stop` ends it when what is under way is done. */
export function startOverdueResponses(
  dependencies: ActivityDependencies,
  log: RelayLog,
): { stop(): Promise<void> } {
  const ending = new AbortController();
  const looking = repeat({
    database: dependencies.database,
    log,
    signal: ending.signal,
    name: 'overdue responses',
    work: async () => {
      await requestOverdueResponses(dependencies, ending.signal);
      return LOOKS_EVERY_MS;
    },
  });
  return {
    async stop() {
      ending.abort();
      await looking;
    },
  };
}
