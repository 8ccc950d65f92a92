// A rollout's own records: the plan of the moment, what is shown meanwhile, and how it ended.
// Long, because a plan, what is shown of it and the end that it may be write the same row of the device.
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { findLastRefusal, withdrawUnwanted } from '../adapters/store/devices/commands.ts';
import { findLicense } from '../adapters/store/rollout/licenses.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { recordRefusal, deleteRefusals, type CurrentRun } from '../adapters/store/rollout/trust.ts';
import { lockState, refreshLocked, refreshSeen, refreshTrust, type TrustChange } from './refresh-trust.ts';
import { appendTimeline, type TimelineEntry } from '../adapters/store/devices/device-timeline.ts';
import { findPinnedIdentity } from '../adapters/store/devices/identity-certificates.ts';
import { recordRunEnd } from '../adapters/store/rollout/rollout-runs.ts';
import { deleteSentProfile } from '../adapters/store/rollout/sent-profiles.ts';
import { readDeviceState, rolloutViewOf, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import type { FailureCode } from '../domain/failures.ts';
import { notNowText, minuteText } from '../domain/trust-text.ts';
import { failedText, failureText, failureTitle } from './failure-text.ts';
import { isAssignedByNow } from './license.ts';
import { begin, type Planned, type PlanInput, type PlannedStep } from './rollout-step.ts';
import { phaseOf, planRollout } from '../domain/rollout-plan.ts';
import { memoryFor, type RolloutAction, type RolloutPhase } from '../domain/rollout-action.ts';
import type { TrustBucket } from '../domain/trust-bucket.ts';
import { isEndWithDevice, planIdentity } from '../domain/identity-plan.ts';
import { isManagedApp, type DesiredState, type RolloutView } from '../domain/rollout-view.ts';
import { lookSoon } from './okta-looks.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../domain/integration-settings.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface FailedRun {
  readonly deviceId: string;
  readonly run: { readonly runId: string; readonly workflowId: string };
  readonly failureCode: FailureCode;
  readonly nowMs: number;
}

interface EndingRun extends Omit<FailedRun, 'failureCode'> {
  readonly phase: RolloutPhase;
  readonly failureCode: FailureCode | null;
  /** What the device still waits for, which is no failure. */
  readonly waitsForCode?: FailureCode;
}

interface ClosedRollout {
  readonly bucket: TrustBucket;
  readonly waitsFor: string | null;
  /** Why it failed, with the device's own words. */
  readonly text: string;
}

export function rolloutActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /**
     * Local. Reads desired and reported state, plans the next step and shows it; where nothing is left to do it closes the run, and has Okta
     * asked about the device from now on. What the step sends is queued, and a certificate asked for. null: there is no such device any more.
     */
    async planRolloutStep(input: PlanInput): Promise<PlannedStep | null> {
      const planned = await planStep(deps, input);
      return planned && begin(deps, input, planned);
    },

    /** Local. What is pending, as text. */
    async recordWaitsFor(input: {
      readonly deviceId: string;
      readonly waitsFor: string | null;
      readonly nowMs: number;
    }): Promise<void> {
      await database.inTransaction((sql) =>
        refreshTrust(sql, input.deviceId, { now: new Date(input.nowMs), waitsFor: input.waitsFor }),
      );
    },

    /** Local. The device answers NotNow: it is locked, or busy with something else. Returns the words. */
    async recordNotNow(input: { readonly deviceId: string; readonly sinceMs: number }): Promise<string> {
      const now = new Date(input.sinceMs);
      return database.inTransaction(async (sql) => {
        const state = await readDeviceState(sql, input.deviceId);
        const waitsFor = notNowText(state?.family ?? 'Mac', now);
        await refreshTrust(sql, input.deviceId, { now, waitsFor });
        return waitsFor;
      });
    },

    /** Local. How a run ended that had not come to its end: truths, words, timeline, and the run's own row. */
    closeFailedRollout: (input: FailedRun): Promise<{ readonly text: string }> =>
      close(database, { ...input, phase: 'failed' }),

    /** Local. */
    async recordAppRefusal(input: { readonly deviceId: string; readonly nowMs: number }): Promise<void> {
      const now = new Date(input.nowMs);
      await database.inTransaction(async (sql) => {
        await recordRefusal(sql, input.deviceId, now);
        await appendTimeline(
          sql,
          input.deviceId,
          { kind: 'app_refused', text: 'The user declined Okta Verify.' },
          now,
        );
      });
    },

    /** Local. A person asked for another try. */
    async deleteAppRefusals(input: { readonly deviceId: string }): Promise<void> {
      await deleteRefusals(database, input.deviceId);
    },

    /** Local. The device has taken Odette's app configuration back. */
    async recordConfigurationRemoved(input: { readonly deviceId: string }): Promise<void> {
      await deleteSentProfile(database, input.deviceId, 'app_configuration');
    },
  };
}

