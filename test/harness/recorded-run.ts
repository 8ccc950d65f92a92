// A run of a rollout as its first plan records it (adapters/store/rollout/trust.ts), without the rest of a plan.
import type { Sql } from '../../adapters/store/base/database.ts';

export async function insertRun(
  sql: Sql,
  run: { readonly runId: string; readonly deviceId: string; readonly workflowId: string },
  at: Date,
): Promise<void> {
  await sql.query(
    'insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ($1, $2, $3, $4)',
    [run.runId, run.deviceId, run.workflowId, at],
  );
}
