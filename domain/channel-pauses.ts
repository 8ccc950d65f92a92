// When a channel that tells nothing by itself is asked again: soon after a command was given, and ever less often while nothing comes.

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** What became of the commands of a device that is awake is known within moments; one that sleeps is asked about every few minutes. */
const MIN_QUESTION_PAUSE_MS = SECOND_MS;
const MAX_QUESTION_PAUSE_MS = 5 * MINUTE_MS;

/** @param ageMs since the youngest command that nothing is known of was given, milliseconds */
export const nextQuestionInMs = (ageMs: number): number =>
  Math.min(Math.max(ageMs / 4, MIN_QUESTION_PAUSE_MS), MAX_QUESTION_PAUSE_MS);

/** Which devices the other server has; at most so late is it known that one came or left, unless a question about it says so before. */
export const READ_DEVICES_EVERY_MS = 5 * MINUTE_MS;

const FIRST_RETRY_MS = 5 * SECOND_MS;

/** @param failures in a row, from 1 · @param retryAfterMs as the server asked for */
export const retryInMs = (failures: number, retryAfterMs: number | undefined): number =>
  Math.max(
    Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), READ_DEVICES_EVERY_MS),
    // A server may ask for an hour; longer it is a mistake.
    Math.min(retryAfterMs ?? 0, 60 * MINUTE_MS),
  );
