// The outbox: what Temporal must be told. Written in the transaction of the change, delivered at least once by the relay.
import type { OutboxMessage } from '../../../domain/outbox-message.ts';
import type { Sql } from './database.ts';

/** NOTIFY channel; the payload is the ordering key. */
export const OUTBOX_CHANNEL = 'odette_outbox';

/** Call it inside the transaction of the change. Rows of one ordering key (a device id) are delivered in order. */
export async function appendOutboxMessage(
  sql: Sql,
  orderingKey: string,
  message: OutboxMessage,
): Promise<void> {
  await sql.query(
    `with put as (insert into outbox (ordering_key, message) values ($1::text, $2::jsonb))
     select pg_notify('${OUTBOX_CHANNEL}', $1::text)`,
    [orderingKey, JSON.stringify(message)],
  );
}

export interface ClaimedMessage {
  /** The event id by which workflows drop duplicates. */
  readonly id: string;
  readonly orderingKey: string;
  readonly message: OutboxMessage;
  readonly attempts: number;
  readonly createdAt: Date;
}

/**
 * Claims up to `limit` rows, at most one for each key: its oldest undelivered one. Nobody else gets a row of these keys
 * until the row is closed or the lease (seconds) is over, so a killed relay's rows are taken over.
 */
export async function claimOutbox(
  sql: Sql,
  options: { readonly limit: number; readonly leaseSeconds: number },
): Promise<ClaimedMessage[]> {
  return sql.query<ClaimedMessage>(
    `update outbox set claimed_until = now() + make_interval(secs => $2), attempts = attempts + 1
      where id in (
        select head.id from outbox head
         where head.delivered_at is null
           and (head.claimed_until is null or head.claimed_until < now())
           and not exists (
             select from outbox older
              where older.ordering_key = head.ordering_key and older.delivered_at is null and older.position < head.position)
         order by head.position limit $1
           for update of head skip locked)
      returning id, ordering_key as "orderingKey", message, attempts, created_at as "createdAt"`,
    [options.limit, options.leaseSeconds],
  );
}

/** delivered: told to a running workflow. started: a workflow was started with it. gone: nobody is left to be told. */
export type OutboxOutcome = 'delivered' | 'started' | 'gone';

export async function closeOutbox(sql: Sql, id: string, outcome: OutboxOutcome): Promise<void> {
  await sql.query(
    'update outbox set delivered_at = now(), claimed_until = null, outcome = $2 where id = $1 and delivered_at is null',
    [id, outcome],
  );
}

/**
 * Gives a claimed row back; it, and with it its key, is not claimed again for `waitSeconds`.
 * @param isCounted whether this was an attempt at the message (Temporal being away is not)
 */
export async function releaseOutbox(
  sql: Sql,
  id: string,
  waitSeconds: number,
  isCounted: boolean,
): Promise<void> {
  await sql.query(
    `update outbox set claimed_until = now() + make_interval(secs => $2), attempts = attempts - case when $3 then 0 else 1 end
      where id = $1 and delivered_at is null`,
    [id, waitSeconds, isCounted],
  );
}

/** How much waits, and for how many seconds the oldest has. */
export async function outboxBacklog(sql: Sql): Promise<{ waiting: number; oldestSeconds: number }> {
  const [row] = await sql.query<{ waiting: number; oldestSeconds: number }>(
    `select count(*)::int as waiting, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestSeconds"
       from outbox where delivered_at is null`,
  );
  return row ?? { waiting: 0, oldestSeconds: 0 };
}

/** Delivered rows are kept for a while, so that an operator can see what was told; then they go. Returns how many went. */
export async function pruneOutbox(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from outbox where id in (
       select id from outbox where delivered_at < now() - make_interval(days => $1) limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
