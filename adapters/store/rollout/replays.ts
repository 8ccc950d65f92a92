// Replays of failed rollouts: begun in one transaction with what Temporal is told, counted while they run, stopped on the way.
import { LANE_OF_WISH } from './enqueue-rollouts.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from '../devices/enrolled.ts';

export interface NewReplay {
  readonly deviceIds: readonly string[];
  readonly reason: string | undefined;
  /** The cause whose whole group is replayed. */
  readonly failureCode: string | undefined;
  readonly by: string;
}

/** Of these devices those that are enrolled. */
export async function startReplay(
  sql: Sql,
  { deviceIds, reason, failureCode, by }: NewReplay,
): Promise<{ id: string; devices: number }> {
  const [row] = await sql.query<{ id: string; devices: number }>(
    `with replay as (insert into replays (started_by, reason, failure_code) values ($1, $2, $3) returning id),
     affected as materialized (
       select device.id, gen_random_uuid() as outbox_id,
              (select run_id from rollout_runs where device_id = device.id order by started_at desc limit 1) as run_before
         from devices as device where device.id = any($4) and device.${ENROLLED}),
     overtaken as (
       update fleet_rollout_devices set state = 'overtaken'
        where device_id in (select id from affected) and state in ('waiting', 'left') returning 1),
     put as (
       insert into outbox (id, ordering_key, lane, message)
       select outbox_id, id::text, ${LANE_OF_WISH}, jsonb_build_object('kind', 'rollOutDevice', 'deviceId', id, 'reason', $5::text,
                'asksUserAgain', true) from affected
       returning 1),
     kept as (
       insert into replay_devices (replay_id, device_id, outbox_id, run_before)
       select replay.id, affected.id, affected.outbox_id, affected.run_before from affected, replay
       returning 1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select replay.id, (select count(*)::int from kept) as devices, (select count(*) from told) as told from replay`,
    [
      by,
      reason ?? null,
      failureCode ?? null,
      deviceIds,
      reason === undefined ? 'replayed' : `replayed: ${reason}`,
    ],
  );
  return row ?? { id: '', devices: 0 };
}

export interface ReplayRow {
  readonly id: string;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly reason: string | null;
  readonly failureCode: string | null;
  readonly stoppedAt: Date | null;
  readonly stoppedBy: string | null;
  readonly devices: number;
  /** Not told to Temporal yet: these are what a stop takes back. */
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly withdrawn: number;
}

const SELECT = `select replay.id, replay.started_at, replay.started_by, replay.reason,
    replay.failure_code, replay.stopped_at, replay.stopped_by,
    counted.devices, counted.waiting, counted.completed, counted.failed, counted.withdrawn,
    counted.devices - counted.waiting - counted.completed - counted.failed - counted.withdrawn as running
  from replays as replay cross join lateral (
    select count(*)::int as devices,
           count(*) filter (where state = 'withdrawn')::int as withdrawn, count(*) filter (where state = 'waiting')::int as waiting,
           count(*) filter (where state = 'completed')::int as completed, count(*) filter (where state = 'failed')::int as failed
      from (
        select case when member.withdrawn then 'withdrawn'
                    when outbox.id is not null and outbox.delivered_at is null then 'waiting'
                    when run.run_id is distinct from member.run_before then run.outcome end as state
          from replay_devices as member
          left join outbox on outbox.id = member.outbox_id
          left join lateral (
            select run_id, outcome from rollout_runs where device_id = member.device_id order by started_at desc limit 1) as run on true
         where member.replay_id = replay.id) as members) as counted`;

/** The newest of the last seven days. */
export const listReplays = (sql: Sql, limit: number): Promise<ReplayRow[]> =>
  sql.query<ReplayRow>(
    `${SELECT} where replay.started_at > now() - interval '7 days' order by replay.started_at desc limit $1`,
    [limit],
  );

export async function findReplay(sql: Sql, id: string): Promise<ReplayRow | undefined> {
  const [row] = await sql.query<ReplayRow>(`${SELECT} where replay.id = $1`, [id]);
  return row;
}

/** Takes back what Temporal was not told yet; returns how many devices stay as they were. A row that the relay holds goes on. */
export async function stopReplay(sql: Sql, id: string, by: string): Promise<number> {
  const rows = await sql.query(
    `with taken as (
       delete from outbox using replay_devices as member
        where member.replay_id = $1 and outbox.id = member.outbox_id and outbox.delivered_at is null
          and (outbox.claimed_until is null or outbox.claimed_until < now())
       returning outbox.id)
     update replay_devices set withdrawn = true where replay_id = $1 and outbox_id in (select id from taken) returning 1`,
    [id],
  );
  await sql.query(
    'update replays set stopped_at = now(), stopped_by = $2 where id = $1 and stopped_at is null',
    [id, by],
  );
  return rows.length;
}
