// The steps of a removal. What a person sees and says is in the tables; the workflow only comes back to look.
import { appendAudit } from '../adapters/store/base/audit.ts';
import { databaseNow } from '../adapters/store/base/clock.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { deleteAuthority } from '../adapters/store/integration/integration-checks.ts';
import { rollOutDevices } from '../adapters/store/rollout/enqueue-rollouts.ts';
import {
  countRemoval,
  deleteRemoved,
  lockPlatformRemoval,
  setRemovalStatus,
  takePortion,
  type PlatformRemovalRow,
  type RemovalCounts,
} from '../adapters/store/rollout/platform-removals.ts';
import { haltedText } from '../domain/fleet-waves.ts';
import { planRemovalStep } from '../domain/platform-removal.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { plural } from '../domain/plural.ts';

export interface RemovalLook {
  /** One sentence for Temporal's pages. */
  readonly shown: string;
  /** When to look again, in milliseconds; null: when a person has said something. */
  readonly waitMs: number | null;
  readonly isOver: boolean;
}

/** Between two portions that need not wait for each other. */
const PACE_MS = 10_000;

export function platformRemoval({ database }: Pick<ActivityDependencies, 'database'>) {
  return {
    /** One step, whole or not at all. */
    advanceRemoval: ({ removalId }: { readonly removalId: string }): Promise<RemovalLook> =>
      database.inTransaction(async (sql) => {
        const removal = await lockPlatformRemoval(sql, removalId);
        if (removal === undefined)
          return { shown: 'The removal no longer exists.', waitMs: null, isOver: true };
        const counts = await countRemoval(sql, removal);
        const progress = { ...removal, ...counts, accepted: removal.acceptedFailures };
        const step = planRemovalStep(progress, (await databaseNow(sql)).getTime());
        const subject = `integration:${removal.integrationId}`;
        const told = { shown: textOf(removal, counts), isOver: false };
        switch (step.do) {
          case 'rest':
            return {
              ...told,
              waitMs: null,
              isOver: removal.status === 'finished' || removal.status === 'undone',
            };
          case 'wait':
            return { ...told, waitMs: step.ms };
          case 'take': {
            const deviceIds = await takePortion(sql, removal, step.devices);
            await rollOutDevices(sql, [{ deviceIds }], 'an admin removed the platform from Odette');
            await appendEvent(sql, { kind: 'removal.changed', subject });
            return { ...told, waitMs: PACE_MS };
          }
          case 'halt':
            await setRemovalStatus(sql, removalId, { status: 'stopped', actor: null });
            await audit(sql, removal, 'removal.halted', counts);
            return { ...told, shown: `Odette stopped the removal: ${haltedText(step.halt)}`, waitMs: null };
          case 'finish':
            await finish(sql, removal, counts);
            return {
              ...told,
              shown: `Removed from ${plural(counts.done, 'device')}.`,
              waitMs: null,
              isOver: true,
            };
        }
      }),
  };
}

async function audit(
  sql: Sql,
  removal: PlatformRemovalRow,
  action: string,
  counts: RemovalCounts,
): Promise<void> {
  const subject = `integration:${removal.integrationId}`;
  const { platform, integrationName } = removal;
  await appendAudit(sql, {
    actor: 'system',
    action,
    subject,
    detail: { integration: integrationName, platform, ...counts },
  });
  await appendEvent(sql, { kind: 'removal.changed', subject });
}

async function finish(sql: Sql, removal: PlatformRemovalRow, counts: RemovalCounts): Promise<void> {
  const { integrationId, platform } = removal;
  await setRemovalStatus(sql, removal.id, { status: 'finished', actor: null });
  if (platform !== 'iOS') await deleteAuthority(sql, integrationId);
  await deleteRemoved(sql, removal);
  await audit(sql, removal, platform === null ? 'integration.removed' : 'platform.removed', counts);
  await appendEvent(sql, { kind: 'integration.changed', subject: `integration:${integrationId}` });
  await appendEvent(sql, { kind: 'library_item.changed', subject: `integration:${integrationId}` });
  if (platform === null)
    await appendOutboxMessage(sql, integrationId, { kind: 'sweeps', integrationId, wanted: false });
}

const textOf = (removal: PlatformRemovalRow, { taken, left, done, failed, silent }: RemovalCounts): string =>
  removal.status === 'waiting'
    ? `Starts at ${removal.startsAt.toISOString()}; ${plural(left, 'device')}.`
    : `Payloads removed from ${done} of ${plural(taken + left, 'device')}; ${failed} failed, ${silent} have not checked in since.`;
