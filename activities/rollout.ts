// A rollout's own records: the plan of the moment, what is shown meanwhile, and how it ended.
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { findLastRefusal, withdrawUnwanted } from '../adapters/store/devices/commands.ts';
import { findLicense } from '../adapters/store/rollout/licenses.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { recordRefusal, deleteRefusals } from '../adapters/store/rollout/trust.ts';
import { lockState, refreshLocked, refreshTrust } from './refresh-trust.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import { findPinnedIdentity } from '../adapters/store/devices/identity-certificates.ts';
import { recordRunEnd } from '../adapters/store/rollout/rollout-runs.ts';
import { deleteSentProfile } from '../adapters/store/rollout/sent-profiles.ts';
import { readDeviceState, rolloutViewOf } from '../adapters/store/rollout/rollout-state.ts';
import type { FailureCode } from '../domain/failures.ts';
import { notNowText, minuteText } from '../domain/trust-text.ts';
import { failedText, failureText, failureTitle } from './failure-text.ts';
import { phaseOf, planRollout } from '../domain/rollout-plan.ts';
import {
  memoryFor,
  type RolloutAction,
  type RolloutMemory,
  type RolloutPhase,
} from '../domain/rollout-action.ts';
import type { TrustBucket } from '../domain/trust-bucket.ts';
import { isEndWithDevice, planIdentity } from '../domain/identity-plan.ts';
import { isManagedApp, type DesiredState, type RolloutView } from '../domain/rollout-view.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../domain/integration-settings.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface PlanInput {
  readonly deviceId: string;
  readonly memory: RolloutMemory;
  readonly nowMs: number;
  readonly run: { readonly runId: string; readonly workflowId: string };
  /** Nobody changed anything or asked for it: what failed before is shown until it is seen to be healed. */
  readonly isCheck: boolean;
}

export interface PlannedStep {
  readonly action: RolloutAction;
  readonly phase: RolloutPhase;
  readonly enrollmentId: string;
  /** What people call the device; null: it has neither a name nor a serial number. */
  readonly deviceName: string | null;
  /** What is pending and who acts next. */
  readonly words: string;
  readonly integrationId: string | null;
  readonly patienceHours: number;
  readonly trustLookUpSeconds: readonly number[];
  /** The app is not there as it should be: a license can be fetched beside everything else. */
  readonly needsLicense: boolean;
}

export interface CloseInput {
  readonly deviceId: string;
  readonly run: { readonly runId: string; readonly workflowId: string };
  readonly phase: RolloutPhase;
  readonly failureCode: FailureCode | null;
  /** What the device still waits for, which is no failure. */
  readonly waitsForCode?: FailureCode;
  readonly nowMs: number;
}

export interface ClosedRollout {
  readonly bucket: TrustBucket;
  /** Why it failed, with the device's own words. */
  readonly text: string;
}

export function rolloutActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /** Local. Reads desired and reported state, plans the next step and shows it. null: there is no such device any more. */
    planRolloutStep: (input: PlanInput): Promise<PlannedStep | null> => planStep(deps, input),

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

    /** Local. How the run ended: truths, words, timeline, and the run's own row. */
    closeRollout: (input: CloseInput): Promise<ClosedRollout> => close(database, input),

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

/** What a locked device still has on offer must not land during the removal delay, and stay: it is taken back before the delay is shown. */
async function planStep(deps: ActivityDependencies, input: PlanInput): Promise<PlannedStep | null> {
  const { database } = deps;
  const step = await database.inTransaction((sql) => planIn(sql, deps, input));
  if (step !== 'takes_back') return step;
  return database.inTransaction(async (sql) => {
    // Whoever locks a device and its trust locks the device first.
    await withdrawUnwanted(sql, { deviceId: input.deviceId, workflowId: input.run.workflowId });
    const planned = await planIn(sql, deps, input, true);
    return planned === 'takes_back' ? null : planned;
  });
}

