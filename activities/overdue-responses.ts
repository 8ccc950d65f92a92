// Asks again for responses that a channel should have told and did not: a webhook that got lost is not sent a second time. Whoever waits for
// a response has the device woken at growing intervals only, and would wait for minutes.
import { findAwaitedDevices } from '../adapters/store/devices/channel-commands.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { wakeDevice } from './wake-device.ts';

/** Devices in one look. */
const AT_ONCE = 100;
/** One device's own; whatever else fails, fails for all of its channel. */
const OF_DEVICE: readonly FailureCode[] = [
  'channel.command_refused',
  'channel.push_failed',
  'apns.token_gone',
];

/** A channel that does not answer is asked for one device only. */
export async function requestOverdueResponses(
  deps: ActivityDependencies,
  signal: AbortSignal,
): Promise<void> {
  const silent = new Set<string>();
  for (const { deviceId, channelId } of await findAwaitedDevices(deps.database, AT_ONCE)) {
    if (signal.aborted) return;
    if (silent.has(channelId)) continue;
    const failure = await wakeDevice(deps, deviceId);
    if (failure !== null && !OF_DEVICE.includes(failure)) silent.add(channelId);
  }
}
