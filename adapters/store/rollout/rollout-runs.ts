// Runs of rollOutDevice: how each ended; its first plan records when it began (trust.ts). Outcomes are kept here longer than Temporal keeps its
// histories.
import type { Sql } from '../base/database.ts';
import { notifyingOver } from '../devices/long-polls.ts';

/** A request of its device that waited for it waits no longer. */
export async function recordRunEnd(
  sql: Sql,
  runId: string,
  outcome: 'completed' | 'failed',
  failureCode: string | null,
  at: Date,
): Promise<void> {
  await sql.query(
    `with ended as (update rollout_runs set closed_at = $4, outcome = $2, failure_code = $3 where run_id = $1 returning device_id)
     select ${notifyingOver('device_id')} from ended`,
    [runId, outcome, failureCode, at],
  );
}

/** In batches; returns how many rows went. The newest run of a device stays: it says how the device came to where it is. */
export async function pruneRuns(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from rollout_runs where run_id in (
       select run_id from rollout_runs as old
        where started_at < now() - make_interval(days => $1) and closed_at < now() - make_interval(days => $1)
          and exists (select from rollout_runs as newer where newer.device_id = old.device_id and newer.started_at > old.started_at)
        limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