/** takes_back: the removal is delayed, and what is on offer has to go first. */
async function planIn(
  sql: Sql,
  { publicUrl }: ActivityDependencies,
  input: PlanInput,
  isTakenBack = false,
): Promise<PlannedStep | null | 'takes_back'> {
  const now = new Date(input.nowMs);
  const locked = await lockState(sql, input.deviceId, { ...input.run, now });
  if (locked === undefined) return null;
  const view = rolloutViewOf(locked.state, input.nowMs);
  const memory = memoryFor(input.memory, view.enrollmentId);
  const planned = planRollout(view, memory, input.nowMs);
  const action =
    view.desired === null || publicUrl === undefined || !view.can.enroll
      ? planned
      : await renewIdentityFirst(sql, planned, view.desired, { ...input, memory });
  if (action.do === 'waitForRemovalDelay' && !isTakenBack) return 'takes_back';
  const phase = phaseOf(action);
  // How it ends is written by closeRollout.
  const isEnd = action.do === 'finish' || action.do === 'fail';
  const keepsFailure = input.isCheck && view.failureCode !== null;
  const trust = await refreshLocked(sql, locked, {
    now,
    ...(isEnd || keepsFailure ? {} : { phase, failureCode: null }),
    ...(keepsFailure ? {} : await waitsForOf(sql, input.deviceId, action)),
  });
  const settings = view.desired?.settings ?? DEFAULT_INTEGRATION_SETTINGS;
  return {
    action,
    phase,
    enrollmentId: view.enrollmentId,
    deviceName: locked.state.name ?? locked.state.serialNumber,
    words: trust.waitsFor ?? 'Nothing pending.',
    integrationId: view.desired?.integrationId ?? null,
    patienceHours: settings.patienceHours,
    trustLookUpSeconds: settings.trustLookupSeconds,
    needsLicense: needsLicense(view),
  };
}

const needsLicense = ({ desired, can, reported }: RolloutView): boolean =>
  desired !== null && can.license && !desired.appComesFromElsewhere && !isManagedApp(reported.appStatus);

async function close(database: Database, input: CloseInput): Promise<ClosedRollout> {
  const now = new Date(input.nowMs);
  const { deviceId, failureCode } = input;
  return database.inTransaction(async (sql) => {
    // Nothing of it stays queued for the device. First, for whoever locks a device and its trust locks the device first.
    await withdrawUnwanted(sql, { deviceId, workflowId: input.run.workflowId });
    const locked = await lockState(sql, deviceId, { ...input.run, now });
    const waitsForCode = failureCode ?? input.waitsForCode;
    const refusal =
      waitsForCode === undefined ? undefined : await findLastRefusal(sql, deviceId, waitsForCode);
    const text = waitsForCode === undefined ? '' : failedText(waitsForCode, refusal);
    const change = {
      now,
      phase: input.phase,
      failureCode,
      isVerified: failureCode === null,
      ...(waitsForCode === undefined ? {} : { waitsFor: text }),
    };
    const trust = locked && (await refreshLocked(sql, locked, change));
    await recordRunEnd(sql, input.run.runId, failureCode === null ? 'completed' : 'failed', failureCode, now);
    const detail = failureCode === null ? {} : { code: failureCode, ...refusal };
    await appendTimeline(sql, deviceId, { ...endText(input.phase, failureCode, text), detail }, now);
    return { bucket: trust?.bucket ?? 'out_of_scope', text };
  });
}

/** Before the end of a rollout the device's identity is renewed, if it is time; a try that came to nothing is written down. */
async function renewIdentityFirst(
  sql: Sql,
  end: RolloutAction,
  { settings }: DesiredState,
  { deviceId, memory, nowMs }: Pick<PlanInput, 'deviceId' | 'memory' | 'nowMs'>,
): Promise<RolloutAction> {
  const identity = isEndWithDevice(end) ? await findPinnedIdentity(sql, deviceId) : undefined;
  if (identity === undefined) return end;
  const action = planIdentity(identity, { deviceId, settings }, memory, nowMs);
  if (action === 'not_due') return end;
  if (action !== 'tried') return action;
  const until = new Date(identity.notAfterMs).toISOString().slice(0, 10);
  const text = `The device did not install its new identity certificate. Odette asks again tomorrow. The current one expires on ${until}.`;
  await appendTimeline(sql, deviceId, { kind: 'identity_not_renewed', text }, new Date(nowMs));
  return end;
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
      return { kind: 'rollout_completed', text: 'The device has nothing of Odette any more.' };
  }
}
