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
  /** Another row of its key waits behind it. */
  readonly hasNext: boolean;
}

/** delivered: told to a running workflow. started: a workflow was started with it. gone: nobody is left to be told. */
export type OutboxOutcome = 'delivered' | 'started' | 'gone';

/** A row that was delivered and is not closed yet. */
export interface Delivered {
  readonly id: string;
  readonly outcome: OutboxOutcome;
}

/**
 * Closes the rows that were delivered, and claims up to `limit` others, at most one for each key: its oldest undelivered one, which goes in the
 * lane of the most urgent row behind it. Rows of lanes above `maxLane` stay, unless such a row waits behind them. Nobody else gets a row of these
 * keys until the row is closed or the lease (seconds) is over, so a killed relay's rows are taken over.
 */
export async function claimOutbox(
  sql: Sql,
  options: {
    readonly limit: number;
    readonly leaseSeconds: number;
    readonly maxLane: number;
    readonly delivered?: readonly Delivered[];
  },
): Promise<ClaimedMessage[]> {
  const delivered = options.delivered ?? [];
  return sql.query<ClaimedMessage>(
    `with closed as (${closing('$4', '$5')})
     update outbox set claimed_until = now() + make_interval(secs => $2), attempts = attempts + 1
      where id in (
        select id from outbox
         where id = any(array(
             select head.id from outbox as urgent
              cross join lateral (
                select id, claimed_until from outbox as older
                 where older.ordering_key = urgent.ordering_key and older.delivered_at is null and older.id <> all ($4::uuid[])
                 order by older.position limit 1) as head
              where urgent.delivered_at is null and urgent.id <> all ($4::uuid[]) and urgent.lane <= $3
                and (head.claimed_until is null or head.claimed_until < now())
              order by urgent.lane, urgent.position limit $1))
           and delivered_at is null and (claimed_until is null or claimed_until < now())
           for update skip locked)
      returning id, ordering_key, message, lane, attempts, created_at,
                exists (select from outbox as next
                         where next.ordering_key = outbox.ordering_key and next.id <> outbox.id and next.delivered_at is null
                           and next.id <> all ($4::uuid[])) as has_next`,
    [
      options.limit,
      options.leaseSeconds,
      options.maxLane,
      delivered.map(({ id }) => id),
      delivered.map(({ outcome }) => outcome),
    ],
  );
}

export const closeOutbox = async (sql: Sql, delivered: readonly Delivered[]): Promise<void> =>
  void (await sql.query(closing('$1', '$2'), [
    delivered.map(({ id }) => id),
    delivered.map(({ outcome }) => outcome),
  ]));

const closing = (ids: string, outcomes: string): string =>
  `update outbox set delivered_at = now(), claimed_until = null, outcome = delivered.outcome
     from unnest(${ids}::uuid[], ${outcomes}::text[]) as delivered (id, outcome)
    where outbox.id = delivered.id and delivered_at is null`;

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
