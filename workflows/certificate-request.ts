// A rollout's requests to the certificate workflow of its device, and the wait for the reply.
import { condition, workflowInfo } from '@temporalio/workflow';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { otherWorkflows } from './policies.ts';
import type { ResetPoint } from './reset-point.ts';
import type { RolloutSignals } from './rollout-signals.ts';
import type { DeviceDetails } from './show-details.ts';

export type CertificateOutcome =
  | { readonly kind: 'proven' | 'changed' }
  /** A person has to act; the certificate workflow goes on by itself. */
  | { readonly kind: 'failed'; readonly code: FailureCode }
  /** Nothing within the patience of the rollout. `code`: what was said last. */
  | { readonly kind: 'silent'; readonly code: FailureCode };

/** What a request waits for. */
export interface CertificateReply {
  readonly eventId: string;
  readonly provenBefore: number;
  readonly failed: Failures;
}

/** What the certificate workflow says from now on. */
interface Failures {
  /** One for which a person has to act. */
  forGood(): FailureCode | undefined;
  /** Silence is only the cause where nothing else was said. */
  last(): FailureCode;
}

export class CertificateRequest {
  readonly #deviceId: string;
  readonly #details: DeviceDetails;
  readonly #signals: RolloutSignals;
  readonly #resetPoint: ResetPoint;
  #sent = 0;

  constructor(deviceId: string, details: DeviceDetails, signals: RolloutSignals, resetPoint: ResetPoint) {
    this.#deviceId = deviceId;
    this.#details = details;
    this.#signals = signals;
    this.#resetPoint = resetPoint;
  }

  /** Before a plan that may ask for the certificate: what is said from now on is its reply. */
  listen(): CertificateReply {
    return {
      eventId: this.#nextEventId('certificate'),
      provenBefore: this.#signals.certificatesProven,
      failed: this.#listenForFailures(),
    };
  }

  /** Waits for the proof that the plan has asked for, and asks again after each interval: the certificate workflow may have been ended meanwhile. */
  async obtain(
    integrationId: string,
    { provenBefore: proven, failed }: CertificateReply,
    intervals: readonly number[],
    isChanged: () => boolean,
  ): Promise<CertificateOutcome> {
    const signals = this.#signals;
    const isDone = () => signals.certificatesProven > proven || failed.forGood() !== undefined || isChanged();
    const request = () =>
      otherWorkflows.requestCertificate({
        ...this.#device(),
        integrationId,
        eventId: this.#nextEventId('certificate'),
      });
    if (!(await this.#requestUntil(request, isDone, intervals, { summary: 'certificate', isAsked: true })))
      return { kind: 'silent', code: failed.last() };
    if (isChanged()) return { kind: 'changed' };
    const code = failed.forGood();
    return code === undefined || signals.certificatesProven > proven
      ? { kind: 'proven' }
      : { kind: 'failed', code };
  }

  /** Why it is still there; null: it is gone, or the plan has changed. */
  async remove(intervals: readonly number[], isChanged: () => boolean): Promise<FailureCode | null> {
    const removed = this.#signals.certificatesRemoved;
    const failed = this.#listenForFailures();
    const isSettled = () => this.#signals.certificatesRemoved > removed || isChanged();
    const isDone = () => isSettled() || failed.forGood() !== undefined;
    const request = () =>
      otherWorkflows.requestCertificateRemoval({
        ...this.#device(),
        eventId: this.#nextEventId('removal'),
      });
    const isReplied = await this.#requestUntil(request, isDone, intervals, {
      summary: 'certificate is removed',
      isAsked: false,
    });
    if (isSettled()) return null;
    return isReplied ? (failed.forGood() ?? null) : failed.last();
  }

  #listenForFailures(): Failures {
    const { certificateFailures } = this.#signals;
    const before = certificateFailures.length;
    const failures = () => certificateFailures.slice(before);
    return {
      forGood: () => failures().find((code) => !FAILURES[code].isRetried),
      last: () => failures().at(-1) ?? 'mdm.device_silent',
    };
  }

  /** The request and its timer begin in one workflow task: a reset to it asks again. */
  async #requestUntil(
    request: () => Promise<void>,
    isDone: () => boolean,
    intervals: readonly number[],
    { summary, isAsked }: { readonly summary: string; readonly isAsked: boolean },
  ): Promise<boolean> {
    let hasAsked = isAsked;
    for (const interval of intervals) {
      this.#resetPoint.waits();
      const asks = hasAsked ? undefined : request();
      hasAsked = false;
      const [isReplied] = await Promise.all([condition(isDone, interval, { summary }), asks]);
      if (isReplied) return true;
    }
    return isDone();
  }

  #device() {
    return { deviceId: this.#deviceId, label: this.#details.name ?? 'a device' };
  }

  /** Of the run: after a reset the certificate workflow is asked anew, and does not take it for the request that it had. */
  #nextEventId(what: string): string {
    this.#sent += 1;
    return `${workflowInfo().runId}/${what}/${this.#sent}`;
  }
}
