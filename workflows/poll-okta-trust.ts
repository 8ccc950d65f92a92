// Looks a device up in Okta a few times after it was delivered, so that it turns green while the admin watches; then the sweep goes on.
import { sleep, workflowInfo } from '@temporalio/workflow';
import { inPassing } from './in-passing.ts';
import { localTry, oktaDevices } from './policies.ts';
import { DeviceDetails } from './show-details.ts';

export interface PollOktaTrustInput {
  readonly deviceId: string;
  readonly integrationId: string;
  /** When to look, in seconds after the start. */
  readonly seconds: readonly number[];
}

export async function pollOktaTrust({ deviceId, integrationId, seconds }: PollOktaTrustInput): Promise<void> {
  // Its start is delayed until the first look: it runs when there is something to do.
  const beganMs = workflowInfo().startTime.getTime();
  new DeviceDetails(deviceId).show(["Waits for the user's first sign-in with Okta FastPass."]);
  for (const after of seconds) {
    const leftMs = beganMs + after * 1000 - Date.now();
    if (leftMs > 0) await sleep(leftMs, { summary: 'waits for the sign-in' });
    if (await lookUp({ deviceId, integrationId, nowMs: Date.now() })) return;
  }
}

/** Whether there is nothing more to look for. Okta that refuses, or is away, is asked again for as long as it takes. */
async function lookUp(input: Parameters<typeof oktaDevices.lookUpDevice>[0]): Promise<boolean> {
  const found = await inPassing(localTry.okta.lookUpDevice(input));
  return found ?? oktaDevices.lookUpDevice.executeWithOptions({ summary: 'asks Okta' }, [input]);
}
