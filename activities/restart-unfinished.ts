// Fleet rollouts, rotations and removals whose workflow somebody ended or replaced in Temporal go on from the tables, and that is told.
import { recordRestored } from '../adapters/store/base/audit.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { findPlatformRemoval, removalMessage } from '../adapters/store/rollout/platform-removals.ts';
import {
  listUnfinishedChanges,
  type UnfinishedChange,
} from '../adapters/store/rollout/unfinished-changes.ts';
import type { OutboxMessage } from '../domain/outbox-message.ts';
import { workflowIds } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findRunning } from './running-workflows.ts';

const IDS: Readonly<Record<UnfinishedChange['kind'], (id: string) => string>> = {
  rollOutFleet: workflowIds.fleet,
  rotateSecret: workflowIds.rotation,
  removePlatform: workflowIds.removal,
};

export async function restartUnfinished(
  { database, temporal }: Pick<ActivityDependencies, 'database' | 'temporal'>,
  integrationId: string,
): Promise<void> {
  const changes = await listUnfinishedChanges(database, integrationId);
  for (const kind of Object.keys(IDS) as UnfinishedChange['kind'][]) {
    const ids = changes.filter((each) => each.kind === kind).map(({ id }) => id);
    const { running } = await findRunning(temporal, kind, ids.map(IDS[kind]));
    const lost = ids.filter((id) => !running.has(IDS[kind](id)));
    if (lost.length === 0) continue;
    await database.inTransaction(async (sql) => {
      await recordRestored(sql, `integration:${integrationId}`, lost.length);
      for (const id of lost) {
        const message = await messageOf(sql, kind, id);
        if (message) await appendOutboxMessage(sql, id, message);
      }
    });
  }
}

/** undefined: it is gone meanwhile. */
async function messageOf(
  sql: Sql,
  kind: UnfinishedChange['kind'],
  id: string,
): Promise<OutboxMessage | undefined> {
  if (kind === 'rollOutFleet') return { kind, fleetRolloutId: id };
  if (kind === 'rotateSecret') return { kind, rotationId: id };
  const removal = await findPlatformRemoval(sql, id);
  return removal && removalMessage(removal);
}
