// Derives a device's trust anew from all evidence whenever some of it changed, and requests what follows from it.
// Long, because what is derived is written in two ways, under a lock and by a version, which must stay the same.
import type { Database, Sql } from '../adapters/store/base/database.ts';
import type { TimelineEntry } from '../adapters/store/devices/device-timeline.ts';
import { oktaFactsOf, type SeenOktaFacts } from '../adapters/store/integration/okta-devices.ts';
import { readDeviceState, rolloutViewOf, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { hasFallenSince } from '../adapters/store/rollout/automatic-reissues.ts';
import {
  lockTrust,
  writeTrust,
  type CurrentRun,
  type KnownTrust,
  type SeenTrust,
  type WrittenTrust,
} from '../adapters/store/rollout/trust.ts';
import { isFall } from '../domain/automatic-reissue.ts';
import { isMoreCertain, useOf, type CertificateUse } from '../domain/certificate-use.ts';
import { isAsItShouldBe } from '../domain/device-check.ts';
import { asksForCertificate, findingOf } from '../domain/okta-finding.ts';
import type { RolloutPhase } from '../domain/rollout-action.ts';
import { waitsForUserChannel, type RolloutView } from '../domain/rollout-view.ts';
import { deriveBucket, type TrustBucket } from '../domain/trust-bucket.ts';
import { deriveTruths, statesOf } from '../domain/trust-derivation.ts';
import { truthChangeText, waitsForText } from '../domain/trust-text.ts';
import type { TruthObservation } from '../domain/trust.ts';
import { onFall } from './automatic-reissue.ts';

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

/**
 * Derives the five truths from the tables and writes them, with bucket, flags, text, timeline and event, where any of it is new. Where
 * Okta no longer says MANAGED, it requests a new certificate. Call it inside a transaction. undefined: there is no such device (any more).
 */
export async function refreshTrust(
  sql: Sql,
  deviceId: string,
  change: TrustChange,
): Promise<TrustSummary | undefined> {
  const locked = await lockState(sql, deviceId);
  return locked && refreshLocked(sql, locked, change);
}

export interface LockedState {
  readonly known: KnownTrust;
  readonly state: DeviceState;
}

/** First the lock, then the look: who waited for it sees what was written meanwhile. */
export async function lockState(
  sql: Sql,
  deviceId: string,
  run?: CurrentRun,
): Promise<LockedState | undefined> {
  const known = await lockTrust(sql, deviceId, run);
  const state = await readDeviceState(sql, deviceId);
  return known === undefined || state === undefined ? undefined : { known, state };
}

/** `refreshTrust` for whoever has locked and read it. */
export async function refreshLocked(
  sql: Sql,
  { known, state }: LockedState,
  change: TrustChange,
): Promise<TrustSummary> {
  const derived = deriveTrust(known, state, change);
  const { written, summary } = derived;
  if (isNews(known, state, written)) await writeTrust(sql, state.id, written, change.now);
  // Here and nowhere else: whoever sees the fall first also writes that it was seen, so nobody sees it after him.
  if (isFall(derived.evidence.finding) && (await hasFallen(sql, state, derived.evidence)))
    await reissueAfterFall(sql, known, state, derived.evidence, change.now);
  return summary;
}

/** `refreshTrust` for whoever has nothing else to write: it waits for nobody. */
export async function refreshAlone(
  database: Database,
  deviceId: string,
  change: TrustChange,
): Promise<TrustSummary | undefined> {
  const state = await readDeviceState(database, deviceId);
  if (state === undefined) return undefined;
  const trust = await refreshSeen(database, state, change);
  return typeof trust === 'object'
    ? trust
    : database.inTransaction((sql) => refreshTrust(sql, deviceId, change));
}

interface WrittenBeside {
  /** What the timeline says of the run that completes with it; null: it goes on. */
  readonly ended?: readonly TimelineEntry[] | null;
  /** The delivery that counts as proven with it, and does in the state already; null: none. */
  readonly proof?: (NonNullable<SeenTrust['proof']> & { readonly told: TimelineEntry }) | null;
}

/**
 * `refreshTrust`, of a run or not, for whoever has read the state and locked nothing: one statement at most. needs_lock: more than that follows,
 * or nothing is shown yet. changed: somebody else wrote meanwhile, and it must be read again.
 */
export async function refreshSeen(
  sql: Sql,
  state: DeviceState,
  change: TrustChange,
  run: CurrentRun | null = null,
  { ended = null, proof = null }: WrittenBeside = {},
): Promise<TrustSummary | 'needs_lock' | 'changed'> {
  const { shown: known } = state;
  if (known === null) return 'needs_lock';
  const { evidence, written, summary } = deriveTrust(known, state, change);
  if (isFall(evidence.finding) && mayHaveFallen(state, evidence)) return 'needs_lock';
  // The first look of a run records it.
  const isFirst = run !== null && state.newestRunId !== run.runId;
  if (isFirst && ended !== null) return 'needs_lock';
  // A delivery's row is written once.
  if (proof !== null && written.use !== null) return 'needs_lock';
  if (!isFirst && ended === null && proof === null && !isNews(known, state, written)) return summary;
  const { version } = known;
  const told = [...(proof === null ? [] : [proof.told]), ...written.told, ...(ended ?? [])];
  const seen = { version, run, isEnd: ended !== null, proof };
  return (await writeTrust(sql, state.id, { ...written, told }, change.now, seen)) ? summary : 'changed';
}

interface DerivedTrust {
  readonly evidence: Evidence;
  readonly written: WrittenTrust;
  readonly summary: TrustSummary;
}

function deriveTrust(known: KnownTrust, state: DeviceState, change: TrustChange): DerivedTrust {
  const evidence = evidenceOf(state, change.now);
  const { view, observations } = evidence;
  const shown = shownTrust(known, state, evidence, change);
  const certificateNotAfter = newestEnd(state);
  const { bucket, phase, waitsFor } = shown;
  const hasEvent = bucket !== known.bucket || phase !== known.phase || waitsFor !== known.waitsFor;
  const written: WrittenTrust = {
    ...shown,
    integrationId: view.desired?.integrationId ?? null,
    certificateNotAfter,
    // While it has an item: on these its payloads would go.
    removalTerms: view.desired === null ? null : view.removal,
    isVerified: change.isVerified === true,
    observations,
    told: truthChanges(state, observations),
    event: hasEvent
      ? { bucket, phase, waitsFor, failureCode: shown.failureCode, truths: statesOf(observations) }
      : null,
    use: evidence.use,
  };
  return { evidence, written, summary: { view, bucket, waitsFor, certificateNotAfter } };
}

/** A fleet that is looked at every few minutes would be written anew each time. */
function isNews(known: KnownTrust, state: DeviceState, written: WrittenTrust): boolean {
  const { removalTerms } = written;
  return (
    written.isVerified ||
    written.event !== null ||
    written.use !== null ||
    written.obstacle !== known.obstacle ||
    written.integrationId !== known.integrationId ||
    written.failureCode !== known.failureCode ||
    (written.certificateNotAfter !== null &&
      written.certificateNotAfter.getTime() !== known.certificateNotAfter?.getTime()) ||
    (removalTerms !== null &&
      (removalTerms.delayMinutes !== state.removalTerms?.delayMinutes ||
        removalTerms.removesApp !== state.removalTerms.removesApp)) ||
    written.observations.some(
      ({ truth, state: each, evidence }) =>
        state.truths[truth]?.state !== each ||
        state.truths[truth].evidence !== evidence ||
        (truth === 'oktaVerifyManaged' && each === 'held' && state.appRefusals > 0),
    )
  );
}

interface Evidence {
  readonly view: RolloutView;
  readonly okta: SeenOktaFacts | null;
  readonly finding: ReturnType<typeof findingOf>;
  readonly use: WrittenTrust['use'];
  /** Of the newest certificate. null: this integration has none on the device. */
  readonly certificateUse: CertificateUse | null;
  readonly observations: readonly TruthObservation[];
}

function evidenceOf(state: DeviceState, now: Date): Evidence {
  const view = rolloutViewOf(state, now.getTime());
  const okta = view.desired === null ? null : oktaFactsOf(state.okta);
  const finding = findingOf({
    platform: view.platform,
    okta,
    userName: state.userName,
    countsAnyUser: view.desired?.settings.countsAnyUser ?? false,
  });
  const { use, certificateUse } = certificateUseOf(state, view.desired?.integrationId, okta);
  const observations = deriveTruths({ view, okta, finding, certificateUse });
  return { view, okta, finding, use, certificateUse, observations };
}

/** What people see: the bucket, and what the device waits for. */
function shownTrust(
  known: KnownTrust,
  state: DeviceState,
  { view, finding, observations }: Evidence,
  wanted: TrustChange,
): Pick<WrittenTrust, 'bucket' | 'phase' | 'waitsFor' | 'obstacle' | 'failureCode'> {
  const change: TrustChange = isOnlyAsleep(wanted, view)
    ? { now: wanted.now, phase: 'delivered', failureCode: null }
    : wanted;
  const phase = change.phase ?? known.phase;
  const failureCode = change.failureCode === undefined ? known.failureCode : change.failureCode;
  const derived = deriveBucket({
    enrollment: view.enrollmentStatus,
    family: view.family,
    pushProblem: state.pushProblem,
    lastContactAtMs: state.lastContactAt?.getTime() ?? null,
    nowMs: change.now.getTime(),
    isInScope: view.desired !== null,
    asksToReturn: state.returnAskedAt !== null,
    states: statesOf(observations),
    phase,
    failureCode,
    licenseFailureCode: state.licenseFailureCode,
    finding: finding.kind,
    appComesFromElsewhere: view.desired?.appComesFromElsewhere ?? false,
    waitsForUserChannel: waitsForUserChannel(view, view.desired),
  });
  const { bucket } = derived;
  // What another step said stays until the phase or the bucket changes.
  const isSame =
    change.phase === undefined &&
    change.waitsFor === undefined &&
    bucket === known.bucket &&
    derived.obstacle === null;
  const usual = isSame ? known.waitsFor : waitsForText(phase, state, derived, failureCode);
  return { bucket, phase, waitsFor: change.waitsFor ?? usual, obstacle: derived.obstacle, failureCode };
}

/** What has everything and does not say so again has not failed: it sleeps, as after a reset of a rollout that ended well. */
const isOnlyAsleep = ({ failureCode, now }: TrustChange, view: RolloutView): boolean =>
  failureCode === 'mdm.device_silent' && view.desired !== null && isAsItShouldBe(view, now.getTime());

function truthChanges(state: DeviceState, observations: readonly TruthObservation[]): TimelineEntry[] {
  return observations.flatMap(({ truth, state: now, evidence }) => {
    const before = state.truths[truth]?.state;
    const text = before === now ? undefined : truthChangeText(truth, before, now);
    return text === undefined ? [] : [{ kind: `truth_${now}`, text, detail: { truth, evidence } }];
  });
}

/** Counted until now; or not counted for its user, while Okta took the certificate that it takes no more. */
const mayHaveFallen = (state: DeviceState, { certificateUse }: Evidence): boolean =>
  state.truths.managed?.state === 'held' || certificateUse === 'proven';

/** The same, once. */
async function hasFallen(sql: Sql, state: DeviceState, { certificateUse }: Evidence): Promise<boolean> {
  if (state.truths.managed?.state === 'held') return true;
  const provenAt = newestProven(state)?.provenAt;
  if (certificateUse !== 'proven' || typeof provenAt !== 'string') return false;
  return !(await hasFallenSince(sql, state.id, new Date(provenAt)));
}

async function reissueAfterFall(
  sql: Sql,
  { integrationId }: KnownTrust,
  state: DeviceState,
  { view, okta, finding }: Evidence,
  now: Date,
): Promise<void> {
  // Another integration's silence says nothing of this one.
  if (integrationId === null || view.desired?.integrationId !== integrationId) return;
  await onFall(sql, {
    deviceId: state.id,
    integrationId,
    platform: view.platform,
    limitPerHour: view.desired.settings.reissuesPerHour,
    canReissue:
      asksForCertificate(finding, okta?.match ?? null) &&
      newestProven(state)?.integrationId === integrationId,
    now,
  });
}

const newestProven = (state: DeviceState) => state.deliveries.find(({ state: each }) => each === 'proven');

/** What is known of the newest certificate's use, and what of it is new. null: this integration has none on the device. */
function certificateUseOf(
  state: DeviceState,
  integrationId: string | undefined,
  okta: SeenOktaFacts | null,
): { readonly certificateUse: CertificateUse | null; readonly use: WrittenTrust['use'] } {
  const newest = newestProven(state);
  if (newest === undefined || newest.provenAt === null || newest.integrationId !== integrationId)
    return { certificateUse: null, use: null };
  const { serialNumber, provenAt } = newest;
  const seen = useOf({ provenAtMs: Date.parse(provenAt), serialNumber }, okta?.traces ?? null);
  if (!isMoreCertain(seen.use, newest.use)) return { certificateUse: newest.use, use: null };
  return { certificateUse: seen.use, use: { deliveryId: newest.id, ...seen } };
}

function newestEnd(state: DeviceState): Date | null {
  const notAfter = newestProven(state)?.notAfter;
  return notAfter === null || notAfter === undefined ? null : new Date(notAfter);
}
