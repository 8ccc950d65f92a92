// Brings one device to its desired state: asks what is there, sends what is missing, proves it. Finite, and safe to start again.
// What comes next is decided by domain/rollout-plan.ts from the tables; this file carries it out and waits.
import {
  allHandlersFinished,
  condition,
  patched,
  setCurrentDetails,
  TemporalFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedStep } from '../activities/rollout.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { appCheckDelayMs, intervalsWithin } from '../domain/patience.ts';
import { emptyMemory, memoryFor, type RolloutMemory, type RolloutPhase } from '../domain/rollout-plan.ts';
import { DeviceConversation } from './device-command.ts';
import { failedBecause, reasonOf } from './failure.ts';
import { LicenseErrand } from './license-errand.ts';
import { searchAttributes } from './messages.ts';
import { others, records } from './policies.ts';
import { sendAndLearn, without } from './rollout-sending.ts';
import { RolloutSignals } from './rollout-signals.ts';

export interface RollOutDeviceInput {
  readonly deviceId: string;
}

const HOUR_MS = 60 * 60 * 1000;

export async function rollOutDevice({ deviceId }: RollOutDeviceInput): Promise<void> {
  const conversation = new DeviceConversation(deviceId);
  // The keeper goes on by itself; who looks at this rollout sees what is in its way.
  const signals = new RolloutSignals(conversation, (code) =>
    setCurrentDetails(`**certificate** ${FAILURES[code].title} ${FAILURES[code].todo}`),
  );
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const run = { runId, workflowId };
  let memory: RolloutMemory = emptyMemory('');
  let shownPhase = '';
  let removalDueMs: number | undefined;
  // Apart from the memory: it changes while a step is on its way.
  let license: RolloutMemory['license'] = 'unasked';
  const licenseErrand = new LicenseErrand(
    deviceId,
    () => signals.changes,
    (settled) => {
      license = settled;
    },
  );

  try {
    for (;;) {
      const seen = signals.changes;
      const isChanged = () => signals.changes !== seen;
      if (signals.asksUserAgain) {
        signals.asksUserAgain = false;
        await records.forgetAppRefusals({ deviceId });
      }
      const step = await records.planRolloutStep({
        deviceId,
        memory: { ...memory, license },
        nowMs: Date.now(),
        run,
      });
      if (step === null) return;
      memory = memoryFor(memory, step.enrollmentId);
      if (step.needsLicense && license === 'unasked') licenseErrand.start(false);
      if (step.integrationId !== null) removalDueMs = undefined;
      show(step);
      const patience = () => intervalsWithin(step.patienceHours * HOUR_MS);
      const { action } = step;

      switch (action.do) {
        case 'send': {
          const sent = await sendAndLearn(
            conversation,
            memory,
            step.enrollmentId,
            action.requests,
            patience(),
            isChanged,
          );
          memory = sent.memory;
          if (sent.licenseMissed) licenseErrand.start(true);
          if (sent.refused) await records.noteAppRefusal({ deviceId, nowMs: Date.now() });
          if (sent.configurationTakenBack) await records.noteConfigurationTakenBack({ deviceId });
          if (sent.failure !== null) return await fail(sent.failure);
          break;
        }
        case 'obtainCertificate': {
          const failure = await obtainCertificate(action.integrationId, patience(), isChanged);
          if (failure !== null) return await fail(failure);
          break;
        }
        case 'removeCertificate': {
          const failure = await removeCertificate(patience(), isChanged);
          if (failure !== null) return await fail(failure);
          break;
        }
        case 'giveBackLicense':
          await licenseErrand.giveBack(step.patienceHours * HOUR_MS, isChanged);
          break;
        case 'waitForEnrollment':
          if (!(await waitFor(isChanged, patience(), 'enrollment'))) return await fail('mdm.not_enrolled');
          break;
        case 'waitForLicense': {
          const isSettled = () => license !== 'pending' || isChanged();
          if (!(await waitFor(isSettled, patience(), 'license')))
            return await fail('apps_and_books.no_license_left');
          break;
        }
        case 'waitForApp': {
          const wasInterrupted = await condition(isChanged, appCheckDelayMs(memory.appChecks), {
            summary: 'Okta Verify is being installed',
          });
          // What came between is no look at the app: its user has a week to accept it.
          const isLook = !wasInterrupted || !patched('only-looks-are-counted');
          memory = {
            ...without(memory, ['ManagedApplicationList']),
            appChecks: memory.appChecks + (isLook ? 1 : 0),
          };
          break;
        }
        case 'noteRefusal':
          await records.noteAppRefusal({ deviceId, nowMs: Date.now() });
          memory = { ...memory, appSent: false };
          break;
        case 'waitForUser':
          await condition(isChanged, Math.max(1, action.untilMs - Date.now()), {
            summary: 'the user is asked again',
          });
          memory = without(memory, ['ManagedApplicationList']);
          break;
        case 'waitForRemovalDelay':
          removalDueMs ??= Date.now() + action.minutes * 60_000;
          if (
            !(await condition(isChanged, Math.max(1, removalDueMs - Date.now()), {
              summary: 'can be undone until then',
            }))
          )
            memory = { ...memory, removalDelayOver: true };
          break;
        case 'fail':
          return await fail(action.code);
        case 'finish':
          await close(action.phase, step);
          await records.withdrawCommands({ deviceId, workflowId, firstRunId: firstExecutionRunId });
          await condition(allHandlersFinished);
          if (isChanged()) break;
          return;
      }
    }
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // An activity that failed for good: its history stays as it is, so that a reset can begin at it.
    const code = reasonOf(error);
    await recordFailure(code);
    throw error;
  }

  function show(step: PlannedStep): void {
    const { pushFailure } = conversation;
    const push = pushFailure === null ? '' : `\n\nThe last push failed: ${FAILURES[pushFailure].title}`;
    setCurrentDetails(`**${step.phase}** ${step.words}${push}`);
    if (step.phase === shownPhase) return;
    shownPhase = step.phase;
    upsertSearchAttributes([
      { key: searchAttributes.rolloutPhase, value: step.phase },
      ...(step.integrationId === null
        ? []
        : [{ key: searchAttributes.integrationId, value: step.integrationId }]),
    ]);
  }

  async function recordFailure(code: FailureCode): Promise<void> {
    upsertSearchAttributes([
      { key: searchAttributes.rolloutPhase, value: 'failed' },
      { key: searchAttributes.failureKind, value: code },
    ]);
    setCurrentDetails(`**failed** ${FAILURES[code].title} ${FAILURES[code].todo}`);
    await records.closeRollout({ deviceId, run, phase: 'failed', failureCode: code, nowMs: Date.now() });
    await records.withdrawCommands({ deviceId, workflowId, firstRunId: firstExecutionRunId });
  }

  async function fail(code: FailureCode): Promise<never> {
    throw failedBecause(code);
  }

  async function waitFor(isDone: () => boolean, intervals: number[], summary: string): Promise<boolean> {
    for (const interval of intervals) if (await condition(isDone, interval, { summary })) return true;
    return isDone();
  }

  /** Asks the keeper again after each interval: it may have been ended. The question and its timer begin together. */
  async function obtainCertificate(
    integrationId: string,
    intervals: number[],
    isChanged: () => boolean,
  ): Promise<FailureCode | null> {
    const proven = signals.certificatesProven;
    const failures = signals.certificateFailures.length;
    const permanent = () =>
      signals.certificateFailures.slice(failures).find((code) => !FAILURES[code].isRetried);
    const isDone = () => signals.certificatesProven > proven || permanent() !== undefined || isChanged();
    memory = tried(memory, 'certificate');
    const tries = memory.tries['certificate'] ?? 0;
    for (const [index, interval] of intervals.entries()) {
      const eventId = `${firstExecutionRunId}/certificate/${tries}/${index}`;
      const asked = others.askForCertificate({ deviceId, integrationId, eventId });
      const [isAnswered] = await Promise.all([
        condition(isDone, interval, { summary: 'certificate' }),
        asked,
      ]);
      if (isAnswered) break;
    }
    if (isChanged()) {
      // A changed plan is not a failed try.
      memory = { ...memory, tries: { ...memory.tries, certificate: tries - 1 } };
      return null;
    }
    // Silence is only the cause where nothing else was heard of.
    if (!isDone()) return signals.certificateFailures.slice(failures).at(-1) ?? 'mdm.device_silent';
    return permanent() ?? null;
  }

  async function removeCertificate(
    intervals: number[],
    isChanged: () => boolean,
  ): Promise<FailureCode | null> {
    const removed = signals.certificatesRemoved;
    const isDone = () => signals.certificatesRemoved > removed || isChanged();
    memory = tried(memory, 'removeCertificate');
    for (const [index, interval] of intervals.entries()) {
      const eventId = `${firstExecutionRunId}/removal/${memory.tries['removeCertificate']}/${index}`;
      const asked = others.askForCertificateRemoval({ deviceId, eventId });
      const [isAnswered] = await Promise.all([
        condition(isDone, interval, { summary: 'certificate goes' }),
        asked,
      ]);
      if (isAnswered) break;
    }
    memory = without(memory, ['ProfileList']);
    return isDone() ? null : 'mdm.device_silent';
  }

  async function close(phase: RolloutPhase, step: PlannedStep): Promise<void> {
    const bucket = await records.closeRollout({ deviceId, run, phase, failureCode: null, nowMs: Date.now() });
    const { integrationId, trustLookUpSeconds: seconds } = step;
    // A device that was only verified is left to the sweep.
    const hasChanged = Object.keys(memory.tries).length > 0;
    if (bucket === 'needs_user' && hasChanged && integrationId !== null && seconds.length > 0)
      await others.startTrustLookUp({ deviceId, integrationId, seconds });
  }
}

const tried = (memory: RolloutMemory, key: string): RolloutMemory => ({
  ...memory,
  tries: { ...memory.tries, [key]: (memory.tries[key] ?? 0) + 1 },
});
