// Looks a device up in Okta a few times after it was delivered, so that it turns green while the admin watches; then the sweep goes on.
import { sleep } from '@temporalio/workflow';
import { oktaDevices } from './policies.ts';
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
    const isDone = await oktaDevices.lookUpDevice.executeWithOptions({ summary: 'asks Okta' }, [
      { deviceId, integrationId, nowMs: Date.now() },
    ]);
    if (isDone) return;
  }
}
