// Notifications that wait to be delivered, and what became of those that were.
import type { NotificationMessage } from '../../../domain/notification-message.ts';
import type { Sql } from '../base/database.ts';

/** NOTIFY channel: a notification can be delivered at once. */
export const NOTIFICATIONS_CHANNEL = 'odette_notifications';

/** Call it inside the transaction of what is told. Returns its id. */
export async function appendNotification(
  sql: Sql,
  targetId: string,
  message: NotificationMessage,
): Promise<string> {
  const [row] = await sql.query<{ id: string }>(
    `with put as (insert into notifications (target_id, message) values ($1, $2::jsonb) returning id)
     select id, pg_notify('${NOTIFICATIONS_CHANNEL}', '') from put`,
    [targetId, JSON.stringify(message)],
  );
  return row?.id ?? '';
}

export interface ClaimedNotification {
  readonly id: string;
  readonly targetId: string;
  readonly message: NotificationMessage;
  /** This one included. */
  readonly attempts: number;
  readonly createdAt: Date;
}

/**
 * Up to `limit` that are due, of each target the oldest and never two at once: a slow receiver holds up nobody else. Nobody else gets
 * them until they are settled or the lease (seconds) is over.
 */
export const claimNotifications = (
  sql: Sql,
  options: { readonly limit: number; readonly leaseSeconds: number },
): Promise<ClaimedNotification[]> =>
  sql.query<ClaimedNotification>(
    `update notifications set claimed_until = now() + make_interval(secs => $2), attempts = attempts + 1
      where id in (
        select id from notifications
         where ended_at is null and (claimed_until is null or claimed_until < now()) and id in (
           select distinct on (target_id) id from notifications as due
            where ended_at is null and next_attempt_at <= now() and not exists (
              select from notifications as busy where busy.target_id = due.target_id and busy.ended_at is null and busy.claimed_until >= now())
            order by target_id, created_at, id)
         limit $1 for update skip locked)
      returning id, target_id, message, attempts, created_at`,
    [options.limit, options.leaseSeconds],
  );

/** Milliseconds until the next one is due; null: none waits. */
export async function nextNotificationInMs(sql: Sql): Promise<number | null> {
  const [row] = await sql.query<{ waitMs: number | null }>(
    `select (extract(epoch from min(greatest(next_attempt_at, claimed_until)) - now()) * 1000)::float8 as wait_ms
       from notifications where ended_at is null`,
  );
  return row?.waitMs ?? null;
}

export async function settleDelivered(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `update notifications set ended_at = now(), outcome = 'delivered', claimed_until = null, failure_code = null, failure_detail = null
      where id = $1`,
    [id],
  );
}

/** @param retryInMs null: it is given up */
export async function settleFailed(
  sql: Sql,
  id: string,
  failure: { readonly code: string; readonly detail: string | null },
  retryInMs: number | null,
): Promise<void> {
  await sql.query(
    `update notifications set claimed_until = null, failure_code = $2, failure_detail = $3,
        next_attempt_at = now() + make_interval(secs => coalesce($4::float8, 0)),
        ended_at = case when $4::float8 is null then now() end, outcome = case when $4::float8 is null then 'given_up' end
      where id = $1`,
    [id, failure.code, failure.detail, retryInMs === null ? null : retryInMs / 1_000],
  );
}

/** What waits for a receiver that is another one now, or that nobody wants to hear from: the next look tells anew what is still true. */
export async function dropWaiting(sql: Sql, targetId: string): Promise<void> {
  await sql.query('delete from notifications where target_id = $1 and ended_at is null', [targetId]);
  await sql.query('delete from notification_announcements where target_id = $1', [targetId]);
}

export interface NotificationRow {
  readonly id: string;
  readonly message: NotificationMessage;
  readonly createdAt: Date;
  readonly attempts: number;
  /** null: it has ended. */
  readonly nextAttemptAt: Date | null;
  readonly endedAt: Date | null;
  readonly outcome: 'delivered' | 'given_up' | null;
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
}

/** Newest first. */
export const listNotifications = (sql: Sql, targetId: string, limit: number): Promise<NotificationRow[]> =>
  sql.query<NotificationRow>(
    `select id, message, created_at, attempts, case when ended_at is null then next_attempt_at end as next_attempt_at, ended_at, outcome,
        failure_code, failure_detail
       from notifications where target_id = $1 order by created_at desc, id limit $2`,
    [targetId, limit],
  );

/** Returns how many went. */
export async function pruneNotifications(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from notifications where id in (
       select id from notifications where ended_at < now() - make_interval(days => $1) limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
