// Brings one device to its desired state: asks what is there, sends what is missing, proves it. Finite, and safe to start again.
// What comes next is decided by domain/rollout-plan.ts from the tables; this file carries it out and waits.
// Long, because its handlers and steps share the state of one run.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  TemporalFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedStep } from '../activities/rollout-step.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { appCheckDelayMs, intervalsWithin, USER_PATIENCE_MS } from '../domain/patience.ts';
import {
  emptyMemory,
  FIRST_PHASE,
  memoryFor,
  type RolloutAction,
  type RolloutMemory,
  type RolloutPhase,
} from '../domain/rollout-action.ts';
import { scopeOf } from '../domain/rollout-step.ts';
import { CertificateRequest, type CertificateReply } from './certificate-request.ts';
import { DeviceConversation } from './device-conversation.ts';
import { failedBecause, failureCodeOfActivity, ownWordsOf, unknownAction } from './failure.ts';
import { LicenseAssignment } from './license-assignment.ts';
import { searchAttributes } from './messages.ts';
import { database, plans } from './policies.ts';
import { ResetPoint } from './reset-point.ts';
import { asIfListed, refused, sendAndLearn, tried, withoutFailures, without } from './rollout-sending.ts';
import { RolloutSignals } from './rollout-signals.ts';
import { DeviceDetails } from './show-details.ts';

export interface RollOutDeviceInput {
  readonly deviceId: string;
}

const HOUR_MS = 60 * 60 * 1000;

type Step<Action extends RolloutAction['do']> = PlannedStep & {
  readonly action: Extract<RolloutAction, { do: Action }>;
};
type IsChanged = () => boolean;

const patienceOf = ({ patienceHours }: PlannedStep): number => patienceHours * HOUR_MS;

export async function rollOutDevice(input: RollOutDeviceInput): Promise<void> {
  await new RolloutWorkflow(input).run();
}

class RolloutWorkflow {
  readonly #deviceId: string;
  readonly #details: DeviceDetails;
  readonly #resetPoint = new ResetPoint();
  readonly #conversation: DeviceConversation;
  readonly #signals: RolloutSignals;
  readonly #certificate: CertificateRequest;
  readonly #licenseAssignment: LicenseAssignment;
  #memory: RolloutMemory = emptyMemory('');
  /** Apart from the memory: it changes while a step is on its way. */
  #license: RolloutMemory['license'] = 'unasked';
  /** To what the last plan may have asked of the certificate workflow. */
  #certificateReply: CertificateReply;
  #removalDueMs: number | undefined;
  #shownPhase: RolloutPhase = FIRST_PHASE;
  /** Of the signals' changes, those that the last plan knew. */
  #plannedChanges = 0;

