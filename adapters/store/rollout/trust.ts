// What is shown of a device's trust: derived again from all evidence whenever some of it changed, written where it differs.
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { RolloutView } from '../../../domain/rollout-view.ts';
import { isFall } from '../../../domain/automatic-reissue.ts';
import { isMoreCertain, useOf, type CertificateUse } from '../../../domain/certificate-use.ts';
import { asksForCertificate, findingOf } from '../../../domain/okta-finding.ts';
import { deriveTruths, statesOf } from '../../../domain/trust-derivation.ts';
import { truthChangeText, waitsForText } from '../../../domain/trust-text.ts';
import { type Truth, type TruthObservation, type TruthState } from '../../../domain/trust.ts';
import { standingOf, type TrustBucket } from '../../../domain/trust-bucket.ts';
import { onFall } from './automatic-reissues.ts';
import type { Sql } from '../base/database.ts';
import { appendTimeline } from '../devices/device-timeline.ts';
import { appendEvent } from '../base/events.ts';
import { recordUse } from './deliveries.ts';
import { findOktaFacts, type SeenOktaFacts } from '../integration/okta-devices.ts';
import { readDeviceState, rolloutViewOf, type DeviceState } from './rollout-state.ts';

export interface TrustChange {
  /** The workflow's clock. */
  readonly now: Date;
  /** Absent: stays. */
  readonly phase?: RolloutPhase;
  /** Instead of the sentence that goes with the phase: a step that waits for something of its own. null: it does no longer. */
  readonly waitsFor?: string | null;
  /** Why the rollout failed; null: it has not. Absent: stays. */
  readonly failureCode?: string | null;
  /** The desired state was seen on the device. */
  readonly isVerified?: boolean;
}

export interface TrustSummary {
  readonly view: RolloutView;
  readonly bucket: TrustBucket;
  readonly waitsFor: string | null;
  readonly certificateNotAfter: Date | null;
}

interface KnownTrust {
  readonly integrationId: string | null;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly bucket: TrustBucket;
}
interface KnownTruth {
  readonly truth: Truth;
  readonly state: TruthState;
  readonly evidence: string;
  readonly since: Date;
}

/**
 * Derives the five truths from the tables and writes them, with bucket, flags, words, timeline and event; where Okta has
 * stopped to say MANAGED, the certificate workflow is asked for a new certificate. Call it inside a transaction. undefined: there is no such device
 * (any more).
 */
export async function refreshTrust(
  sql: Sql,
  deviceId: string,
  change: TrustChange,
): Promise<TrustSummary | undefined> {
  // One at a time for each device: rollout, certificate and sweep all write here.
  const [known] = await sql.query<KnownTrust>(
    `insert into device_trust (device_id, bucket) select id, 'out_of_scope' from devices where id = $1
     on conflict (device_id) do update set device_id = excluded.device_id
     returning integration_id as "integrationId", phase, waits_for as "waitsFor", failure_code as "failureCode", bucket`,
    [deviceId],
  );
  const state = await readDeviceState(sql, deviceId);
  if (known === undefined || state === undefined) return undefined;
  const view = rolloutViewOf(state, change.now.getTime());
  const truths = await sql.query<KnownTruth>(
    'select truth, state, evidence, since from device_truths where device_id = $1',
    [deviceId],
  );
  const okta = view.desired === null ? null : await findOktaFacts(sql, deviceId, view.desired.integrationId);
  const finding = findingOf({
    platform: view.platform,
    okta,
    userName: state.userName,
    countsAnyUser: view.desired?.settings.countsAnyUser ?? false,
  });
  const observations = deriveTruths({
    view,
    okta,
    finding,
    certificateUse: await noteUse(sql, state, view.desired?.integrationId, okta, change.now),
  });
  await writeTruths(sql, deviceId, observations, truths, change.now);

  const phase = change.phase ?? known.phase;
  const failureCode = change.failureCode === undefined ? known.failureCode : change.failureCode;
  const standing = standingOf({
    enrollment: view.enrollmentStatus,
    lastContactAtMs: state.lastContactAt?.getTime() ?? null,
    nowMs: change.now.getTime(),
    isInScope: view.desired !== null,
    asksToReturn: state.returnAskedAt !== null,
    states: statesOf(observations),
    phase,
    failureCode,
    licenseFailureCode: state.licenseFailureCode,
    finding: finding.kind,
  });
  const { bucket } = standing;
  const usual = waitsForText(phase, view.family, standing, failureCode);
  // What another step said stays until the phase or the bucket changes.
  const isSame =
    change.phase === undefined &&
    change.waitsFor === undefined &&
    bucket === known.bucket &&
    standing.obstacle === null;
  const waitsFor = change.waitsFor ?? (isSame ? known.waitsFor : usual);
  const certificateNotAfter = newestEnd(state);
  await writeTrust(sql, view, observations, {
    bucket,
    phase,
    waitsFor,
    failureCode,
    certificateNotAfter,
    now: change.now,
    isVerified: change.isVerified === true,
  });
  if (bucket !== known.bucket || phase !== known.phase || waitsFor !== known.waitsFor)
    await appendEvent(sql, {
      kind: 'device.trust_changed',
      subject: `device:${deviceId}`,
      data: { bucket, phase, waitsFor, failureCode, truths: statesOf(observations) },
    });
  // Here and nowhere else: whoever sees the fall first also writes that it was seen, so nobody sees it after him.
  const wasManaged = truths.some(({ truth, state: each }) => truth === 'managed' && each === 'held');
  if (
    wasManaged &&
    isFall(finding) &&
    view.desired !== null &&
    known.integrationId !== null &&
    // Another integration's silence says nothing of this one.
    known.integrationId === view.desired?.integrationId
  )
    await onFall(sql, {
      deviceId,
      integrationId: known.integrationId,
      platform: view.platform,
      limitPerHour: view.desired.settings.reissuesPerHour,
      canReissue:
        asksForCertificate(finding, okta?.match ?? null) &&
        newestProven(state)?.integrationId === known.integrationId,
      now: change.now,
    });
  return { view, bucket, waitsFor, certificateNotAfter };
}

