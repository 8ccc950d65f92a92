// Looks every minute at what needs people, writes what each target is to be told, and delivers it: at least once, for up to a day.
import { CataloguedError, failureCodeOf } from '../domain/failures.ts';
import type { Database, Sql } from '../adapters/store/base/database.ts';
import {
  appendNotification,
  claimNotifications,
  NOTIFICATIONS_CHANNEL,
  nextNotificationInMs,
  settleDelivered,
  settleFailed,
  type ClaimedNotification,
} from '../adapters/store/notifications/notifications.ts';
import {
  listAnnounced,
  recordAnnounced,
  recordNeeds,
  whileNobodyElseLooks,
} from '../adapters/store/notifications/needs.ts';
import { findTarget, listTargets, turnTargetOff } from '../adapters/store/notifications/targets.ts';
import { GRACE_MS, planChanges, type Need } from '../domain/notification-plan.ts';
import { nextAttemptIn } from '../domain/notification-retries.ts';
import type { SendNotification } from './notification-sender.ts';
import type { RelayLog } from './relay-loop.ts';
import { repeat } from './repeated-work.ts';

export interface NotificationDependencies {
  readonly database: Database;
  readonly log: RelayLog;
  readonly send: SendNotification;
  /** What needs an admin or operator now. */
  readonly readNeeds: () => Promise<Need[]>;
  readonly consoleUrl: string;
  readonly lookEveryMs?: number;
  readonly graceMs?: number;
}

const LOOK_EVERY_MS = 60_000;
const CONCURRENCY = 8;
/** Longer than a delivery may take: look-up, connection, TLS and answer. */
const LEASE_SECONDS = 90;
const POLL_MS = 5_000;

/** Starts at once; `stop` ends it when what is under way is done. */
export function startNotifications(dependencies: NotificationDependencies): { stop(): Promise<void> } {
  const ending = new AbortController();
  const { database, log, lookEveryMs = LOOK_EVERY_MS } = dependencies;
  const common = { database, log, signal: ending.signal, name: 'notifications' };
  const looking = repeat({
    ...common,
    work: async () => {
      await look(dependencies);
      return lookEveryMs;
    },
  });
  const delivering = repeat({
    ...common,
    channel: NOTIFICATIONS_CHANNEL,
    work: async () => {
      await deliverDue(dependencies);
      return Math.max(0, Math.min((await nextNotificationInMs(database)) ?? POLL_MS, POLL_MS));
    },
  });
  return {
    async stop() {
      ending.abort();
      await Promise.all([looking, delivering]);
    },
  };
}

/** What each target is to be told is written in one transaction with what it was told. */
async function look(dependencies: NotificationDependencies): Promise<void> {
  const { database, readNeeds, consoleUrl, graceMs = GRACE_MS } = dependencies;
  const targets = await listTargets(database);
  if (targets.length === 0) return;
  const needs = await readNeeds();
  await database.inTransaction((sql) =>
    whileNobodyElseLooks(sql, async () => {
      const seen = await recordNeeds(sql, needs, graceMs);
      for (const { id, isOn, rules } of targets) {
        if (!isOn) continue;
        const changes = planChanges(rules, seen, await listAnnounced(sql, id), new Date(), graceMs);
        if (changes.length === 0) continue;
        await recordAnnounced(sql, id, changes);
        const told = rules.tellsWhenDone ? changes : changes.filter(({ what }) => what !== 'done');
        if (told.length === 0) continue;
        const at = new Date().toISOString();
        await appendNotification(sql, id, { type: 'needs_you.changed', at, changes: told, consoleUrl });
      }
    }),
  );
}

async function deliverDue(dependencies: NotificationDependencies): Promise<void> {
  const { database } = dependencies;
  for (;;) {
    const claimed = await claimNotifications(database, { limit: CONCURRENCY, leaseSeconds: LEASE_SECONDS });
    if (claimed.length === 0) return;
    await Promise.all(claimed.map((one) => deliver(dependencies, one)));
  }
}

async function deliver(
  { database, log, send }: NotificationDependencies,
  claimed: ClaimedNotification,
): Promise<void> {
  const target = await findTarget(database, claimed.targetId);
  if (target === undefined) return;
  try {
    await send(target, claimed);
  } catch (error) {
    const failure = { code: failureCodeOf(error), detail: detailOf(error) };
    const retryInMs = isLasting(failure.code)
      ? null
      : nextAttemptIn(claimed.attempts, claimed.createdAt, new Date(), retryAfterOf(error));
    log.warn(
      { ...failure, target: target.id, attempts: claimed.attempts, retryInMs },
      'a notification was not delivered',
    );
    await database.inTransaction(async (sql: Sql) => {
      await settleFailed(sql, claimed.id, failure, retryInMs);
      if (failure.code === 'notify.gone') await turnTargetOff(sql, target.id);
    });
    return;
  }
  await settleDelivered(database, claimed.id);
}

/** Nothing of it changes by waiting. */
const isLasting = (code: string): boolean => code === 'notify.gone' || code === 'notify.address_refused';

const retryAfterOf = (error: unknown): number | undefined =>
  error instanceof CataloguedError ? error.retryAfterMs : undefined;

/** The facts in words; none of them is a secret. */
function detailOf(error: unknown): string | null {
  if (!(error instanceof CataloguedError)) return null;
  const facts = Object.entries(error.facts).filter(([, value]) => value !== '');
  return facts.length === 0 ? null : facts.map(([name, value]) => `${name} ${String(value)}`).join(', ');
}
