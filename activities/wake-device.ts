// Wakes whom open commands are for, over the channel that the device is on; one that has a queue of its own is given them first.
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import type { FailureCode } from '../domain/failures.ts';
import { channelOf } from './channel-of.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { handOverAll } from './hand-over.ts';

/** Why the device could not be woken; null: it was, or needed not be. */
export const wakeDevice = (deps: ActivityDependencies, deviceId: string): Promise<FailureCode | null> =>
  wakeFor(deps, deviceId, [{ userId: null }]);

/** Wakes whom open commands are for: the device, its user, or both. */
export async function wakeFor(
  deps: ActivityDependencies,
  deviceId: string,
  commands: readonly { readonly userId: string | null }[],
): Promise<FailureCode | null> {
  if (commands.length === 0) return null;
  const device = await findChannelDevice(deps.database, deviceId);
  if (device === undefined) return null;
  const channel = channelOf(deps, device);
  const refused = await handOverAll(deps, device, channel);
  if (refused !== null) return refused;
  const isForUser = commands.some(({ userId }) => userId !== null);
  const isForDevice = commands.some(({ userId }) => userId === null);
  const ofDevice = isForDevice ? await channel.wake(device, 'device') : null;
  return (isForUser ? await channel.wake(device, 'user') : null) ?? ofDevice;
}
