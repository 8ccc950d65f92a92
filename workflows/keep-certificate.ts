// Keeps the certificate of one Mac: alone writes certificate profiles, proves what it sent, renews before the end, for years.
// What comes next is decided by domain/certificate-plan.ts; failure never ends it, and a silent device is waited for.
// Long, because its handlers and its loop change one state together.
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedCertificateStep, ProvenCertificate } from '../activities/certificate-records.ts';
import { attemptsAfter, isAttempt, isWornOut, NO_ATTEMPTS } from '../domain/certificate-attempts.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { PayloadScope } from '../domain/profile-identifier.ts';
import { deliveryBackOffMs } from '../domain/patience.ts';
import { MAX_HISTORY_LENGTH, renewalTime, type RenewalSettings } from '../domain/renewal-policy.ts';
import { CertificateDelivery } from './certificate-delivery.ts';
import { CertificateSignals } from './certificate-signals.ts';
import type { CarriedState, KeepCertificateInput } from './certificate-state.ts';
import { CertificateStatus } from './certificate-status.ts';
import { DeviceConversation } from './device-conversation.ts';
import { failureCodeOfActivity, needsPerson, unknownAction } from './failure.ts';
import { database, otherWorkflows } from './policies.ts';
import { DeviceDetails } from './show-details.ts';

/** Nobody signals the workflow when the device comes back in scope, when an Okta admin changed its status, or when a user logs in. */
const SCOPE_PAUSE_MS = 60 * 60 * 1000;
/** A device that has just enrolled gets a rollout; its request for a certificate comes first. */
const ENROLLMENT_PAUSE = '10 minutes';

/** Why it stops for a while: the device does as it is told, it says, and its lists say otherwise. */
const WORN_OUT: Readonly<Partial<Record<Action['do'], FailureCode>>> = {
  deliver: 'certificate.not_seen',
  remove: 'mdm.profile_refused',
};

type Action = PlannedCertificateStep['action'];
type Step<Do extends Action['do']> = PlannedCertificateStep & {
  readonly action: Extract<Action, { do: Do }>;
};
type IsChanged = () => boolean;

const isLong = (): boolean => workflowInfo().historyLength > MAX_HISTORY_LENGTH;

/** For a login keychain both channels prove it. */
const listsBefore = (scope: PayloadScope): readonly PayloadScope[] =>
  scope === 'User' ? ['System', 'User'] : ['System'];

export async function keepCertificate(input: KeepCertificateInput): Promise<void> {
  await new CertificateWorkflow(input).run();
}

class CertificateWorkflow {
  readonly #deviceId: string;
  readonly #signals: CertificateSignals;
  readonly #conversation: DeviceConversation;
  readonly #delivery: CertificateDelivery;
  readonly #status: CertificateStatus;
  /** Of `proofRequests`. */
  #proofReplies = 0;
  /** Deliveries that failed, one after the other. */
  #failures: number;
  #attempts = NO_ATTEMPTS;

  constructor(input: KeepCertificateInput) {
    const { deviceId, carried } = input;
    this.#deviceId = deviceId;
    const details = new DeviceDetails(deviceId);
    this.#conversation = new DeviceConversation(deviceId, details);
    this.#delivery = new CertificateDelivery(deviceId, this.#conversation, carried);
    this.#status = new CertificateStatus(deviceId, details, carried);
    this.#failures = carried?.failures ?? 0;
    this.#signals = new CertificateSignals(input);
    this.#signals.listen(this.#conversation);
  }

