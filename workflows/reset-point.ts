// Where a reset lets a rollout that failed begin again: the number of a Workflow Task Completed event, as the Temporal UI asks for it. Which one it
// is for which failure stands in docs/operations-guide.md, whose script finds the same one in the history.
import { workflowInfo } from '@temporalio/workflow';
import type { FailureCode } from '../domain/failures.ts';

/** The event that will complete the present workflow task: it follows the newest one that the task knows. */
const presentTask = (): number => workflowInfo().historyLength + 1;

/** Nothing failed, and nothing came. A certificate or a license that did not come has a reason of its own. */
const OUT_OF_PATIENCE: readonly FailureCode[] = ['mdm.device_silent', 'mdm.not_enrolled'];

export class ResetPoint {
  readonly #beginning = presentTask();
  #wait = this.#beginning;
  readonly #failed = new Map<FailureCode, number>();

  /** A timer of the patience starts now. */
  waits(): void {
    this.#wait = presentTask();
  }

  /** An activity is scheduled now; call the result with its failure, or with what there will be without its success. */
  schedules(): (code: FailureCode) => void {
    const event = presentTask();
    return (code) => this.#failed.set(code, event);
  }

  /** @param code why the rollout failed */
  eventFor(code: FailureCode): number {
    return OUT_OF_PATIENCE.includes(code) ? this.#wait : (this.#failed.get(code) ?? this.#beginning);
  }
}
