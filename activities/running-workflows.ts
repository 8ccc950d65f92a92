// What runs in Temporal under the ids of Odette's workflows, for a whole page of devices with one list query: whoever reaches the server can end
// a workflow, or start another in its place, on a task queue of their own, which takes Odette's signals and does nothing.
import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import { TASK_QUEUE } from '../workflows/messages.ts';

export interface FoundWorkflows {
  /** Ids under which Odette's own workflow runs. */
  readonly running: ReadonlySet<string>;
  /** Runs that were not Odette's; they are ended now. */
  readonly replaced: number;
}

export async function findRunning(
  client: Client,
  type: string,
  workflowIds: readonly string[],
): Promise<FoundWorkflows> {
  const running = new Set<string>();
  const ended = new Set<string>();
  if (workflowIds.length === 0) return { running, replaced: 0 };
  for await (const run of client.workflow.list({
    query: `ExecutionStatus = 'Running' AND ${among(workflowIds)}`,
  })) {
    if (run.taskQueue === TASK_QUEUE && run.type === type) running.add(run.workflowId);
    // This very run: the right one may have taken its place meanwhile.
    else if (await isEnded(client, run)) ended.add(run.workflowId);
  }
  // Lists lag behind: beside a run that could be ended, another of its id ran before it.
  for (const id of ended) running.delete(id);
  return { running, replaced: ended.size };
}

/** false: it had closed already. */
async function isEnded(client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId, runId).terminate('not started by Odette');
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** How many of these ids have a newest run that somebody terminated or canceled. */
export async function countEnded(client: Client, workflowIds: readonly string[]): Promise<number> {
  if (workflowIds.length === 0) return 0;
  const newest = new Map<string, string>();
  // The newest first.
  for await (const { workflowId, status } of client.workflow.list({ query: among(workflowIds) }))
    if (!newest.has(workflowId)) newest.set(workflowId, status.name);
  return [...newest.values()].filter((status) => status === 'TERMINATED' || status === 'CANCELLED').length;
}

/** The ids are Odette's own: words and UUIDs. */
const among = (workflowIds: readonly string[]): string =>
  `WorkflowId IN (${workflowIds.map((id) => `'${id}'`).join(', ')})`;
