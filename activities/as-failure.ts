// The only place that makes a Temporal failure of an error: the catalogue decides whether it is tried again, and after how long.
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { CataloguedError, FAILURES, type FailureCode } from '../domain/failures.ts';

/** Type and message are the code alone: a history lives long, and its failure types are never encrypted. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof CataloguedError)) return error;
  const failure = ApplicationFailure.create({
    type: error.code,
    message: error.code,
    nonRetryable: !FAILURES[error.code].isRetried,
    details: [error.facts],
    ...(error.retryAfterMs === undefined
      ? {}
      : { nextRetryDelay: error.retryAfterMs, category: ApplicationFailureCategory.BENIGN }),
  });
  // It is expected: lines of code in the Temporal UI would only hide the reason.
  failure.stack = '';
  return failure;
}

/** Of what no code names, once it has failed for too long (workers/lasting-errors.ts): it is not tried again. The cause is for the worker's log. */
export function givenUp(cause: Error): ApplicationFailure {
  const code: FailureCode = 'server.failed';
  return ApplicationFailure.create({ type: code, message: code, nonRetryable: true, cause });
}

type AnyActivity = (input: never) => Promise<unknown>;

/** Every activity of a group, with its errors turned into failures. */
export function withFailures<Group extends Record<keyof Group, AnyActivity>>(group: Group): Group {
  const wrapped = Object.entries<AnyActivity>(group).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        return await activity(input);
      } catch (error) {
        throw asFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Group;
}
