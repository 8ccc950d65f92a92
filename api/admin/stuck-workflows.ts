// Workflows whose task fails again and again: they run, and nothing of theirs goes on.
import type { Client } from '@temporalio/client';
import { stuckText, type StuckWorkflow } from '../../domain/workflow-problems.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';

const QUERY = `ExecutionStatus = 'Running' AND TaskQueue = '${TASK_QUEUE}' AND TemporalReportedProblems IS NOT NULL`;
const PATIENCE_MS = 2_000;
const MAX_READ = 20;

/** What an operator is told; undefined: there is none, or Temporal is away, which is said elsewhere. */
export async function stuckWorkflowsText(temporal: Client): Promise<string | undefined> {
  try {
    return await temporal.withDeadline(Date.now() + PATIENCE_MS, async () => {
      const { count } = await temporal.workflow.count(QUERY);
      if (count === 0) return undefined;
      const stuck: StuckWorkflow[] = [];
      for await (const run of temporal.workflow.list({ query: QUERY, pageSize: MAX_READ })) {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server alone writes it: no key of Odette's names it
        const problems = run.searchAttributes['TemporalReportedProblems'] ?? [];
        stuck.push({ workflowId: run.workflowId, problems: problems.map(String) });
        if (stuck.length === MAX_READ) break;
      }
      return stuckText(count, stuck);
    });
  } catch {
    return undefined;
  }
}
