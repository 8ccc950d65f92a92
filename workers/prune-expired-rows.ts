// What is kept for a while only, by age: delivered messages, unparsed responses, stored events, repeated requests, replaced secrets, and in the end a
// device's story. The audit trail is kept: how long is for its owner to say.
import { pruneCommands } from '../adapters/store/devices/commands.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { pruneTimeline } from '../adapters/store/devices/device-timeline.ts';
import { pruneEvents } from '../adapters/store/base/events.ts';
import { pruneKeys } from '../adapters/store/base/idempotency.ts';
import { pruneUnparsedResponses } from '../adapters/store/devices/inventory.ts';
import { pruneNotifications } from '../adapters/store/notifications/notifications.ts';
import { pruneOutbox } from '../adapters/store/base/outbox.ts';
import { pruneFalls } from '../adapters/store/rollout/automatic-reissues.ts';
import { pruneFleetRollouts } from '../adapters/store/rollout/fleet-rollout-progress.ts';
import { pruneRuns } from '../adapters/store/rollout/rollout-runs.ts';
import { pruneSecrets } from '../adapters/store/base/secrets.ts';
import { KEPT_DAYS } from '../domain/retention.ts';

/** In batches, so that none of them holds up the work beside it; a fleet of any size is kept up with. */
export async function pruneExpiredRows(sql: Sql, hasStopped: () => boolean = () => false): Promise<void> {
  const prunes = [
    () => pruneOutbox(sql, KEPT_DAYS.outbox),
    () => pruneNotifications(sql, KEPT_DAYS.notifications),
    () => pruneCommands(sql, KEPT_DAYS.commands),
    () => pruneUnparsedResponses(sql, KEPT_DAYS.unparsedResponses),
    () => pruneEvents(sql, KEPT_DAYS.events),
    () => pruneKeys(sql, KEPT_DAYS.idempotencyKeys),
    () => pruneTimeline(sql, KEPT_DAYS.timeline),
    () => pruneRuns(sql, KEPT_DAYS.runs),
    () => pruneFalls(sql, KEPT_DAYS.falls),
    () => pruneFleetRollouts(sql, KEPT_DAYS.fleetRollouts),
    () => pruneSecrets(sql),
  ];
  for (const prune of prunes) while (!hasStopped() && (await prune()) >= MIN_BATCH);
}

/** A prune that took as much as this had more to take. */
const MIN_BATCH = 1_000;
