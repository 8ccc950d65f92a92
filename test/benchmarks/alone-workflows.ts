// Workflows in the shape of a rollout's, with nothing in them (temporal-alone.ts).
import {
  condition,
  defineSignal,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

export interface Conversations {
  /** The device is asked so often, and answers each time. */
  readonly rounds: number;
  /** Local ones before each question. */
  readonly activities: number;
}

export interface AloneActivities {
  nothing(): Promise<void>;
  /** Has the answer signaled. */
  ask(workflowId: string): Promise<void>;
}

const { nothing, ask } = proxyLocalActivities<AloneActivities>({ startToCloseTimeout: '10 seconds' });
export const answeredSignal = defineSignal('answered');

export async function converse({ rounds, activities }: Conversations): Promise<void> {
  let answered = 0;
  setHandler(answeredSignal, () => void (answered += 1));
  for (let round = 1; round <= rounds; round += 1) {
    for (let done = 1; done < activities; done += 1) await nothing();
    await ask(workflowInfo().workflowId);
    await condition(() => answered >= round, '1 hour');
  }
  await nothing();
}
