// Devices that Okta stopped counting, and where Odette halted its re-issues until a person releases them.
import {
  SIGN_IN_HOURS,
  TOGETHER_MINUTES,
  type Falls,
  type Halt,
  type HaltReason,
} from '../../../domain/automatic-reissue.ts';
import type { Platform } from '../../../domain/device.ts';
import { appendAudit } from '../base/audit.ts';
import type { Sql } from '../base/database.ts';
import { appendEvent } from '../base/events.ts';
import { requestRenewals } from './enqueue-rollouts.ts';

export interface Fall {
  readonly deviceId: string;
  readonly integrationId: string;
  readonly platform: Platform;
  readonly limitPerHour: number;
  /** A new certificate would help. */
  readonly canReissue: boolean;
  /** The workflow's clock. */
  readonly now: Date;
}

/** When it was halted, or null. Locked until the transaction ends: two that count at once would both go on. */
export async function lockReissues(sql: Sql, { integrationId, platform }: Fall): Promise<Date | null> {
  const [row] = await sql.query<{ haltedAt: Date | null }>(
    `insert into automatic_reissues (integration_id, platform) values ($1, $2)
     on conflict (integration_id, platform) do update set platform = excluded.platform returning halted_at`,
    [integrationId, platform],
  );
  return row?.haltedAt ?? null;
}

export async function insertFall(sql: Sql, fall: Fall, outcome: 'none' | 'held' | 'reissued'): Promise<void> {
  await sql.query(
    'insert into trust_falls (integration_id, device_id, platform, at, outcome) values ($1, $2, $3, $4, $5)',
    [fall.integrationId, fall.deviceId, fall.platform, fall.now, outcome],
  );
}

export async function hasFallenSince(sql: Sql, deviceId: string, since: Date): Promise<boolean> {
  const rows = await sql.query('select 1 from trust_falls where device_id = $1 and at >= $2 limit 1', [
    deviceId,
    since,
  ]);
  return rows.length > 0;
}

export async function haltReissues(sql: Sql, fall: Fall, halt: Omit<Halt, 'platform'>): Promise<void> {
  await sql.query(
    `update automatic_reissues set halted_at = $3, reason = $4, fallen = $5, managed_before = $6, resumed_by = null
      where integration_id = $1 and platform = $2`,
    [fall.integrationId, fall.platform, fall.now, halt.reason, halt.fallen, halt.managedBefore],
  );
}

export async function countFalls(sql: Sql, { integrationId, platform, deviceId, now }: Fall): Promise<Falls> {
  const [row] = await sql.query<Falls>(
    `with judged as (
       select coalesce((select resumed_at from automatic_reissues where integration_id = $1 and platform = $2), '-infinity') as from_at),
     lately as (
       select fall.device_id, fall.at, fall.outcome from trust_falls as fall, judged
        where fall.integration_id = $1 and fall.platform = $2 and fall.at > judged.from_at
          and fall.at > $4::timestamptz - make_interval(hours => ${SIGN_IN_HOURS})),
     recent as (select * from lately where at > $4::timestamptz - interval '1 hour'),
     together as (
       select device_id from recent where at > $4::timestamptz - make_interval(mins => ${TOGETHER_MINUTES}) union select $3::uuid),
     signed_in as (
       select distinct record.device_id from okta_devices as record, judged
        where $2 = 'iOS' and record.integration_id = $1 and record.platform = 'IOS' and record.device_id is not null
          and record.last_updated_at > greatest(judged.from_at, $4::timestamptz - make_interval(hours => ${SIGN_IN_HOURS})))
     select (select count(*) from signed_in)::int as signed_in,
            (select count(*) from signed_in
              where device_id in (select device_id from lately union select $3::uuid))::int as fell_signed_in,
            (select count(*) from together)::int as together,
            (select count(*) from together)::int + (
              select count(*) from device_trust as trust join devices as device on device.id = trust.device_id
               where trust.integration_id = $1 and trust.managed and device.platform = $2
                 and trust.device_id not in (select device_id from together))::int as managed_before,
            (select count(*) from recent where outcome = 'reissued')::int as reissued_in_hour`,
    [integrationId, platform, deviceId, now],
  );
  return row ?? { together: 1, managedBefore: 1, reissuedInHour: 0, signedIn: 0, fellSignedIn: 0 };
}

export interface HaltedReissue extends Halt {
  readonly integrationId: string;
  readonly haltedAt: Date;
  /** Devices that wait for a person's word: those that Okta still does not count. */
  readonly held: number;
}

export const listHaltedReissues = (sql: Sql, integrationId?: string): Promise<HaltedReissue[]> =>
  sql.query<HaltedReissue & { readonly reason: HaltReason }>(
    `select halted.integration_id, halted.platform, halted.halted_at, halted.reason, halted.fallen,
            halted.managed_before, (
              select count(distinct fall.device_id)::int from trust_falls as fall
                join device_trust as trust on trust.device_id = fall.device_id and trust.integration_id = halted.integration_id
               where fall.integration_id = halted.integration_id and fall.platform = halted.platform and fall.outcome = 'held'
                 and not trust.managed) as held
       from automatic_reissues as halted
      where halted.halted_at is not null and ($1::uuid is null or halted.integration_id = $1)
      order by halted.halted_at, halted.platform`,
    [integrationId ?? null],
  );

/** A person says that Odette goes on. What was held is re-issued where it is still needed. Returns of how many devices; undefined: it was not halted. */
export async function resumeReissues(
  sql: Sql,
  which: { readonly integrationId: string; readonly platform: Platform; readonly actor: string },
): Promise<number | undefined> {
  const { integrationId, platform, actor } = which;
  const [resumed] = await sql.query(
    `update automatic_reissues set halted_at = null, reason = null, resumed_at = now(), resumed_by = $3
      where integration_id = $1 and platform = $2 and halted_at is not null returning platform`,
    [integrationId, platform, actor],
  );
  if (resumed === undefined) return undefined;
  const held = await sql.query<{ deviceId: string }>(
    `with released as (
       update trust_falls set outcome = 'released' where integration_id = $1 and platform = $2 and outcome = 'held' returning device_id)
     select distinct released.device_id from released
       join device_trust as trust on trust.device_id = released.device_id and trust.integration_id = $1
      where not trust.managed order by 1`,
    [integrationId, platform],
  );
  const deviceIds = held.map(({ deviceId }) => deviceId);
  const devices = await requestRenewals(
    sql,
    deviceIds,
    'Okta no longer counts the device as managed; an operator resumed automatic re-issues',
    actor,
  );
  const subject = `integration:${integrationId}`;
  await appendAudit(sql, { actor, action: 'reissue.resumed', subject, detail: { platform, devices } });
  await appendEvent(sql, { kind: 'integration.changed', subject });
  return devices;
}

/** In batches; what still waits for a person stays. Returns how many went. */
export async function pruneFalls(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from trust_falls where id in (
       select id from trust_falls where at < now() - make_interval(days => $1) and outcome <> 'held' limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
