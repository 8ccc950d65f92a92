// A local activity that fails again and again with what no code of the catalogue names, a bug or a row that nobody expected, ends at last, so that
// somebody is told. What has a code is tried as the catalogue says: a database that is away is waited for.
import { TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { givenUp } from '../activities/as-failure.ts';

/** By the intervals of workflows/policies.ts a quarter of an hour, or half of one. What met a deadlock has long succeeded by then. */
const MAX_TRIES = 36;

export const endsLastingErrors: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        const isOver = info.isLocal && info.attempt >= MAX_TRIES;
        if (isOver && error instanceof Error && !(error instanceof TemporalFailure)) throw givenUp(error);
        throw error;
      }
    },
  },
});
