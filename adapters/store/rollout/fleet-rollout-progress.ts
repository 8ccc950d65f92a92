// What the workflow of a fleet rollout reads and writes: who has ended, what that says of the change, and who begins next.
import type { FailureCode } from '../../../domain/failures.ts';
import type { FleetEvidence, FleetHalt, FleetProgress } from '../../../domain/fleet-waves.ts';
import { LANES } from '../../../domain/lanes.ts';
import type { Sql } from '../base/database.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';
import type { FleetRolloutRow } from './fleet-rollouts.ts';

/** Reasons that no change has: the device is away, or somebody ended the run. */
const OF_NO_CHANGE: readonly FailureCode[] = ['mdm.device_silent', 'mdm.not_enrolled', 'rollout.canceled'];

/**
 * Writes down which devices' rollouts have ended. One that was open when the change was told may end before it is told: then another begins,
 * which has recorded its start a few seconds later. One that failed and was repaired since has completed.
 */
export async function settleMembers(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query(
    `with ended as (
       select member.device_id, run.outcome, run.failure_code
         from fleet_rollout_devices as member
         left join outbox on outbox.id = member.outbox_id
         join lateral (select run_id, outcome, failure_code from rollout_runs
                        where device_id = member.device_id order by started_at desc limit 1) as run on run.outcome is not null
        where member.fleet_rollout_id = $1 and (member.state = 'begun' or (member.state = 'failed' and run.outcome = 'completed'))
          and (outbox.id is null or outbox.delivered_at is not null)
          and (run.run_id is distinct from member.run_before
               or (member.run_before_is_open and (outbox.id is null or outbox.delivered_at < now() - interval '5 seconds'))))
     update fleet_rollout_devices as member set state = ended.outcome, failure_code = ended.failure_code, settled_at = $2
       from ended where member.fleet_rollout_id = $1 and member.device_id = ended.device_id`,
    [id, now],
  );
}

/** Of the locked rollout. */
export async function readFleetProgress(sql: Sql, rollout: FleetRolloutRow): Promise<FleetProgress> {
  const { id, wave } = rollout;
  const [counts] = await sql.query<{
    waiting: number;
    open: number;
    waveBegun: number;
    waveEnded: number;
    undelivered: number;
  }>(
    `select count(*) filter (where state = 'waiting')::int as waiting, count(*) filter (where state = 'begun')::int as open,
            count(*) filter (where wave = $2)::int as wave_begun,
            count(*) filter (where wave = $2 and state <> 'begun')::int as wave_ended,
            (select count(*) from fleet_rollout_devices as told join outbox on outbox.id = told.outbox_id and outbox.delivered_at is null
              where told.fleet_rollout_id = $1 and told.state = 'begun')::int as undelivered
       from fleet_rollout_devices where fleet_rollout_id = $1`,
    [id, wave],
  );
  return {
    status: rollout.status,
    pace: rollout.pace,
    canary: rollout.canary,
    wave,
    waveBegunMs: rollout.waveBegunAt?.getTime() ?? rollout.startedAt.getTime(),
    settleMinutes: rollout.settleMinutes,
    inWave: { begun: counts?.waveBegun ?? 0, ended: counts?.waveEnded ?? 0 },
    waiting: counts?.waiting ?? 0,
    open: counts?.open ?? 0,
    undelivered: counts?.undelivered ?? 0,
    evidence: await readEvidence(sql, rollout),
  };
}

async function readEvidence(sql: Sql, rollout: FleetRolloutRow): Promise<FleetEvidence> {
  const { id, integrationId, judgedFrom } = rollout;
  const [row] = await sql.query<FleetEvidence>(
    `select count(*) filter (where settled_at >= $3)::int as ended,
            count(*) filter (where state = 'failed' and settled_at >= $3 and not failed_before and failure_code <> all($4))::int as failed,
            count(*) filter (where begun_at is not null)::int as begun,
            (select count(distinct fall.device_id) from trust_falls as fall
               join fleet_rollout_devices as fallen on fallen.fleet_rollout_id = $1 and fallen.device_id = fall.device_id
                    and fallen.begun_at <= fall.at
              where fall.integration_id = $2 and fall.at >= $3)::int as fell,
            exists (select from automatic_reissues where integration_id = $2 and halted_at >= $3) as reissues_halted
       from fleet_rollout_devices where fleet_rollout_id = $1`,
    [id, integrationId, judgedFrom, OF_NO_CHANGE],
  );
  return row ?? { ended: 0, failed: 0, begun: 0, fell: 0, reissuesHalted: false };
}

/** The next devices in their order: told to Temporal in the same transaction. Returns how many. */
export async function beginMembers(
  sql: Sql,
  rollout: FleetRolloutRow,
  devices: number,
  now: Date,
): Promise<number> {
  const [row] = await sql.query<{ begun: number }>(
    `with chosen as materialized (
       select device_id, gen_random_uuid() as outbox_id, run.run_id, run.outcome is null and run.run_id is not null as is_open
         from fleet_rollout_devices as member
         left join lateral (select run_id, outcome from rollout_runs
                             where device_id = member.device_id order by started_at desc limit 1) as run on true
        where member.fleet_rollout_id = $1 and member.state = 'waiting' order by place limit $2),
     put as (
       insert into outbox (id, ordering_key, lane, message)
       select outbox_id, device_id::text, ${rollout.pace === 'full' ? LANES.device : LANES.late}, jsonb_build_object('kind', 'rollOutDevice', 'deviceId', device_id, 'reason', $3::text) from chosen
       returning 1),
     begun as (
       update fleet_rollout_devices as member
          set state = 'begun', wave = $4, outbox_id = chosen.outbox_id, run_before = chosen.run_id, run_before_is_open = chosen.is_open,
              begun_at = $5
         from chosen where member.fleet_rollout_id = $1 and member.device_id = chosen.device_id
       returning 1),
     moved as (update fleet_rollouts set wave = $4, wave_begun_at = $5 where id = $1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select (select count(*) from begun)::int as begun, (select count(*) from told) as told`,
    [rollout.id, devices, rollout.reason, rollout.wave + 1, now],
  );
  return row?.begun ?? 0;
}

export async function haltFleetRollout(sql: Sql, id: string, halt: FleetHalt): Promise<void> {
  await sql.query(`update fleet_rollouts set status = 'halted', halt = $2 where id = $1`, [id, halt]);
}

export async function completeFleetRollout(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query(
    `update fleet_rollouts set status = 'completed', halt = null, ended_at = $2 where id = $1`,
    [id, now],
  );
}

/** In batches; returns how many went. One that holds devices back stays. */
export async function pruneFleetRollouts(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from fleet_rollouts where id in (
       select id from fleet_rollouts as old where ended_at < now() - make_interval(days => $1)
          and not exists (select from fleet_rollout_devices where fleet_rollout_id = old.id and state in ('waiting', 'begun', 'left'))
        limit 100) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
