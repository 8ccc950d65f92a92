// What is kept for a while only, by age: told messages, answers, stored events, repeated requests, replaced secrets.
import { pruneCommands } from '../adapters/store/commands.ts';
import type { Sql } from '../adapters/store/database.ts';
import { pruneEvents } from '../adapters/store/events.ts';
import { pruneKeys } from '../adapters/store/idempotency.ts';
import { pruneUnparsedAnswers } from '../adapters/store/inventory.ts';
import { pruneOutbox } from '../adapters/store/outbox.ts';
import { pruneSecrets } from '../adapters/store/secrets.ts';

/** Days. Commands last longer than the histories that name them (30 days). */
const KEPT_DAYS = { outbox: 14, commands: 90, unparsedAnswers: 30, events: 7, idempotencyKeys: 2 };

/** Each prunes a bounded number of rows, so that it never holds up the work beside it. */
export async function keepHouse(sql: Sql): Promise<void> {
  await pruneOutbox(sql, KEPT_DAYS.outbox);
  await pruneCommands(sql, KEPT_DAYS.commands);
  await pruneUnparsedAnswers(sql, KEPT_DAYS.unparsedAnswers);
  await pruneEvents(sql, KEPT_DAYS.events);
  await pruneKeys(sql, KEPT_DAYS.idempotencyKeys);
  await pruneSecrets(sql);
}
