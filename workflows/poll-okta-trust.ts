// Looks a device up in Okta a few times after it was delivered, so that it turns green while the admin watches; then the sweep goes on.
import { isCancellation, sleep } from '@temporalio/workflow';
import { oktaDevices, oktaInPassing } from './policies.ts';
import { DeviceDetails } from './show-details.ts';

export interface PollOktaTrustInput {
  readonly deviceId: string;
  readonly integrationId: string;
  /** When to look, in seconds after the start. */
  readonly seconds: readonly number[];
}

export async function pollOktaTrust({ deviceId, integrationId, seconds }: PollOktaTrustInput): Promise<void> {
  const beganMs = Date.now();
  new DeviceDetails(deviceId).show(["Waits for the user's first sign-in with Okta FastPass."]);
  for (const after of seconds) {
    await sleep(Math.max(1, beganMs + after * 1000 - Date.now()), { summary: 'waits for the sign-in' });
    if (await lookUp({ deviceId, integrationId, nowMs: Date.now() })) return;
  }
}

/** Whether there is nothing more to look for. Okta that refuses, or is away, is asked again for as long as it takes. */
async function lookUp(input: Parameters<typeof oktaDevices.lookUpDevice>[0]): Promise<boolean> {
  try {
    return await oktaInPassing.lookUpDevice(input);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return oktaDevices.lookUpDevice.executeWithOptions({ summary: 'asks Okta' }, [input]);
  }
}
