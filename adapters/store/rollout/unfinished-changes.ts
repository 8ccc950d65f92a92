// Changes that a workflow carries out and that have not ended: fleet rollouts, rotations of secrets, removals. From the tables alone, so that whoever
// ends such a workflow in Temporal ends nothing.
import type { Sql } from '../base/database.ts';

export interface UnfinishedChange {
  readonly kind: 'rollOutFleet' | 'rotateSecret' | 'removePlatform';
  readonly id: string;
}

/**
 * Of an integration, or of none, except what began a moment ago or is to be told still: its workflow is on its way.
 * A fleet rollout that has ended and whose devices have not is one of them.
 */
export const listUnfinishedChanges = (sql: Sql, integrationId: string): Promise<UnfinishedChange[]> =>
  sql.query<UnfinishedChange>(
    `select kind, id from (
       select 'rollOutFleet' as kind, id, started_at as at from fleet_rollouts as rollout
        where (integration_id = $1 or integration_id is null)
          and (ended_at is null or exists (select from fleet_rollout_devices where fleet_rollout_id = rollout.id and state = 'begun'))
       union all
       select 'rotateSecret', id, started_at from secret_rotations where integration_id = $1 and ended_at is null
       union all
       select 'removePlatform', id, asked_at from platform_removals
        where integration_id = $1 and status in ('waiting', 'removing', 'stopped')) as change
      where at < now() - interval '1 minute'
        and not exists (select from outbox where ordering_key = change.id::text and delivered_at is null)`,
    [integrationId],
  );
