// What a certificate workflow shows of itself: in Temporal's pages, in its search attributes and on the device's timeline.
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { PlannedCertificateStep } from '../activities/certificate-records.ts';
import type { FailureCode } from '../domain/failures.ts';
import { certificateHeading, certificateStatusText } from './certificate-status-text.ts';
import type { CarriedState } from './certificate-state.ts';
import { ownWordsOf } from './failure.ts';
import { searchAttributes } from './messages.ts';
import { database } from './policies.ts';
import type { DeviceDetails } from './show-details.ts';

export class CertificateStatus {
  readonly #deviceId: string;
  readonly #details: DeviceDetails;
  #warnings: number;
  #urgency: string;
  #notAfterMs: number | null = null;

  constructor(deviceId: string, details: DeviceDetails, carried: CarriedState | undefined) {
    this.#deviceId = deviceId;
    this.#details = details;
    this.#warnings = carried?.warnings ?? 0;
    this.#urgency = carried?.urgency ?? 'none';
  }

  toCarried(): Pick<CarriedState, 'warnings' | 'urgency'> {
    return { warnings: this.#warnings, urgency: this.#urgency };
  }

  async show(step: PlannedCertificateStep): Promise<void> {
    this.#details.name = step.deviceName;
    this.#details.show([certificateStatusText(step)], certificateHeading(step));
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

  /** What failed may keep this from being recorded, too: then Temporal's pages alone say it. */
  async showFailure(code: FailureCode): Promise<void> {
    const text = await this.#recordEvent('certificate_failed', code).catch(ownWordsOf(code));
    this.#details.show([text], 'waits');
  }

  /** Each warning once for a certificate: Okta will revoke it unless it is used. */
  async warnUnused(warning: number): Promise<void> {
    if (this.#warnings >= warning) return;
    this.#warnings = warning;
    await this.#recordEvent('certificate_unused');
  }

  proven(): void {
    this.#warnings = 0;
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
