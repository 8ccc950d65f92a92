// The outbox: what Temporal must be told. Written in the transaction of the change, delivered at least once by the relay.
import { laneOf, LANES, type Lane } from '../../../domain/lanes.ts';
import type { OutboxMessage } from '../../../domain/outbox-message.ts';
import type { Sql } from './database.ts';

/** NOTIFY channel; the payload is the ordering key. */
export const OUTBOX_CHANNEL = 'odette_outbox';

/** Call it inside the transaction of the change. Rows of one ordering key (a device id) are delivered in order. */
export async function appendOutboxMessage(
  sql: Sql,
  orderingKey: string,
  message: OutboxMessage,
  lane: Lane = laneOf(message),
): Promise<void> {
  await sql.query(
    `with put as (insert into outbox (ordering_key, message, lane) values ($1::text, $2::jsonb, $3::smallint))
     select pg_notify('${OUTBOX_CHANNEL}', $1::text)`,
    [orderingKey, JSON.stringify(message), LANES[lane]],
  );
}

export interface ClaimedMessage {
  /** The event id by which workflows drop duplicates. */
  readonly id: string;
  readonly orderingKey: string;
  readonly message: OutboxMessage;
  /** domain/lanes.ts */
  readonly lane: number;
  readonly attempts: number;
  readonly createdAt: Date;
}

/**
 * Claims up to `limit` rows, at most one for each key: its oldest undelivered one, which goes in the lane of the most urgent row behind
 * it. Rows of lanes above `maxLane` stay, unless such a row waits behind them. Nobody else gets a row of these keys
 * until the row is closed or the lease (seconds) is over, so a killed relay's rows are taken over.
 */
export async function claimOutbox(
  sql: Sql,
  options: { readonly limit: number; readonly leaseSeconds: number; readonly maxLane: number },
): Promise<ClaimedMessage[]> {
  return sql.query<ClaimedMessage>(
    `update outbox set claimed_until = now() + make_interval(secs => $2), attempts = attempts + 1
      where id in (
        select id from outbox
         where id = any(array(
             select head.id from outbox as urgent
              cross join lateral (
                select id, claimed_until from outbox as older
                 where older.ordering_key = urgent.ordering_key and older.delivered_at is null
                 order by older.position limit 1) as head
              where urgent.delivered_at is null and urgent.lane <= $3
                and (head.claimed_until is null or head.claimed_until < now())
              order by urgent.lane, urgent.position limit $1))
           and delivered_at is null and (claimed_until is null or claimed_until < now())
           for update skip locked)
      returning id, ordering_key, message, lane, attempts, created_at`,
    [options.limit, options.leaseSeconds, options.maxLane],
  );
}

/** delivered: told to a running workflow. started: a workflow was started with it. gone: nobody is left to be told. */
export type OutboxOutcome = 'delivered' | 'started' | 'gone';

/** true: another row of its key waits. */
export async function closeOutbox(sql: Sql, id: string, outcome: OutboxOutcome): Promise<boolean> {
  const [row] = await sql.query<{ waits: boolean }>(
    `update outbox as closed set delivered_at = now(), claimed_until = null, outcome = $2
      where id = $1 and delivered_at is null
      returning exists (select from outbox as next
                         where next.ordering_key = closed.ordering_key and next.id <> closed.id and next.delivered_at is null) as waits`,
    [id, outcome],
  );
  return row?.waits ?? true;
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

/**
 * Rollouts of the lanes behind the devices' that were told to Temporal in the last two minutes and have not ended since. A device that
 * sleeps counts for that long only: nobody knows when it wakes.
 */
export async function countYoungRollouts(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ open: number }>(
    `select count(*)::int as open from outbox
      where delivered_at > now() - interval '2 minutes' and lane > ${LANES.device} and message ->> 'kind' = 'rollOutDevice'
        and not exists (
          select from rollout_runs as run where run.device_id = (outbox.message ->> 'deviceId')::uuid and run.closed_at >= outbox.delivered_at)`,
  );
  return row?.open ?? 0;
}

/** How much waits, and for how many seconds the oldest has. */
export async function outboxBacklog(sql: Sql): Promise<{ waiting: number; oldestSeconds: number }> {
  const [row] = await sql.query<{ waiting: number; oldestSeconds: number }>(
    `select count(*)::int as waiting, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
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
