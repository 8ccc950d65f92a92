// Fleet rollouts as people see and steer them: which there are, how far each is, which device is in which state.
import type {
  FleetChangeKind,
  FleetHalt,
  FleetOrder,
  FleetStatus,
  MemberState,
  Pace,
} from '../../../domain/fleet-waves.ts';
import type { Sql } from '../base/database.ts';

export interface FleetRolloutRow {
  readonly id: string;
  readonly integrationId: string | null;
  readonly kind: FleetChangeKind;
  readonly subject: string | null;
  readonly reason: string;
  readonly status: FleetStatus;
  readonly pace: Pace;
  readonly devices: number;
  readonly canary: number;
  readonly canaryBlueprint: string | null;
  readonly settleMinutes: number;
  readonly wave: number;
  readonly waveBegunAt: Date | null;
  readonly halt: FleetHalt | null;
  readonly judgedFrom: Date;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly steeredAt: Date | null;
  readonly steeredBy: string | null;
  readonly steeringReason: string | null;
  readonly endedAt: Date | null;
}

export type MemberCounts = Readonly<Record<MemberState, number>>;

const COLUMNS = `id, integration_id, kind, subject, reason, status, pace, devices, canary,
  canary_blueprint, settle_minutes, wave, wave_begun_at, halt,
  judged_from, started_at, started_by, steered_at,
  steered_by, steering_reason, ended_at`;

/** Those that have not ended, and the newest of the last thirty days. */
export const listFleetRollouts = (sql: Sql, limit: number): Promise<FleetRolloutRow[]> =>
  sql.query<FleetRolloutRow>(
    `select ${COLUMNS} from fleet_rollouts where ended_at is null or started_at > now() - interval '30 days'
      order by ended_at is not null, started_at desc limit $1`,
    [limit],
  );

export async function findFleetRollout(sql: Sql, id: string): Promise<FleetRolloutRow | undefined> {
  const [row] = await sql.query<FleetRolloutRow>(`select ${COLUMNS} from fleet_rollouts where id = $1`, [id]);
  return row;
}

/** Held until the transaction ends: an order and the next wave never cross. */
export async function lockFleetRollout(sql: Sql, id: string): Promise<FleetRolloutRow | undefined> {
  const [row] = await sql.query<FleetRolloutRow>(
    `select ${COLUMNS} from fleet_rollouts where id = $1 for update`,
    [id],
  );
  return row;
}

export async function countMembers(sql: Sql, id: string): Promise<MemberCounts> {
  const rows = await sql.query<{ state: MemberState; devices: number }>(
    'select state, count(*)::int as devices from fleet_rollout_devices where fleet_rollout_id = $1 group by state',
    [id],
  );
  const none: MemberCounts = { waiting: 0, begun: 0, completed: 0, failed: 0, left: 0, overtaken: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, devices }) => [state, devices])) };
}

export interface FleetMember {
  readonly deviceId: string;
  readonly name: string | null;
  readonly serialNumber: string | null;
  readonly state: MemberState;
  readonly place: number;
  readonly wave: number | null;
  readonly failureCode: string | null;
}

export const listMembers = (
  sql: Sql,
  id: string,
  page: { readonly state?: MemberState | undefined; readonly after: number; readonly limit: number },
): Promise<FleetMember[]> =>
  sql.query<FleetMember>(
    `select member.device_id, device.name, device.serial_number, member.state, member.place, member.wave,
            member.failure_code
       from fleet_rollout_devices as member join devices as device on device.id = member.device_id
      where member.fleet_rollout_id = $1 and ($2::text is null or member.state = $2) and member.place > $3
      order by member.place limit $4`,
    [id, page.state ?? null, page.after, page.limit],
  );

const STATUS_AFTER: Readonly<Record<FleetOrder, FleetStatus>> = {
  pause: 'paused',
  resume: 'running',
  all_at_once: 'running',
  abort: 'aborted',
};

/**
 * An order that is allowed, of a locked rollout. What Temporal was not told yet is taken back by a pause or an abort. What happened before
 * a resumption is judged.
 */
export async function steerFleetRollout(
  sql: Sql,
  id: string,
  order: FleetOrder,
  by: { readonly actor: string; readonly reason: string | undefined },
): Promise<void> {
  const status = STATUS_AFTER[order];
  const goesOn = status === 'running';
  await sql.query(
    `update fleet_rollouts set status = $2, pace = case when $3 = 'all_at_once' then 'full' else pace end,
            halt = case when $4 then null else halt end, judged_from = case when $4 then now() else judged_from end,
            steered_at = now(), steered_by = $5, steering_reason = $6, ended_at = case when $2 = 'aborted' then now() end
      where id = $1`,
    [id, status, order, goesOn, by.actor, by.reason ?? null],
  );
  if (!goesOn) await takeBack(sql, id);
  if (order === 'abort')
    await sql.query(
      `update fleet_rollout_devices set state = 'left' where fleet_rollout_id = $1 and state = 'waiting'`,
      [id],
    );
}

/** A row that the relay holds goes on. */
async function takeBack(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `with taken as (
       delete from outbox using fleet_rollout_devices as member
        where member.fleet_rollout_id = $1 and member.state = 'begun' and outbox.id = member.outbox_id and outbox.delivered_at is null
          and (outbox.claimed_until is null or outbox.claimed_until < now())
       returning outbox.id)
     update fleet_rollout_devices set state = 'waiting', wave = null, outbox_id = null, begun_at = null
      where fleet_rollout_id = $1 and outbox_id in (select id from taken)`,
    [id],
  );
}
