// What is shown of a device's trust, as rows: the five truths, the bucket, and what the user declined.
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { RemovalTerms } from '../../../domain/rollout-view.ts';
import { statesOf } from '../../../domain/trust-derivation.ts';
import type { UseEvidence } from '../../../domain/certificate-use.ts';
import type { Obstacle, TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Truth, TruthObservation } from '../../../domain/trust.ts';
import type { Sql } from '../base/database.ts';
import { EVENTS_CHANNEL } from '../base/events.ts';
import { hasOpenRunSql, notifyingOver } from '../devices/long-polls.ts';
import type { TimelineEntry } from '../devices/device-timeline.ts';
import { provingDelivery, type Proof } from './proof.ts';

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

/**
 * The CTE `run`: the run of the device $1 is recorded, if there is one and it is new. One before it that did not close was ended in Temporal,
 * by a termination or a reset.
 */
const beginningRun = (of: {
  readonly run: string;
  readonly workflow: string;
  readonly at: string;
  readonly condition: string;
}): string => `run as (
  insert into rollout_runs (run_id, device_id, workflow_id, started_at)
  select ${of.run}, id, ${of.workflow}, ${of.at}::timestamptz from devices
   where id = $1::uuid and ${of.run}::text is not null and ${of.condition}
  on conflict (run_id) do nothing returning 1),
ended_outside as (
  update rollout_runs set closed_at = ${of.at}::timestamptz, outcome = 'failed', failure_code = 'rollout.canceled'
   where device_id = $1::uuid and closed_at is null and run_id <> ${of.run}::text and exists (select from run))`;

/** Its kind and text on the timeline. */
const RUN_BEGAN = `'rollout_started' as kind, 'A rollout started.' as text`;

/** The device's row, locked until the transaction ends: rollout, certificate and sweep all write here. undefined: no such device. */
export async function lockTrust(
  sql: Sql,
  deviceId: string,
  run?: CurrentRun,
): Promise<KnownTrust | undefined> {
  const [known] = await sql.query<KnownTrust>(
    `with ${beginningRun({ run: '$2', workflow: '$3', at: '$4', condition: 'true' })},
     told as (
       insert into device_timeline (device_id, at, kind, text) select $1, $4::timestamptz, ${RUN_BEGAN} from run)
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
  /** What became more certain of a certificate's use. */
  readonly use: ({ readonly deliveryId: string } & UseEvidence) | null;
}

/** In which run it is written, and what it is based on: who has not locked the device writes nothing where somebody was sooner. */
export interface SeenTrust {
  readonly run: CurrentRun | null;
  /** Of the row that was read. */
  readonly version: string;
  /** The run completes with it. */
  readonly isEnd: boolean;
  /** A delivery of a certificate that counts as proven with it; null: none. Nothing is written where it is not on its way any more. */
  readonly proof: (Proof & { readonly deliveryId: string }) | null;
}

const WRITE = `with trust as (
       update device_trust set integration_id = $2, bucket = $3, delivered = $4, certificate_present = $5, okta_verify_managed = $6,
              registered = $7, managed = $8, phase = $9, waits_for = $10, failure_code = $11,
              certificate_not_after = coalesce($12, certificate_not_after),
              verified_at = case when $13 then $14 else verified_at end,
              trusted_at = case when $3 <> 'trusted' then null else coalesce(trusted_at, $14) end,
              app_refusals = case when $6 then 0 else app_refusals end, changed_at = now(),
              removal_terms = coalesce($15, removal_terms), obstacle = $21
        where device_id = $1::uuid and ($25::text is null or xmin::text = $25)
          and ($30::text is null or exists (select from certificate_deliveries where id = $30 and device_id = $1 and state = 'sent'))
       returning 1),
     ${provingDelivery({
       device: '$1',
       delivery: '$30',
       serialNumber: '$31',
       issuer: '$32',
       notBefore: '$33',
       notAfter: '$34',
       provenAt: '$14',
       condition: 'exists (select from trust)',
     })},
     truths as (
       insert into device_truths (device_id, truth, state, evidence, since)
       select $1, truth, state, evidence, $14 from unnest($16::text[], $17::text[], $18::text[]) as seen (truth, state, evidence)
        where exists (select from trust)
       on conflict (device_id, truth) do update set state = excluded.state, evidence = excluded.evidence,
         since = case when device_truths.state = excluded.state then device_truths.since else excluded.since end),
     ${beginningRun({ run: '$26', workflow: '$27', at: '$28', condition: 'exists (select from trust)' })},
     told as (
       insert into device_timeline (device_id, at, kind, text, detail)
       select $1, at, kind, text, detail
         from (select 0 as place, $28::timestamptz as at, ${RUN_BEGAN}, '{}'::jsonb as detail from run
               union all
               select place, $14, entry ->> 'kind', entry ->> 'text', coalesce(entry -> 'detail', '{}')
                 from jsonb_array_elements($19::jsonb) with ordinality as entries (entry, place)
                where exists (select from trust)) as entries
        order by place),
     ended as (
       update rollout_runs set closed_at = $28, outcome = 'completed', failure_code = null
        where run_id = $26 and $29::boolean and exists (select from trust)
       returning device_id),
     wait_over as (
       select ${notifyingOver('device_id')}
         from (select device_id from ended
               union all
               select $1 from proven where not ${hasOpenRunSql('$1')}) as closed (device_id)),
     used as (
       update certificate_deliveries set use = $23, use_evidence = $24, use_seen_at = $14 where id = $22 and exists (select from trust)),
     event as (
       insert into events (kind, subject, data)
       select 'device.trust_changed', 'device:' || $1::text, $20::jsonb where $20::jsonb is not null and exists (select from trust)
       returning 1),
     announced as (select pg_notify('${EVENTS_CHANNEL}', '') from event)
     select (select count(*) from announced) as announced, (select count(*) from wait_over) as wait_over from trust`;

/** One statement for all that is shown of a device's trust. false: another version is shown by now, and nothing was written. */
export async function writeTrust(
  sql: Sql,
  deviceId: string,
  trust: WrittenTrust,
  now: Date,
  seen?: SeenTrust,
): Promise<boolean> {
  const { observations, use } = trust;
  const states = statesOf(observations);
  // A truth that does not apply to the platform counts as held.
  const counted = (truth: Truth) => states[truth] === 'held' || states[truth] === 'not_applicable';
  const rows = await sql.query(WRITE, [
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
    ...(use === null ? [null, null, null] : [use.deliveryId, use.use, use.evidence]),
    seen?.version ?? null,
    ...valuesOf(seen?.run ?? null),
    seen?.isEnd ?? false,
    ...proofValues(seen?.proof ?? null),
  ]);
  return rows.length > 0;
}

const proofValues = (proof: SeenTrust['proof']): unknown[] =>
  proof === null
    ? [null, null, null, null, null]
    : [proof.deliveryId, proof.serialNumber, proof.issuer, proof.notBefore, proof.notAfter];

const valuesOf = (run: CurrentRun | null): unknown[] =>
  run === null ? [null, null, null] : [run.runId, run.workflowId, run.now];

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
