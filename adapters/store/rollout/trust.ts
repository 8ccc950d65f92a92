// What is shown of a device's trust, as rows: the five truths, the bucket, and what the user declined.
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { RolloutView } from '../../../domain/rollout-view.ts';
import { statesOf } from '../../../domain/trust-derivation.ts';
import type { Obstacle, TrustBucket } from '../../../domain/trust-bucket.ts';
import type { Truth, TruthObservation, TruthState } from '../../../domain/trust.ts';
import type { Sql } from '../base/database.ts';

export interface KnownTrust {
  readonly integrationId: string | null;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly bucket: TrustBucket;
}

export interface KnownTruth {
  readonly truth: Truth;
  readonly state: TruthState;
}

/** The device's row, locked until the transaction ends: rollout, certificate and sweep all write here. undefined: no such device. */
export async function lockTrust(sql: Sql, deviceId: string): Promise<KnownTrust | undefined> {
  const [known] = await sql.query<KnownTrust>(
    `insert into device_trust (device_id, bucket) select id, 'out_of_scope' from devices where id = $1
     on conflict (device_id) do update set device_id = excluded.device_id
     returning integration_id, phase, waits_for, failure_code, bucket`,
    [deviceId],
  );
  return known;
}

export const listTruths = (sql: Sql, deviceId: string): Promise<KnownTruth[]> =>
  sql.query<KnownTruth>('select truth, state from device_truths where device_id = $1', [deviceId]);

export async function writeTruths(
  sql: Sql,
  deviceId: string,
  observations: readonly TruthObservation[],
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into device_truths (device_id, truth, state, evidence, since)
       select $1, truth, state, evidence, $2 from unnest($3::text[], $4::text[], $5::text[]) as seen (truth, state, evidence)
     on conflict (device_id, truth) do update set state = excluded.state, evidence = excluded.evidence,
       since = case when device_truths.state = excluded.state then device_truths.since else excluded.since end`,
    [
      deviceId,
      now,
      observations.map(({ truth }) => truth),
      observations.map(({ state }) => state),
      observations.map(({ evidence }) => evidence),
    ],
  );
}

export interface WrittenTrust {
  readonly bucket: TrustBucket;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly obstacle: Obstacle | null;
  readonly failureCode: string | null;
  readonly certificateNotAfter: Date | null;
  readonly now: Date;
  readonly isVerified: boolean;
}

export async function writeTrust(
  sql: Sql,
  view: RolloutView,
  observations: readonly TruthObservation[],
  trust: WrittenTrust,
): Promise<void> {
  const states = statesOf(observations);
  // A truth that does not apply to the platform counts as held.
  const counted = (truth: Truth) => states[truth] === 'held' || states[truth] === 'not_applicable';
  await sql.query(
    `update device_trust set integration_id = $2, bucket = $3, delivered = $4, certificate_present = $5, okta_verify_managed = $6,
            registered = $7, managed = $8, phase = $9, waits_for = $10, failure_code = $11, certificate_not_after = coalesce($12, certificate_not_after),
            verified_at = case when $13 then $14 else verified_at end,
            trusted_at = case when $3 <> 'trusted' then null else coalesce(trusted_at, $14) end,
            app_refusals = case when $6 then 0 else app_refusals end, changed_at = now(),
            removal_terms = coalesce($15, removal_terms), obstacle = $16
      where device_id = $1`,
    [
      view.deviceId,
      view.desired?.integrationId ?? null,
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
      trust.now,
      // While it has an item: on these its payloads would go.
      view.desired === null ? null : view.removal,
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
