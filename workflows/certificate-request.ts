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

  /** Waits for the proof, and asks again after each interval: the certificate workflow may have been ended meanwhile. */
  async obtain(
    integrationId: string,
    intervals: readonly number[],
    isChanged: () => boolean,
  ): Promise<CertificateOutcome> {
    const signals = this.#signals;
    const proven = signals.certificatesProven;
    const failed = this.#listenForFailures();
    const isDone = () => signals.certificatesProven > proven || failed.forGood() !== undefined || isChanged();
    const request = () =>
      otherWorkflows.requestCertificate({
        ...this.#device(),
        integrationId,
        eventId: this.#nextEventId('certificate'),
      });
    if (!(await this.#askUntil(request, isDone, intervals, 'certificate')))
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
    const isReplied = await this.#askUntil(request, isDone, intervals, 'certificate is removed');
    if (isSettled()) return null;
    return isReplied ? (failed.forGood() ?? null) : failed.last();
  }

  /** What the certificate workflow says from now on. */
  #listenForFailures() {
    const { certificateFailures } = this.#signals;
    const before = certificateFailures.length;
    const failures = () => certificateFailures.slice(before);
    return {
      /** One for which a person has to act. */
      forGood: () => failures().find((code) => !FAILURES[code].isRetried),
      /** Silence is only the cause where nothing else was said. */
      last: (): FailureCode => failures().at(-1) ?? 'mdm.device_silent',
    };
  }

  /** The request and its timer begin in one workflow task: a reset to it asks again. */
  async #askUntil(
    request: () => Promise<void>,
    isDone: () => boolean,
    intervals: readonly number[],
    summary: string,
  ): Promise<boolean> {
    for (const interval of intervals) {
      this.#resetPoint.waits();
      const [isReplied] = await Promise.all([condition(isDone, interval, { summary }), request()]);
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