  async run(): Promise<void> {
    for (;;) {
      const isChanged = this.#signals.watch();
      try {
        if ((await this.#planAndCarryOut(isChanged)) === 'ended') return;
      } catch (error) {
        // A plain error fails the workflow task: a newer worker may know better.
        if (!(error instanceof TemporalFailure)) throw error;
        await this.#backOff(failureCodeOfActivity(error), isChanged);
      }
    }
  }

  async #planAndCarryOut(isChanged: IsChanged): Promise<'ended' | undefined> {
    const { proofRequests } = this.#signals;
    const owesProof = this.#proofReplies !== proofRequests;
    const step = await database.planCertificateStep({
      deviceId: this.#deviceId,
      memory: this.#signals.memory(),
      nowMs: Date.now(),
      replyId: owesProof ? this.#eventId(`proven/${proofRequests}`) : null,
    });
    if (step === null) return 'ended';
    if (step.isReplied) this.#proofReplies = proofRequests;
    if (step.proven !== null && (await this.#onProof(step, step.proven, isChanged)) === 'waited') return;
    await this.#status.show(step);
    if (isWornOut(this.#attempts, step.action.do) && !isChanged())
      return this.#backOff(WORN_OUT[step.action.do] ?? 'mdm.command_refused', isChanged);
    if ((await this.#carryOut(step, isChanged)) === 'ended') return 'ended';
    await this.#countAttempt(step.action, isChanged);
    return;
  }

  async #carryOut(step: PlannedCertificateStep, isChanged: IsChanged): Promise<'ended' | undefined> {
    const { action } = step;
    switch (action.do) {
      case 'ask':
        return this.#ask({ ...step, action }, isChanged);
      case 'remove':
        return this.#remove({ ...step, action }, isChanged);
      case 'deliver':
        return this.#deliver({ ...step, action }, isChanged);
      case 'sleep':
        return this.#sleep({ ...step, action }, isChanged);
      case 'waitForScope':
        await this.#continueIfLong(isChanged);
        await condition(isChanged, SCOPE_PAUSE_MS, { summary: 'waits while out of scope' });
        return;
      case 'waitForOkta':
        await this.#continueIfLong(isChanged);
        await condition(isChanged, SCOPE_PAUSE_MS, { summary: 'an Okta admin must act' });
        return;
      case 'waitForUser':
        await this.#continueIfLong(isChanged);
        await condition(isChanged, SCOPE_PAUSE_MS, { summary: 'its user must log in' });
        return;
      case 'waitForEnrollment':
      case 'waitToBeWanted':
        return this.#waitToBeWanted(isChanged);
      case 'end':
        return this.#end(isChanged);
      default:
        throw unknownAction(action);
    }
  }

  async #ask(step: Step<'ask'>, isChanged: IsChanged): Promise<undefined> {
    const { scopes, keeps } = step.action;
    if (keeps !== null) await this.#replyProven(step, keeps);
    await this.#requestLists(step, scopes, isChanged);
  }

  async #requestLists(
    step: PlannedCertificateStep,
    scopes: readonly PayloadScope[],
    isChanged: IsChanged,
  ): Promise<void> {
    if (await this.#delivery.requestLists(step, scopes, isChanged)) this.#signals.listed(scopes);
  }

  async #remove(step: Step<'remove'>, isChanged: IsChanged): Promise<undefined> {
    const { profiles, keeps } = step.action;
    if (keeps !== null) await this.#replyProven(step);
    const failure = await this.#delivery.remove(step, profiles, isChanged);
    this.#signals.outdate();
    if (failure !== null) await this.#backOff(failure, isChanged);
  }

  async #deliver(step: Step<'deliver'>, isChanged: IsChanged): Promise<undefined> {
    const { integrationId, interruptions: before } = this.#signals;
    if (integrationId === null) return;
    this.#signals.outdate();
    const outcome = await this.#delivery
      .send(step, integrationId, step.action, () => this.#signals.interruptions !== before)
      .catch(failureCodeOfActivity);
    if (outcome === 'asleep') await this.#requestLists(step, listsBefore(step.action.scope), isChanged);
    else if (outcome === 'listed') this.#signals.listed(['System']);
    else if (outcome !== null) await this.#backOff(outcome, isChanged);
  }

  async #onProof(
    step: PlannedCertificateStep,
    proven: ProvenCertificate,
    isChanged: IsChanged,
  ): Promise<'waited' | undefined> {
    this.#delivery.seen();
    this.#signals.forced = false;
    this.#status.proven();
    this.#attempts = NO_ATTEMPTS;
    await this.#replyProven(step, proven.deliveryId);
    // One that is due at once (a clock that jumped, a device that lies) would be renewed without end.
    if (this.#isDue(proven, step.settings)) {
      await this.#backOff('certificate.not_renewed', isChanged);
      return 'waited';
    }
    this.#failures = 0;
    return;
  }

  async #sleep(step: Step<'sleep'>, isChanged: IsChanged): Promise<undefined> {
    const { decision, delivery } = step.action;
    await this.#replyProven(step, delivery.id);
    if (decision.kind === 'warn') await this.#status.warnUnused(decision.warning);
    await this.#continueIfLong(isChanged);
    if (decision.kind !== 'renew') {
      const left = decision.untilMs - Date.now();
      if (left > 0) await condition(isChanged, left, { summary: 'until the renewal' });
    }
    // What is on the device is asked again before anything is done about it.
    if (!isChanged()) this.#signals.outdate();
  }

  async #waitToBeWanted(isChanged: IsChanged): Promise<undefined> {
    const signals = this.#signals;
    await condition(isChanged);
    if (signals.isEnrolledAgain)
      await condition(
        () => signals.proofRequests > this.#proofReplies || !signals.isWanted || signals.forced,
        ENROLLMENT_PAUSE,
      );
    signals.isEnrolledAgain = false;
  }

  async #end(isChanged: IsChanged): Promise<'ended' | undefined> {
    await otherWorkflows.signalRollout({
      deviceId: this.#deviceId,
      signal: 'certificateRemoved',
      body: { eventId: this.#eventId('removed') },
    });
    await condition(allHandlersFinished);
    return isChanged() ? undefined : 'ended';
  }

  async #countAttempt({ do: act }: Action, isChanged: IsChanged): Promise<void> {
    const { isSilent, wasInterrupted } = this.#delivery;
    // Nobody has answered: a user may be away for days, while rollouts ask.
    if (isAttempt(act) && wasInterrupted) return;
    this.#attempts = attemptsAfter(this.#attempts, act, isSilent);
    if (isSilent) await this.#continueIfLong(isChanged);
  }

