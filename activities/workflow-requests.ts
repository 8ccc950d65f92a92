// What a rollout asks of its device's certificate workflow.
import { certificateNotNeededSignal, certificateWantedSignal } from '../workflows/messages.ts';
import { certificateStart } from '../workflows/starts.ts';
import type { ActivityDependencies } from './dependencies.ts';

interface CertificateRequestInput {
  readonly deviceId: string;
  /** What people call the device. */
  readonly label: string;
  readonly eventId: string;
}

export function workflowRequests({ temporal }: Pick<ActivityDependencies, 'temporal'>) {
  return {
    /** Asks the device's certificate workflow for the proof, and starts it if it does not run. */
    async requestCertificate(
      input: CertificateRequestInput & { readonly integrationId: string },
    ): Promise<void> {
      const { integrationId, eventId } = input;
      const { type, options } = certificateStart(input);
      await temporal.workflow.signalWithStart(type, {
        ...options,
        signal: certificateWantedSignal,
        signalArgs: [{ eventId, integrationId }],
      });
    },

    /** Tells the certificate workflow that its certificates go; it is started if it does not run, for profiles may be there. */
    async requestCertificateRemoval(input: CertificateRequestInput): Promise<void> {
      const { type, options } = certificateStart({ ...input, integrationId: null });
      await temporal.workflow.signalWithStart(type, {
        ...options,
        signal: certificateNotNeededSignal,
        signalArgs: [{ eventId: input.eventId }],
      });
    },
  };
}
