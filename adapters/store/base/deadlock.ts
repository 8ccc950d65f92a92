// Two transactions that wait for each other: PostgreSQL ends one of them, whose work is then as good as never begun.
import { hasSqlState } from './sql-state.ts';

const MAX_ATTEMPTS = 3;

export const isDeadlock = (error: unknown): boolean => hasSqlState(error, 'deadlock_detected');

/** For what nobody will ask for again: `work`, a whole transaction, is repeated where a deadlock ended it. */
export async function repeatedAfterDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isDeadlock(error)) throw error;
    }
  }
}
