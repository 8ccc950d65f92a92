// The beginning of a change that touches many devices: who is concerned and in which order, and what a preview says of it.
import {
  canarySize,
  MAX_AT_ONCE,
  wavesOf,
  type FleetChangeKind,
  type Pace,
} from '../../../domain/fleet-waves.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../../../domain/integration-settings.ts';
import { appendEvent } from '../base/events.ts';
import { appendOutboxMessage } from '../base/outbox.ts';
import type { Sql } from '../base/database.ts';
import { affectedSql, type WhichDevices } from './affected-devices.ts';
import { rollOutDevices } from './enqueue-rollouts.ts';

export interface FleetChange {
  readonly kind: FleetChangeKind;
  /** Whose trust is watched; null: of devices of several integrations, or of none. */
  readonly integrationId: string | null;
  readonly subject?: string;
  readonly reason: string;
  readonly by: string;
  readonly which: readonly WhichDevices[];
  readonly pace?: Pace;
  /** Also few devices are followed one by one. */
  readonly isTracked?: boolean;
}

export interface StartedChange {
  readonly devices: number;
  /** null: so few that all of them begin at once. */
  readonly fleetRolloutId: string | null;
}

/** Call it in the transaction of the change, after the change is written. */
export async function startFleetChange(sql: Sql, change: FleetChange): Promise<StartedChange> {
  const affected = await countAffected(sql, change.which);
  if (affected.devices === 0 || (affected.devices <= MAX_AT_ONCE && change.isTracked !== true))
    return { devices: await rollOutDevices(sql, change.which, change.reason), fleetRolloutId: null };
  const { devices, blueprintIds } = affected;
  const blueprint = await findTestBlueprint(sql, blueprintIds);
  const canary = canarySize(blueprint?.devices ?? 0);
  const [row] = await sql.query<{ id: string }>(
    `insert into fleet_rollouts (integration_id, kind, subject, reason, pace, devices, canary, canary_blueprint, settle_minutes, started_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
    [
      change.integrationId,
      change.kind,
      change.subject ?? null,
      change.reason,
      change.pace ?? 'waves',
      devices,
      canary,
      blueprint?.name ?? null,
      SETTLE_MINUTES + (await longestRemovalDelay(sql)),
      change.by,
    ],
  );
  const id = row?.id ?? '';
  await addMembers(sql, id, change, blueprint?.id ?? null);
  await appendOutboxMessage(sql, id, { kind: 'rollOutFleet', fleetRolloutId: id });
  await appendEvent(sql, { kind: 'fleet_rollout.changed', subject: `fleet_rollout:${id}` });
  return { devices, fleetRolloutId: id };
}

/** A device that is awake has ended by then. */
const SETTLE_MINUTES = 30;

/** A removal waits so long by itself; which devices leave is known device by device. */
async function longestRemovalDelay(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ minutes: number }>(
    `select ceil(coalesce(max(coalesce((settings ->> 'removalDelayMinutes')::float8, $1)), $1))::int as minutes from integrations`,
    [DEFAULT_INTEGRATION_SETTINGS.removalDelayMinutes],
  );
  return row?.minutes ?? 0;
}

async function countAffected(
  sql: Sql,
  which: readonly WhichDevices[],
): Promise<{ readonly devices: number; readonly blueprintIds: readonly string[] }> {
  const values: unknown[] = [];
  const [row] = await sql.query<{ devices: number; blueprintIds: string[] }>(
    `select count(*)::int as devices,
            coalesce(array_agg(distinct device.blueprint_id) filter (where device.blueprint_id is not null), '{}') as blueprint_ids
       from (${affectedSql(which, values)}) as affected join devices as device on device.id = affected.id`,
    values,
  );
  return row ?? { devices: 0, blueprintIds: [] };
}

/** In waves those of the test blueprint first, then of each family the one that called last; at full pace who can lose access first. */
const ORDERS: Readonly<Record<Pace, string>> = {
  waves: 'is_first desc, place_in_family, family',
  full: 'is_managed desc, last_contact_at desc nulls last, id',
};

async function addMembers(
  sql: Sql,
  id: string,
  change: FleetChange,
  blueprintId: string | null,
): Promise<void> {
  const values: unknown[] = [id, blueprintId];
  const affected = affectedSql(change.which, values);
  await sql.query(
    `with affected as materialized (${affected}),
     overtaken as (
       update fleet_rollout_devices set state = 'overtaken'
        where device_id in (select id from affected) and state in ('waiting', 'left') returning 1),
     members as (
       select device.id, device.family, device.last_contact_at, is_first,
              row_number() over (partition by device.family, is_first order by device.last_contact_at desc nulls last, device.id) as place_in_family,
              coalesce(trust.managed, false) as is_managed, trust.failure_code is not null as failed_before
         from affected join devices as device on device.id = affected.id
        cross join lateral (select coalesce(device.blueprint_id = $2::uuid, false) as is_first) as first
         left join device_trust as trust on trust.device_id = device.id)
     insert into fleet_rollout_devices (fleet_rollout_id, device_id, place, failed_before)
     select $1, id, row_number() over (order by ${ORDERS[change.pace ?? 'waves']}), failed_before from members`,
    values,
  );
}

/** The name under which a test blueprint is proposed. */
export const TEST_BLUEPRINT = 'Okta Device Trust test';

interface TestBlueprint {
  readonly id: string;
  readonly name: string;
  readonly devices: number;
}

/** The one that Odette proposes for a test, or the smallest, if it is small; undefined: all devices are in one, or in large ones. */
async function findTestBlueprint(
  sql: Sql,
  blueprintIds: readonly string[],
): Promise<TestBlueprint | undefined> {
  if (blueprintIds.length < 2) return undefined;
  const [row] = await sql.query<TestBlueprint>(
    `select id, name, devices from blueprints cross join lateral (select devices_in_blueprint(id) as devices) as counted
      where id = any($1) and devices > 0 and (devices <= ${MAX_AT_ONCE} or starts_with(name, $2))
      order by starts_with(name, $2) desc, devices, name limit 1`,
    [blueprintIds, TEST_BLUEPRINT],
  );
  return row;
}

export interface WavesPreview {
  readonly devices: number;
  /** Each device is woken by one at least. */
  readonly pushes: number;
  readonly canaryBlueprint: string | null;
  /** Devices of each wave, the canary first; one: all at once. */
  readonly waves: number[];
  /** Where devices are awake: as long as the last rollouts took. */
  readonly minutes: number;
}

/** What a change of so many devices would be, before it is written. */
export async function previewWaves(
  sql: Sql,
  devices: number,
  blueprintIds: readonly string[],
  pace: Pace = 'waves',
): Promise<WavesPreview> {
  const blueprint = await findTestBlueprint(sql, blueprintIds);
  const isAtOnce = devices <= MAX_AT_ONCE || pace === 'full';
  const waves = isAtOnce ? [devices] : wavesOf(devices, canarySize(blueprint?.devices ?? 0));
  const seconds = await usualSeconds(sql);
  return {
    devices,
    pushes: devices,
    canaryBlueprint: isAtOnce ? null : (blueprint?.name ?? null),
    waves,
    minutes: Math.ceil(Math.max(waves.length * seconds, devices / DEVICES_A_SECOND) / 60),
  };
}

/** Measured on the smallest machine (docs/performance.md). */
const DEVICES_A_SECOND = 1.5;
const FIRST_GUESS_SECONDS = 60;

/** Nine of ten of the last completed runs took no longer. */
async function usualSeconds(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ seconds: number | null }>(
    `select percentile_cont(0.9) within group (order by extract(epoch from closed_at - started_at))::float8 as seconds
       from (select started_at, closed_at from rollout_runs where outcome = 'completed' order by started_at desc limit 200) as last`,
  );
  return row?.seconds ?? FIRST_GUESS_SECONDS;
}
