// The one place where a workflow fails on purpose, and where it reads why an activity failed.
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FAILURES, isFailureCode, type FailureCode } from '../domain/failures.ts';

/** Closes the workflow as Failed; type and message are the code. */
export const failedBecause = (code: FailureCode): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message: code, nonRetryable: true });

/** The catalogued reason of a failed activity. A cancellation is thrown on. */
export function reasonOf(error: unknown): FailureCode {
  if (isCancellation(error)) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  return type !== undefined && type !== null && isFailureCode(type) ? type : 'server.failed';
}

/** Trying again soon changes nothing: somebody has to act first. */
export const needsPerson = (code: FailureCode): boolean =>
  !FAILURES[code].isRetried && FAILURES[code].whoActs !== 'nobody';
