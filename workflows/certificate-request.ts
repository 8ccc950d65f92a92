// A rollout's requests to the certificate workflow of its device, and the wait for the reply.
import { condition, workflowInfo } from '@temporalio/workflow';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { otherWorkflows } from './policies.ts';
import type { ResetPoint } from './reset-point.ts';
import type { RolloutSignals } from './rollout-signals.ts';

export type CertificateOutcome =
  | { readonly kind: 'proven' | 'changed' }
  /** A person has to act; the certificate workflow goes on by itself. */
  | { readonly kind: 'failed'; readonly code: FailureCode }
  /** Nothing within the patience of the rollout. `code`: what was said last. */
  | { readonly kind: 'silent'; readonly code: FailureCode };

export class CertificateRequest {
  readonly #deviceId: string;
  readonly #signals: RolloutSignals;
  readonly #resetPoint: ResetPoint;
  #sent = 0;

  constructor(deviceId: string, signals: RolloutSignals, resetPoint: ResetPoint) {
    this.#deviceId = deviceId;
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
    const before = signals.certificateFailures.length;
    const failures = () => signals.certificateFailures.slice(before);
    const permanent = () => failures().find((code) => !FAILURES[code].isRetried);
    const isDone = () => signals.certificatesProven > proven || permanent() !== undefined || isChanged();
    const request = () =>
      otherWorkflows.requestCertificate({
        deviceId: this.#deviceId,
        integrationId,
        eventId: this.#nextEventId('certificate'),
      });
    if (!(await this.#askUntil(request, isDone, intervals, 'certificate')))
      // Silence is only the cause where nothing else was said.
      return { kind: 'silent', code: failures().at(-1) ?? 'mdm.device_silent' };
    if (isChanged()) return { kind: 'changed' };
    const code = permanent();
    return code === undefined || signals.certificatesProven > proven
      ? { kind: 'proven' }
      : { kind: 'failed', code };
  }

  async remove(intervals: readonly number[], isChanged: () => boolean): Promise<FailureCode | null> {
    const removed = this.#signals.certificatesRemoved;
    const isDone = () => this.#signals.certificatesRemoved > removed || isChanged();
    const request = () =>
      otherWorkflows.requestCertificateRemoval({
        deviceId: this.#deviceId,
        eventId: this.#nextEventId('removal'),
      });
    return (await this.#askUntil(request, isDone, intervals, 'certificate is removed'))
      ? null
      : 'mdm.device_silent';
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

  #nextEventId(what: string): string {
    this.#sent += 1;
    return `${workflowInfo().firstExecutionRunId}/${what}/${this.#sent}`;
  }
}
