// The channel of a NanoMDM server: it has the queue and wakes the device; what the device says comes by its webhook.
import { withdrawCommand } from '../adapters/store/devices/commands.ts';
import { CHANNEL_ABILITIES, isAwakeNow, type DeviceChannel } from '../domain/device-channel.ts';
import { failureCodeOf } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';

export const nanoMdmChannel = (deps: ActivityDependencies, channelId: string): DeviceChannel => ({
  can: CHANNEL_ABILITIES.nanomdm,
  /** NanoMDM knows a device by its UDID (docs/operations-guide.md, "Enrollment IDs"). */
  async enqueue({ udid }, { plist }) {
    const client = await deps.nanoMdm(channelId);
    return client.enqueue(udid, plist);
  },
  /** Only what the other server has not been given yet. */
  withdraw: async (uuid) => ((await withdrawCommand(deps.database, uuid)) ? 'withdrawn' : 'cannot'),
  async wake(device, whom) {
    // No channel of a Mac's user opens here.
    if (whom === 'user') return null;
    try {
      const client = await deps.nanoMdm(channelId);
      return await client.push(device.udid);
    } catch (error) {
      return failureCodeOf(error);
    }
  },
  isAwake: isAwakeNow,
});
