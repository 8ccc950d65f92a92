// One delivery of a certificate profile and the questions around it, from the certificate workflow's side.
import { workflowInfo } from '@temporalio/workflow';
import type { DeliverInput, DeliverOutcome } from '../activities/certificate.ts';
import type { PlannedCertificateStep } from '../activities/certificate-records.ts';
import {
  certificateListStep,
  CERTIFICATE_LISTS,
  type CertificateAction,
  type InstalledProfile,
} from '../domain/certificate-plan.ts';
import type { CommandScope } from '../domain/command-attempts.ts';
import { classOf } from '../domain/device-error-classes.ts';
import type { FailureCode } from '../domain/failures.ts';
import { CHALLENGE_LIFE_MS, intervalMs, intervalsWithin } from '../domain/patience.ts';
import type { PayloadScope } from '../domain/profile-identifier.ts';
import type { Urgency } from '../domain/renewal-policy.ts';
import type { CarriedState } from './certificate-state.ts';
import type { CarriedOut, DeviceConversation } from './device-conversation.ts';
import { inPassing } from './in-passing.ts';
import { commandQueue, database, localTry, okta } from './policies.ts';

const HOUR_MS = 60 * 60 * 1000;

type Delivered = Pick<Extract<CertificateAction, { do: 'deliver' }>, 'slot' | 'scope' | 'reason'>;

/**
 * A silent device is waited for without end; the later the renewal, the more often it is pushed. After each of the longest intervals
 * the plan is looked at again, for the renewal has become more urgent. `isSilent`: the shorter ones are over.
 */
function* patiently(urgency: Urgency, isSilent: boolean): Generator<number> {
  const longest = urgency === 'late' || urgency === 'expired' ? 6 * HOUR_MS : 24 * HOUR_MS;
  for (let index = 0; ; index += 1) {
    const interval = intervalMs(index, longest);
    if (isSilent && interval < longest) continue;
    yield interval;
    if (interval === longest) return;
  }
}

/** In passing where Okta has a place free and answers at once. */
async function deliver(input: DeliverInput, summary: string): Promise<DeliverOutcome> {
  const tried = await inPassing(
    localTry.okta.deliverCertificate.executeWithOptions({ summary }, [{ ...input, isInPassing: true }]),
  );
  return tried ?? okta.deliverCertificate.executeWithOptions({ summary }, [input]);
}

export class CertificateDelivery {
  readonly #deviceId: string;
  readonly #conversation: DeviceConversation;
  /** Deliveries made so far. */
  #made: number;
  /** Rises with each question, so that every question is a command of its own. */
  #cycle: number;
  /** Acknowledged, and to be seen in the device's lists. */
  #acknowledged: string | null = null;
  /** The device has not responded for a day. */
  isSilent: boolean;
  /** The last question was dropped for a newer plan before it was answered. */
  wasInterrupted = false;

  constructor(deviceId: string, conversation: DeviceConversation, carried: CarriedState | undefined) {
    this.#deviceId = deviceId;
    this.#conversation = conversation;
    this.#made = carried?.deliveries ?? 0;
    this.#cycle = carried?.cycle ?? 0;
    this.isSilent = carried?.isSilent ?? false;
  }

  toCarried(): Pick<CarriedState, 'deliveries' | 'cycle' | 'isSilent'> {
    return { deliveries: this.#made, cycle: this.#cycle, isSilent: this.isSilent };
  }

  /** true: the channels have listed their profiles and certificates. */
  async requestLists(
    step: PlannedCertificateStep,
    scopes: readonly PayloadScope[],
    isChanged: () => boolean,
  ): Promise<boolean> {
    const carried = await this.#conversation.carryOut(
      this.#scope(step),
      scopes
        .flatMap((scope) => CERTIFICATE_LISTS[scope])
        .map((type) => ({ step: certificateListStep(type), request: { type } })),
      patiently(step.urgency, this.isSilent),
      isChanged,
    );
    this.#learn(carried);
    if (carried.kind !== 'responded') return false;
    this.#cycle += 1;
    return carried.outcomes.every(
      ({ status, failureCode }) => status === 'Acknowledged' && failureCode === null,
    );
  }