const newestProven = (state: DeviceState) => state.deliveries.find(({ state: each }) => each === 'proven');

/** What is known of the newest certificate's use, written where it became more certain. null: this integration has none on the device. */
async function noteUse(
  sql: Sql,
  state: DeviceState,
  integrationId: string | undefined,
  okta: SeenOktaFacts | null,
  now: Date,
): Promise<CertificateUse | null> {
  const newest = newestProven(state);
  if (newest === undefined || newest.provenAt === null || newest.integrationId !== integrationId) return null;
  const { serialNumber, provenAt } = newest;
  const seen = useOf({ provenAtMs: Date.parse(provenAt), serialNumber }, okta?.traces ?? null);
  if (!isMoreCertain(seen.use, newest.use)) return newest.use;
  await recordUse(sql, newest.id, seen, now);
  return seen.use;
}

function newestEnd(state: DeviceState): Date | null {
  const notAfter = newestProven(state)?.notAfter;
  return notAfter === null || notAfter === undefined ? null : new Date(notAfter);
}

async function writeTruths(
  sql: Sql,
  deviceId: string,
  observations: readonly TruthObservation[],
  known: readonly KnownTruth[],
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into device_truths (device_id, truth, state, evidence, at, since)
       select $1, truth, state, evidence, $2, $2 from unnest($3::text[], $4::text[], $5::text[]) as seen (truth, state, evidence)
     on conflict (device_id, truth) do update set state = excluded.state, evidence = excluded.evidence, at = excluded.at,
       since = case when device_truths.state = excluded.state then device_truths.since else excluded.since end`,
    [
      deviceId,
      now,
      observations.map(({ truth }) => truth),
      observations.map(({ state }) => state),
      observations.map(({ evidence }) => evidence),
    ],
  );
  for (const { truth, state, evidence } of observations) {
    const before = known.find((each) => each.truth === truth)?.state;
    const text = before === state ? undefined : truthChangeText(truth, before, state);
    if (text !== undefined)
      await appendTimeline(sql, deviceId, { kind: `truth_${state}`, text, detail: { truth, evidence } }, now);
  }
}

interface WrittenTrust {
  readonly bucket: TrustBucket;
  readonly phase: RolloutPhase;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly certificateNotAfter: Date | null;
  readonly now: Date;
  readonly isVerified: boolean;
}

async function writeTrust(
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
            removal_terms = coalesce($15, removal_terms)
      where device_id = $1`,
    [
      view.deviceId,
      view.desired?.integrationId ?? null,
      trust.bucket,
      counted('delivered'),
      counted('certificatePresent'),
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
