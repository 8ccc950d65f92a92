// What is shown of a device's trust, as rows: the five truths, the bucket, and what the user declined.
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { RemovalTerms } from '../../../domain/rollout-view.ts';
import { statesOf } from '../../../domain/trust-derivation.ts';
import type { Obstacle, TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Truth, TruthObservation } from '../../../domain/trust.ts';
import type { Sql } from '../base/database.ts';
import { EVENTS_CHANNEL } from '../base/events.ts';
import type { TimelineEntry } from '../devices/device-timeline.ts';

export interface KnownTrust {
  readonly integrationId: string | null;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly bucket: TrustBucket;
  readonly obstacle: Obstacle | null;
  readonly certificateNotAfter: Date | null;
}

/** The run in which it is written: it is recorded, and its beginning told, the first time. */
export interface CurrentRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly now: Date;
}

/** The device's row, locked until the transaction ends: rollout, certificate and sweep all write here. undefined: no such device. */
export async function lockTrust(
  sql: Sql,
  deviceId: string,
  run?: CurrentRun,
): Promise<KnownTrust | undefined> {
  const [known] = await sql.query<KnownTrust>(
    `with run as (
       insert into rollout_runs (run_id, device_id, workflow_id, started_at)
       select $2, id, $3, $4 from devices where id = $1 and $2::text is not null on conflict (run_id) do nothing returning 1),
     told as (
       insert into device_timeline (device_id, at, kind, text) select $1, $4, 'rollout_started', 'A rollout started.' from run)
     insert into device_trust (device_id, bucket) select id, 'out_of_scope' from devices where id = $1
     on conflict (device_id) do update set device_id = excluded.device_id
     returning integration_id, phase, waits_for, failure_code, bucket, obstacle, certificate_not_after`,
    [deviceId, run?.runId ?? null, run?.workflowId ?? null, run?.now ?? null],
  );
  return known;
}

export interface WrittenTrust {
  readonly integrationId: string | null;
  readonly bucket: TrustBucket;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly obstacle: Obstacle | null;
  readonly failureCode: string | null;
  readonly certificateNotAfter: Date | null;
  /** null: stays. */
  readonly removalTerms: RemovalTerms | null;
  readonly isVerified: boolean;
  readonly observations: readonly TruthObservation[];
  /** Entries of the timeline, the oldest first. */
  readonly told: readonly TimelineEntry[];
  /** Data of the event `device.trust_changed`; null: there is none. */
  readonly event: object | null;
}

/** One statement for all that is shown of a device's trust. */
export async function writeTrust(sql: Sql, deviceId: string, trust: WrittenTrust, now: Date): Promise<void> {
  const { observations } = trust;
  const states = statesOf(observations);
  // A truth that does not apply to the platform counts as held.
  const counted = (truth: Truth) => states[truth] === 'held' || states[truth] === 'not_applicable';
  await sql.query(
    `with truths as (
       insert into device_truths (device_id, truth, state, evidence, since)
       select $1, truth, state, evidence, $14 from unnest($16::text[], $17::text[], $18::text[]) as seen (truth, state, evidence)
       on conflict (device_id, truth) do update set state = excluded.state, evidence = excluded.evidence,
         since = case when device_truths.state = excluded.state then device_truths.since else excluded.since end),
     told as (
       insert into device_timeline (device_id, at, kind, text, detail)
       select $1, $14, entry ->> 'kind', entry ->> 'text', coalesce(entry -> 'detail', '{}')
         from jsonb_array_elements($19::jsonb) with ordinality as entries (entry, place) order by place),
     event as (
       insert into events (kind, subject, data)
       select 'device.trust_changed', 'device:' || $1::text, $20::jsonb where $20::jsonb is not null returning 1),
     trust as (
       update device_trust set integration_id = $2, bucket = $3, delivered = $4, certificate_present = $5, okta_verify_managed = $6,
              registered = $7, managed = $8, phase = $9, waits_for = $10, failure_code = $11,
              certificate_not_after = coalesce($12, certificate_not_after),
              verified_at = case when $13 then $14 else verified_at end,
              trusted_at = case when $3 <> 'trusted' then null else coalesce(trusted_at, $14) end,
              app_refusals = case when $6 then 0 else app_refusals end, changed_at = now(),
              removal_terms = coalesce($15, removal_terms), obstacle = $21
        where device_id = $1::uuid)
     select pg_notify('${EVENTS_CHANNEL}', '') from event`,
    [
      deviceId,
      trust.integrationId,
      trust.bucket,
      counted('delivered'),
      states.certificatePresent === 'not_applicable' ? null : counted('certificatePresent'),
      counted('oktaVerifyManaged'),
      counted('registered'),
      counted('managed'),
      trust.phase,
      trust.waitsFor,
      trust.failureCode,
      trust.certificateNotAfter,
      trust.isVerified,
      now,
      trust.removalTerms,
      observations.map(({ truth }) => truth),
      observations.map(({ state }) => state),
      observations.map(({ evidence }) => evidence),
      JSON.stringify(trust.told),
      trust.event,
      trust.obstacle,
    ],
  );
}

/** The user declined Okta Verify. Counted once for each `refusedAt`. */
export async function recordRefusal(sql: Sql, deviceId: string, refusedAt: Date): Promise<void> {
  await sql.query(
    `update device_trust set app_refusals = app_refusals + 1, app_refused_at = $2
      where device_id = $1 and (app_refused_at is null or app_refused_at < $2)`,
    [deviceId, refusedAt],
  );
}

/** Somebody asked for another try: the user is asked again. */
export async function deleteRefusals(sql: Sql, deviceId: string): Promise<void> {
  await sql.query('update device_trust set app_refusals = 0, app_refused_at = null where device_id = $1', [
    deviceId,
  ]);
}
