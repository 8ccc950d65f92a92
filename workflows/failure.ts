// The one place where a workflow fails on purpose, and where it reads why an activity failed.
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TimeoutFailure,
  type TemporalFailure,
} from '@temporalio/workflow';
import { rolloutFailureText } from '../domain/rollout-failure.ts';
import { FAILURES, failureCodeOf, type FailureCode } from '../domain/failures.ts';

/**
 * Closes the workflow as Failed. Its type is the code, its message the words (title, the device's own, remedy), which are sealed.
 * @param error what an activity said is kept as the cause; a failure of the workflow's own making says nothing more
 */
export function failedBecause(
  code: FailureCode,
  { words = code, error }: { readonly words?: string; readonly error?: TemporalFailure } = {},
): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: code,
    message: words,
    nonRetryable: true,
    ...(error instanceof ActivityFailure && { cause: error }),
  });
  // It failed on purpose: lines of code in the Temporal UI would only hide the reason.
  failure.stack = '';
  return failure;
}

/** The catalogued reason of a failed activity. A cancellation is thrown on. */
export function failureCodeOfActivity(error: unknown): FailureCode {
  if (isCancellation(error)) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  // Of one whose patience is over, what it said last is the reason. Else no worker, or no answer in time: nobody has said what is wrong.
  if (cause instanceof TimeoutFailure && !(cause.cause instanceof ApplicationFailure))
    return 'server.unavailable';
  const said = cause instanceof TimeoutFailure ? cause.cause : cause;
  return failureCodeOf(said instanceof ApplicationFailure ? said.type : undefined);
}

/** For a `catch` of what records a failure: what failed may keep that from the tables, too, and Odette's own words are all there is. */
export const ownWordsOf =
  (code: FailureCode) =>
  (error: unknown): string => {
    if (isCancellation(error)) throw error;
    return rolloutFailureText(code);
  };

/** The same of what goes on beside the workflow's own course, where nobody would catch what is thrown. undefined: it was canceled with the workflow. */
export const failureCodeBeside = (error: unknown): FailureCode | undefined =>
  isCancellation(error) ? undefined : failureCodeOfActivity(error);

/** Trying again soon changes nothing: somebody has to act first. */
export const needsPerson = (code: FailureCode): boolean =>
  !FAILURES[code].isRetried && FAILURES[code].owner !== 'nobody';

/**
 * For the end of a switch over actions: a plan of a newer worker may hold an action that this one does not know. A plain error fails the
 * workflow task and not the workflow, so that the newer worker takes it over.
 */
export const unknownAction = (action: never): Error =>
  new Error(`This worker does not know the action ${JSON.stringify(action)}.`);
