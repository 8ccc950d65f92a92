// One local try of an activity that may take longer: where it does not end well, the ordinary activity goes on.
import { isCancellation } from '@temporalio/workflow';

/** undefined: it failed, or took too long. */
export async function inPassing<Outcome>(attempt: Promise<Outcome>): Promise<Outcome | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}