  constructor({ deviceId }: RollOutDeviceInput) {
    this.#deviceId = deviceId;
    this.#details = new DeviceDetails(deviceId);
    this.#conversation = new DeviceConversation(deviceId, this.#details, {
      waits: () => this.#resetPoint.waits(),
      asked: () => this.#licenseAssignment.begin(),
    });
    this.#signals = new RolloutSignals(this.#details);
    this.#signals.listen(this.#conversation);
    this.#certificate = new CertificateRequest(deviceId, this.#details, this.#signals, this.#resetPoint);
    this.#certificateReply = this.#certificate.listen();
    this.#licenseAssignment = new LicenseAssignment(
      deviceId,
      () => this.#signals.changes,
      (settled) => {
        this.#license = settled;
      },
      this.#resetPoint,
    );
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        const isChanged = this.#signals.watch();
        const step = await this.#plan();
        if (step === null) return;
        if ((await this.#carryOut(step, isChanged)) === 'ended') return;
      }
    } catch (error) {
      if (isCancellation(error)) {
        // Nothing of it stays queued for the device, and the console says who ended it.
        await CancellationScope.nonCancellable(() => this.#recordFailure('rollout.canceled'));
        throw error;
      }
      if (!(error instanceof TemporalFailure)) throw error;
      // An activity that failed for good: its history stays as it is, so that a reset can begin at it.
      const code = failureCodeOfActivity(error);
      throw failedBecause(code, { words: await this.#recordFailure(code), error });
    }
  }

  async #plan(): Promise<PlannedStep | null> {
    if (this.#signals.asksUserAgain) {
      this.#signals.asksUserAgain = false;
      await database.deleteAppRefusals({ deviceId: this.#deviceId });
    }
    const { changes } = this.#signals;
    if (changes !== this.#plannedChanges) this.#memory = withoutFailures(this.#memory);
    this.#plannedChanges = changes;
    this.#certificateReply = this.#certificate.listen();
    const step = await plans.planRolloutStep({
      deviceId: this.#deviceId,
      memory: { ...this.#memory, license: this.#license },
      nowMs: Date.now(),
      run: this.#run(),
      isCheck: changes === 0,
      usedAttempts: this.#conversation.usedAttempts,
      eventId: this.#certificateReply.eventId,
    });
    if (step === null) return null;
    this.#memory = memoryFor(this.#memory, step.enrollmentId);
    if (step.hasLicense) this.#license = 'ready';
    if (step.needsLicense && this.#license === 'unasked')
      this.#licenseAssignment.start(false, patienceOf(step));
    if (step.integrationId !== null) this.#removalDueMs = undefined;
    this.#show(step);
    return step;
  }

  async #carryOut(step: PlannedStep, isChanged: IsChanged): Promise<'ended' | undefined> {
    const { action } = step;
    const patienceMs = patienceOf(step);
    if (action.do !== 'send') await this.#licenseAssignment.begin();
    const intervals = intervalsWithin(patienceMs);
    switch (action.do) {
      case 'send':
        return this.#send({ ...step, action }, intervals, isChanged);
      case 'obtainCertificate':
        return this.#obtainCertificate(action.integrationId, intervals, isChanged);
      case 'removeCertificate':
        return this.#removeCertificate(intervals, isChanged);
      case 'returnLicense':
        await this.#licenseAssignment.returnLicense(patienceMs, isChanged);
        return;
      case 'waitForEnrollment':
        if (await this.#waitFor(isChanged, intervals, 'enrollment')) return;
        throw failedBecause('mdm.not_enrolled');
      case 'waitForLicense':
        if (this.#license === 'pending') this.#licenseAssignment.wait(patienceMs);
        if (await this.#waitFor(() => this.#license !== 'pending' || isChanged(), intervals, 'license'))
          return;
        throw failedBecause('apps_and_books.no_license_left');
      case 'waitForApp':
        return this.#waitForApp(isChanged);
      case 'recordRefusal':
        await database.recordAppRefusal({ deviceId: this.#deviceId, nowMs: Date.now() });
        this.#memory = refused(this.#memory);
        return;
      case 'waitForUser':
        await condition(isChanged, Math.max(1, action.untilMs - Date.now()), {
          summary: 'asks the user again',
        });
        this.#memory = without(this.#memory, ['ManagedApplicationList']);
        return;
      case 'backOff':
        await condition(isChanged, Math.max(1, action.untilMs - Date.now()), {
          summary: `retry after ${action.code}`,
        });
        // What happened meanwhile is seen with the next step.
        this.#memory = without(this.#memory, ['ManagedApplicationList']);
        return;
      case 'waitForRemovalDelay':
        return this.#waitForRemovalDelay(action.minutes, isChanged);
      case 'fail':
        throw failedBecause(action.code);
      case 'finish':
        return this.#finish(isChanged);
      default:
        throw unknownAction(action);
    }
  }

  async #send(step: Step<'send'>, intervals: readonly number[], isChanged: IsChanged): Promise<undefined> {
    const deviceId = this.#deviceId;
    const { enrollmentId, action, queued } = step;
    const { requests } = action;
    const isForUser = requests.every((request) => scopeOf(request) === 'User');
    const sent = await sendAndLearn(
      this.#conversation,
      this.#memory,
      { enrollmentId, requests, queued },
      isForUser ? intervalsWithin(USER_PATIENCE_MS) : intervals,
      isChanged,
    );
    this.#memory = sent.memory;
    if (sent.licenseMissed && step.needsLicense) this.#licenseAssignment.start(true, patienceOf(step));
    if (sent.refused) await database.recordAppRefusal({ deviceId, nowMs: Date.now() });
    if (sent.configurationTakenBack) await database.recordConfigurationRemoved({ deviceId });
    // What they listed last counts until they come back.
    if (sent.isSilent && isForUser) this.#memory = asIfListed(this.#memory, requests);
    else if (sent.isSilent) throw failedBecause('mdm.device_silent');
  }

  async #obtainCertificate(
    integrationId: string,
    intervals: readonly number[],
    isChanged: IsChanged,
  ): Promise<undefined> {
    const before = this.#memory;
    const requested = tried(before, 'certificate', null);
    this.#memory = requested;
    const outcome = await this.#certificate.obtain(
      integrationId,
      this.#certificateReply,
      intervals,
      isChanged,
    );
    if (outcome.kind === 'silent') throw failedBecause(outcome.code);
    if (outcome.kind === 'failed') this.#memory = tried(before, 'certificate', outcome.code);
    // A changed plan is no failed try; that it was requested stays known, for a removal.
    const { certificate } = requested.tries;
    if (outcome.kind === 'changed' && certificate !== undefined)
      this.#memory = {
        ...before,
        tries: { ...before.tries, certificate: before.tries['certificate'] ?? { ...certificate, count: 0 } },
      };
  }

  async #removeCertificate(intervals: readonly number[], isChanged: IsChanged): Promise<undefined> {
    this.#memory = tried(this.#memory, 'removeCertificate', null);
    const failure = await this.#certificate.remove(intervals, isChanged);
    this.#memory = without(this.#memory, ['ProfileList']);
    if (failure !== null) throw failedBecause(failure);
  }

  async #waitForApp(isChanged: IsChanged): Promise<undefined> {
    const { appChecks } = this.#memory;
    const wasInterrupted = await condition(isChanged, appCheckDelayMs(appChecks), {
      summary: 'the device installs Okta Verify',
    });
    // What came between is no look at the app: its user has a week to accept it.
    this.#memory = {
      ...without(this.#memory, ['ManagedApplicationList']),
      appChecks: appChecks + (wasInterrupted ? 0 : 1),
    };
  }

  async #waitForRemovalDelay(minutes: number, isChanged: IsChanged): Promise<undefined> {
    this.#removalDueMs ??= Date.now() + minutes * 60_000;
    const leftMs = Math.max(1, this.#removalDueMs - Date.now());
    if (await condition(isChanged, leftMs, { summary: 'removal delay: can be undone until then' })) return;
    this.#memory = { ...this.#memory, removalDelayOver: true };
  }

  /** The plan has closed it. */
  async #finish(isChanged: IsChanged): Promise<'ended' | undefined> {
    await condition(allHandlersFinished);
    return isChanged() ? undefined : 'ended';
  }

  /** Returns the words. What made the rollout fail may keep its end from being recorded: it ends all the same, and the sweep begins another. */
  async #recordFailure(code: FailureCode): Promise<string> {
    upsertSearchAttributes([
      { key: searchAttributes.rolloutPhase, value: 'failed' },
      { key: searchAttributes.failureKind, value: code },
    ]);
    const ending = { deviceId: this.#deviceId, run: this.#run(), failureCode: code, nowMs: Date.now() };
    const text = await database.closeFailedRollout(ending).then((closed) => closed.text, ownWordsOf(code));
    const event = this.#resetPoint.eventFor(code);
    this.#details.show([text, `Once the cause is fixed, reset here: event ${event}.`], 'failed');
    return text;
  }

  async #waitFor(isDone: () => boolean, intervals: readonly number[], summary: string): Promise<boolean> {
    for (const interval of intervals) {
      this.#resetPoint.waits();
      if (await condition(isDone, interval, { summary })) return true;
    }
    return isDone();
  }

  #run() {
    const { runId, workflowId, firstExecutionRunId: firstRunId } = workflowInfo();
    return { runId, workflowId, firstRunId };
  }

  #show(step: PlannedStep): void {
    const { pushFailure } = this.#conversation;
    const push = pushFailure === null ? [] : [`The last push failed: ${FAILURES[pushFailure].title}`];
    this.#details.name = step.deviceName;
    this.#details.show([step.words, ...push], step.phase);
    if (step.phase === this.#shownPhase) return;
    this.#shownPhase = step.phase;
    upsertSearchAttributes([
      { key: searchAttributes.rolloutPhase, value: step.phase },
      ...(step.integrationId === null
        ? []
        : [{ key: searchAttributes.integrationId, value: step.integrationId }]),
    ]);
  }
}
