// What a certificate workflow shows of itself: in Temporal's pages, in its search attributes and on the device's timeline.
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { PlannedCertificateStep } from '../activities/certificate.ts';
import type { FailureCode } from '../domain/failures.ts';
import { certificateStatusText } from './certificate-status-text.ts';
import type { CarriedState } from './certificate-state.ts';
import { searchAttributes } from './messages.ts';
import { database } from './policies.ts';

export class CertificateStatus {
  readonly #deviceId: string;
  #hasWarned: boolean;
  #urgency: string;
  #notAfterMs: number | null = null;

  constructor(deviceId: string, carried: CarriedState | undefined) {
    this.#deviceId = deviceId;
    this.#hasWarned = carried?.hasWarned ?? false;
    this.#urgency = carried?.urgency ?? 'none';
  }

  toCarried(): Pick<CarriedState, 'hasWarned' | 'urgency'> {
    return { hasWarned: this.#hasWarned, urgency: this.#urgency };
  }

  async show(step: PlannedCertificateStep): Promise<void> {
    setCurrentDetails(certificateStatusText(step));
    if (step.notAfterMs !== null && step.notAfterMs !== this.#notAfterMs) {
      this.#notAfterMs = step.notAfterMs;
      upsertSearchAttributes([
        { key: searchAttributes.certificateNotAfter, value: new Date(step.notAfterMs) },
      ]);
    }
    if (step.urgency === this.#urgency) return;
    this.#urgency = step.urgency;
    if (step.urgency === 'late') await this.#recordEvent('certificate_late');
    if (step.urgency === 'expired') await this.#recordEvent('certificate_expired');
  }

  async showFailure(code: FailureCode): Promise<void> {
    const text = await this.#recordEvent('certificate_failed', code);
    setCurrentDetails(`**waits** ${text}`);
  }

  /** Once for each certificate: Okta will revoke it unless it is used. */
  async warnUnused(): Promise<void> {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    await this.#recordEvent('certificate_unused');
  }

  proven(): void {
    this.#hasWarned = false;
  }

  async #recordEvent(
    kind: 'certificate_unused' | 'certificate_late' | 'certificate_expired' | 'certificate_failed',
    failureCode?: FailureCode,
  ): Promise<string> {
    return database.recordCertificateEvent({
      deviceId: this.#deviceId,
      kind,
      ...(failureCode === undefined ? {} : { failureCode }),
      nowMs: Date.now(),
    });
  }
}
