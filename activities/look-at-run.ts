// Whether what runs in Temporal under the id of a workflow of Odette's is that workflow: whoever reaches the server can start another there, on
// a task queue of their own, which takes Odette's signals and does nothing.
import type { Client } from '@temporalio/client';
import { TASK_QUEUE } from '../workflows/messages.ts';

/** none: never, or closed by itself. ended: by somebody. replaced: by a run that is not Odette's, which is ended now. */
export type FoundRun = 'running' | 'none' | 'ended' | 'replaced';

export async function lookAtRun(client: Client, workflowId: string, type: string): Promise<FoundRun> {
  try {
    const found = await client.workflow.getHandle(workflowId).describe();
    if (found.status.name === 'TERMINATED' || found.status.name === 'CANCELLED') return 'ended';
    if (found.status.name !== 'RUNNING') return 'none';
    if (found.taskQueue === TASK_QUEUE && found.type === type) return 'running';
    // This very run: the right one may have taken its place meanwhile.
    await client.workflow.getHandle(workflowId, found.runId).terminate('not started by Odette');
    return 'replaced';
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return 'none';
    throw error;
  }
}