/** So often somebody else is let by. */
const MAX_LOOKS = 3;

/** Reads, decides, and writes what is to be shown; who finds nothing to decide any more closes the run. */
async function planStep(deps: ActivityDependencies, given: PlanInput): Promise<Planned | null> {
  const { database } = deps;
  let takesBack = false;
  let input = given;
  for (let look = 1; look <= MAX_LOOKS; look += 1) {
    const state = await readDeviceState(database, input.deviceId);
    if (state === undefined) return null;
    if (lacksLicenseOnly(input, state) && (await isAssignedByNow(deps, state))) input = withLicense(input);
    const planned = await decide(database, deps, input, state);
    takesBack = planned.action.do === 'waitForRemovalDelay';
    if (isFinish(planned)) return finish(deps, input, planned);
    if (takesBack || planned.told !== null) break;
    const trust = await refreshSeen(database, state, await shownOf(database, input, planned), runOf(input));
    if (trust === 'needs_lock') break;
    if (trust !== 'changed') return stepOf(input, planned, trust.waitsFor);
  }
  const locked = await database.inTransaction((sql) => planLocked(sql, deps, input, takesBack));
  if (locked === 'takes_back') return planStep(deps, input);
  if (locked === null) return null;
  const { planned, waitsFor } = locked;
  return isFinish(planned) ? finish(deps, input, planned) : stepOf(input, planned, waitsFor);
}

/**
 * For whoever changes more than what is shown of the device, or was passed by again and again. What a locked device still has on offer must not
 * land during the removal delay, and stay: it is taken back before the delay is shown.
 */
async function planLocked(
  sql: Sql,
  deps: ActivityDependencies,
  input: PlanInput,
  takesBack: boolean,
): Promise<{ readonly planned: Decided; readonly waitsFor: string | null } | 'takes_back' | null> {
  const { deviceId, run } = input;
  // Whoever locks a device and its trust locks the device first.
  if (takesBack) await withdrawUnwanted(sql, { deviceId, workflowId: run.workflowId });
  const locked = await lockState(sql, deviceId, runOf(input));
  if (locked === undefined) return null;
  const planned = await decide(sql, deps, input, locked.state);
  if (isFinish(planned)) return { planned, waitsFor: null };
  if (planned.action.do === 'waitForRemovalDelay' && !takesBack) return 'takes_back';
  const trust = await refreshLocked(sql, locked, await shownOf(sql, input, planned));
  if (planned.told !== null) await appendTimeline(sql, deviceId, planned.told, new Date(input.nowMs));
  return { planned, waitsFor: trust.waitsFor };
}

const withLicense = (input: PlanInput): PlanInput => ({
  ...input,
  memory: { ...input.memory, license: 'ready' },
});

/** With it the app would be sent now. Apple is asked no sooner: it takes seconds. */
function lacksLicenseOnly(input: PlanInput, state: DeviceState): boolean {
  if (input.memory.license !== 'pending') return false;
  const view = rolloutViewOf(state, input.nowMs);
  const action = planRollout(view, memoryFor(withLicense(input).memory, view.enrollmentId), input.nowMs);
  return action.do === 'send' && action.requests.some(({ type }) => type === 'InstallApplication');
}

const runOf = ({ run, nowMs }: PlanInput): CurrentRun => ({ ...run, now: new Date(nowMs) });