  #learn({ kind }: CarriedOut): void {
    this.isSilent = kind === 'silent';
    this.wasInterrupted = kind === 'interrupted';
  }

  /** Why the device refuses to give one back; null: it does not, or has not responded. */
  async remove(
    step: PlannedCertificateStep,
    profiles: readonly InstalledProfile[],
    isChanged: () => boolean,
  ): Promise<FailureCode | null> {
    const carried = await this.#conversation.carryOut(
      this.#scope(step),
      profiles.map(({ identifier, scope }) => ({
        step: `certificate.remove.${scope === 'User' ? 'user.' : ''}${identifier}`,
        request: { type: 'RemoveProfile' as const, identifier, scope },
      })),
      patiently(step.urgency, this.isSilent),
      isChanged,
    );
    this.#learn(carried);
    if (!this.isSilent) this.#cycle += 1;
    const failures =
      carried.kind === 'responded' ? carried.outcomes.map(({ failureCode }) => failureCode) : [];
    // One that is gone already is looked for, as after an acknowledgment.
    return failures.find((code) => code !== null && classOf(code) !== 'on_its_way') ?? null;
  }

  /**
   * Sends a certificate profile and waits for its end. Returns why it failed; `asleep`: nothing was sent; `listed`: the device took it and
   * has listed what it holds since; null: it ended, or nobody knows how, and the device's lists will tell.
   */
  async send(
    step: PlannedCertificateStep,
    integrationId: string,
    { slot, scope, reason }: Delivered,
    isInterrupted: () => boolean,
  ): Promise<FailureCode | 'asleep' | 'listed' | null> {
    const { workflowId, firstExecutionRunId } = workflowInfo();
    this.wasInterrupted = false;
    // The last one was acknowledged, and the device's lists did not show it.
    if (this.#acknowledged !== null) {
      const deliveryId = this.#acknowledged;
      this.#acknowledged = null;
      await database.recordDeliveryEnd({ deliveryId });
      return 'certificate.not_seen';
    }
    const outcome = await deliver(
      {
        deviceId: this.#deviceId,
        integrationId,
        enrollmentId: step.enrollmentId,
        slot,
        scope,
        reason,
        number: this.#made + 1,
        workflowId,
        firstRunId: firstExecutionRunId,
      },
      `certificate into slot ${slot}${scope === 'User' ? ', login keychain' : ''}`,
    );
    if (outcome.kind === 'asleep') return 'asleep';
    if (outcome.kind === 'waits') return outcome.failureCode;
    this.#made += 1;
    // A question from before, dropped for a newer plan, may have been answered since: that list knows nothing of this delivery.
    this.#cycle += 1;
    const { commandUuid, lists } = outcome;
    for (const progress of outcome.progress) this.#conversation.recordProgress(progress);
    const finalStatus = () => this.#conversation.finalStatus(commandUuid);
    // What it lists behind a certificate that it did not take is of no use.
    const isOver = () => {
      const ended = finalStatus();
      if (ended?.status !== 'Acknowledged') return ended !== undefined;
      return lists.every((uuid) => this.#conversation.finalStatus(uuid) !== undefined);
    };
    await this.#conversation.waitFor(
      [commandUuid, ...lists],
      () => isOver() || isInterrupted(),
      intervalsWithin(CHALLENGE_LIFE_MS),
    );

    const { status, failureCode } = finalStatus() ?? { status: 'NotNow', failureCode: null };
    switch (status) {
      case 'Acknowledged':
        this.#acknowledged = outcome.deliveryId;
        return !isInterrupted() && this.#conversation.hasListedAfter(commandUuid, lists) ? 'listed' : null;
      case 'Error':
      case 'CommandFormatError':
        await database.recordDeliveryEnd({ deliveryId: outcome.deliveryId });
        return failureCode ?? 'scep.enrollment_failed';
      // Taken back before the device had it: not a failed try.
      case 'Withdrawn':
        await database.recordDeliveryEnd({ deliveryId: outcome.deliveryId });
        return null;
      // Handed over and never answered: the lists will tell.
      case 'Unknown':
        return null;
      case 'NotNow':
        // The challenge grew old, or something changed. In the device's hands it is left alone: it may still be carried out.
        if (await commandQueue.withdrawCommand({ commandUuid }))
          await database.recordDeliveryEnd({ deliveryId: outcome.deliveryId });
        return null;
    }
  }

  #scope({ enrollmentId }: PlannedCertificateStep): CommandScope {
    return { enrollmentId, scope: String(this.#cycle) };
  }

  /** What was acknowledged has been seen. */
  seen(): void {
    this.#acknowledged = null;
  }
}
