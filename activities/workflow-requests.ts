// What a rollout asks of the other workflows of its device: the certificate, its removal, and the look at Okta afterwards.
import { findDeviceScope } from '../adapters/store/devices/devices.ts';
import { certificateNotNeededSignal, certificateWantedSignal } from '../workflows/messages.ts';
import { certificateStart, oktaTrustPollStart, type StartedDevice } from '../workflows/starts.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function workflowRequests({
  database,
  temporal,
}: Pick<ActivityDependencies, 'database' | 'temporal'>) {
  return {
    /** Asks the device's certificate workflow for the proof, and starts it if it does not run. */
    async requestCertificate(input: {
      readonly deviceId: string;
      readonly integrationId: string;
      readonly eventId: string;
    }): Promise<void> {
      const { deviceId, integrationId, eventId } = input;
      const { type, options } = certificateStart(await startedDevice(deviceId, integrationId));
      await temporal.workflow.signalWithStart(type, {
        ...options,
        signal: certificateWantedSignal,
        signalArgs: [{ eventId, integrationId }],
      });
    },

    /** Tells the certificate workflow that its certificates go; it is started if it does not run, for profiles may be there. */
    async requestCertificateRemoval(input: {
      readonly deviceId: string;
      readonly eventId: string;
    }): Promise<void> {
      const { type, options } = certificateStart(await startedDevice(input.deviceId, null));
      await temporal.workflow.signalWithStart(type, {
        ...options,
        signal: certificateNotNeededSignal,
        signalArgs: [{ eventId: input.eventId }],
      });
    },

    /** The device has everything: Okta is asked after 1, 5 and 15 minutes whether it counts as managed. */
    async startOktaTrustPoll(input: {
      readonly deviceId: string;
      readonly integrationId: string;
      readonly seconds: readonly number[];
    }): Promise<void> {
      const device = await startedDevice(input.deviceId, input.integrationId);
      const { type, options } = oktaTrustPollStart(device, input);
      await temporal.workflow.start(type, options);
    },
  };

  async function startedDevice(deviceId: string, integrationId: string | null): Promise<StartedDevice> {
    const scope = await findDeviceScope(database, deviceId);
    return { deviceId, integrationId, label: scope?.label ?? 'a device' };
  }
}