interface Decided {
  readonly state: DeviceState;
  readonly view: RolloutView;
  readonly action: RolloutAction;
  /** What of it belongs on the timeline. */
  readonly told: TimelineEntry | null;
}

type Finishing = Decided & { readonly action: Extract<RolloutAction, { do: 'finish' }> };
const isFinish = (planned: Decided): planned is Finishing => planned.action.do === 'finish';

async function decide(
  sql: Sql,
  { publicUrl }: ActivityDependencies,
  input: PlanInput,
  state: DeviceState,
): Promise<Decided> {
  const view = rolloutViewOf(state, input.nowMs);
  const memory = memoryFor(input.memory, view.enrollmentId);
  const planned = planRollout(view, memory, input.nowMs);
  if (view.desired === null || publicUrl === undefined || !view.can.enroll)
    return { state, view, action: planned, told: null };
  return { state, view, ...(await renewIdentityFirst(sql, planned, view.desired, { ...input, memory })) };
}

async function shownOf(sql: Sql, input: PlanInput, { view, action }: Decided): Promise<TrustChange> {
  // How it ends is written by whoever closes the run.
  const isEnd = action.do === 'finish' || action.do === 'fail';
  const keepsFailure = input.isCheck && view.failureCode !== null;
  return {
    now: new Date(input.nowMs),
    ...(isEnd || keepsFailure ? {} : { phase: phaseOf(action), failureCode: null }),
    ...(keepsFailure ? {} : await waitsForOf(sql, input.deviceId, action)),
  };
}

function stepOf({ memory }: PlanInput, { state, view, action }: Decided, waitsFor: string | null): Planned {
  const settings = view.desired?.settings ?? DEFAULT_INTEGRATION_SETTINGS;
  return {
    state,
    action,
    phase: phaseOf(action),
    enrollmentId: view.enrollmentId,
    deviceName: state.name ?? state.serialNumber,
    words: waitsFor ?? 'Nothing pending.',
    integrationId: view.desired?.integrationId ?? null,
    patienceHours: settings.patienceHours,
    needsLicense: needsLicense(view),
    hasLicense: memory.license === 'ready',
  };
}

/** Closes the run. A device that has everything, and has just got some of it, is looked for in Okta from now on. */
async function finish(deps: ActivityDependencies, input: PlanInput, planned: Finishing): Promise<Planned> {
  const { deviceId, run, nowMs } = input;
  const { phase, code: waitsForCode } = planned.action;
  const ending = { deviceId, run, phase, failureCode: null, nowMs };
  const closed = await close(
    deps.database,
    { ...ending, ...(waitsForCode === undefined ? {} : { waitsForCode }) },
    planned,
  );
  const step = stepOf(input, planned, closed.waitsFor);
  const [first, ...later] = planned.view.desired?.settings.trustLookupSeconds ?? [];
  const { integrationId } = step;
  // One that was only verified is left to the sweep.
  const hasChanged = Object.keys(memoryFor(input.memory, planned.view.enrollmentId).tries).length > 0;
  if (closed.bucket === 'needs_user' && hasChanged && integrationId !== null && first !== undefined) {
    const look = { deviceId, integrationId, seconds: [first, ...later] as const, eventId: run.runId };
    // What cannot be done just now is left to the next sweep: the run is closed, and must not be closed again for that.
    await lookSoon(deps, look).catch(() => undefined);
  }
  return step;
}

const needsLicense = ({ desired, can, reported }: RolloutView): boolean =>
  desired !== null && can.license && !desired.appComesFromElsewhere && !isManagedApp(reported.appStatus);