  async #backOff(code: FailureCode, isChanged: IsChanged): Promise<undefined> {
    this.#failures += 1;
    this.#attempts = NO_ATTEMPTS;
    await this.#status.showFailure(code);
    await otherWorkflows
      .signalRollout({
        deviceId: this.#deviceId,
        signal: 'certificateFailed',
        body: { eventId: this.#eventId(`failed/${this.#failures}`), ...{ failureCode: code } },
      })
      .catch(failureCodeOfActivity);
    await condition(isChanged, deliveryBackOffMs(this.#failures, needsPerson(code), Math.random()), {
      summary: `retry after ${code}`,
    });
    // What was said meanwhile is in the memory that the next run begins with.
    if (isLong()) await this.#continue();
  }

  /** Tells the rollout that waits, once for each request. */
  async #replyProven(step: PlannedCertificateStep, deliveryId?: string): Promise<void> {
    const { proofRequests } = this.#signals;
    if (this.#proofReplies === proofRequests || step.notAfterMs === null) return;
    this.#proofReplies = proofRequests;
    await otherWorkflows.signalRollout({
      deviceId: this.#deviceId,
      signal: 'certificateProven',
      body: {
        eventId: this.#eventId(`proven/${proofRequests}`),
        ...{ deliveryId: deliveryId ?? '', notAfter: new Date(step.notAfterMs).toISOString() },
      },
    });
  }

  #isDue(certificate: ProvenCertificate, settings: RenewalSettings): boolean {
    const provenAtMs = Date.now();
    return provenAtMs >= renewalTime({ ...certificate, provenAtMs }, settings, this.#deviceId);
  }

  #eventId(what: string): string {
    return `${workflowInfo().runId}/${what}`;
  }

  async #continueIfLong(isChanged: IsChanged): Promise<void> {
    if (isLong() && !isChanged()) await this.#continue();
  }

  async #continue(): Promise<void> {
    await condition(allHandlersFinished);
    const { integrationId } = this.#signals;
    await continueAsNew<typeof keepCertificate>({
      deviceId: this.#deviceId,
      ...(integrationId === null ? {} : { integrationId }),
      carried: this.toCarried(),
    });
  }

  toCarried(): CarriedState {
    return {
      failures: this.#failures,
      owesProof: this.#proofReplies !== this.#signals.proofRequests,
      ...this.#signals.toCarried(),
      ...this.#delivery.toCarried(),
      ...this.#status.toCarried(),
    };
  }
}