/** @param planned of a moment ago, where the run completes */
async function close(database: Database, input: EndingRun, planned?: Finishing): Promise<ClosedRollout> {
  const now = new Date(input.nowMs);
  const { deviceId, failureCode } = input;
  // Nothing of it stays queued for the device. Nobody else queues for it.
  if (planned?.state.rolloutIsAsking !== false)
    await withdrawUnwanted(database, { deviceId, workflowId: input.run.workflowId });
  const waitsForCode = failureCode ?? input.waitsForCode;
  const refusal =
    waitsForCode === undefined ? undefined : await findLastRefusal(database, deviceId, waitsForCode);
  const text = waitsForCode === undefined ? '' : failedText(waitsForCode, refusal);
  const change = {
    now,
    phase: input.phase,
    failureCode,
    isVerified: failureCode === null,
    ...(waitsForCode === undefined ? {} : { waitsFor: text }),
  };
  const detail = failureCode === null ? {} : { code: failureCode, ...refusal };
  const end = { ...endText(input.phase, failureCode, text), detail };
  const told = planned?.told ? [planned.told, end] : [end];
  const run = { ...input.run, now };
  const written = planned && (await refreshSeen(database, planned.state, change, run, { ended: told }));
  const trust =
    typeof written === 'object'
      ? written
      : await database.inTransaction(async (sql) => {
          const locked = await lockState(sql, deviceId, run);
          const shown = locked && (await refreshLocked(sql, locked, change));
          const outcome = failureCode === null ? 'completed' : 'failed';
          await recordRunEnd(sql, input.run.runId, outcome, failureCode, now);
          for (const entry of told) await appendTimeline(sql, deviceId, entry, now);
          return shown;
        });
  return { bucket: trust?.bucket ?? 'out_of_scope', waitsFor: trust?.waitsFor ?? null, text };
}

/** Before the end of a rollout the device's identity is renewed, if it is time; a try that came to nothing is told. */
async function renewIdentityFirst(
  sql: Sql,
  end: RolloutAction,
  { settings }: DesiredState,
  { deviceId, memory, nowMs }: Pick<PlanInput, 'deviceId' | 'memory' | 'nowMs'>,
): Promise<Pick<Decided, 'action' | 'told'>> {
  const identity = isEndWithDevice(end) ? await findPinnedIdentity(sql, deviceId) : undefined;
  const action = identity && planIdentity(identity, { deviceId, settings }, memory, nowMs);
  if (identity === undefined || action === undefined || action === 'not_due')
    return { action: end, told: null };
  if (action !== 'tried') return { action, told: null };
  const until = new Date(identity.notAfterMs).toISOString().slice(0, 10);
  const text = `The device did not install its new identity certificate. Odette tries again tomorrow. The current certificate expires on ${until}.`;
  return { action: end, told: { kind: 'identity_not_renewed', text } };
}

/** What a step waits for where its phase does not say it: a license that cannot be had, a user who declined, a retry and the device's own words. */
async function waitsForOf(
  sql: Sql,
  deviceId: string,
  action: RolloutAction,
): Promise<{ readonly waitsFor?: string }> {
  if (action.do === 'waitForLicense') {
    const code = (await findLicense(sql, deviceId, OKTA_VERIFY.adamId))?.failureCode ?? null;
    return code === null ? {} : { waitsFor: failureText(code) };
  }
  if (action.do === 'waitForUser')
    return {
      waitsFor: `The user declined Okta Verify. Odette asks again at ${minuteText(action.untilMs)}, or at once when you check the device.`,
    };
  if (action.do !== 'backOff') return {};
  const refusal = await findLastRefusal(sql, deviceId, action.code);
  return {
    waitsFor: `${failureTitle(action.code, refusal)} Odette retries at ${minuteText(action.untilMs)}.`,
  };
}

function endText(
  phase: RolloutPhase,
  failureCode: FailureCode | null,
  text: string,
): { kind: string; text: string } {
  if (failureCode !== null) return { kind: 'rollout_failed', text: `The rollout failed: ${text}` };
  switch (phase) {
    case 'delivered':
      return { kind: 'rollout_completed', text: 'The device has everything that it needs.' };
    case 'waits_for_user':
      return {
        kind: 'rollout_completed',
        text: text === '' ? 'The device has everything except Okta Verify, which the user declined.' : text,
      };
    case 'not_enrolled':
      return { kind: 'rollout_completed', text: 'The device has left management.' };
    default:
      return { kind: 'rollout_completed', text: 'The device no longer has anything from Odette.' };
  }
}
