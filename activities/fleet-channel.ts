// The channel of a Fleet server: it has the queue and wakes the device with each command; what the device answers is asked for
// (workers/channel-follower.ts).
import { scheduleQuestion } from '../adapters/store/devices/channel-questions.ts';
import { withdrawCommand } from '../adapters/store/devices/commands.ts';
import { CHANNEL_ABILITIES, isAwakeNow, type DeviceChannel } from '../domain/device-channel.ts';
import type { ActivityDependencies } from './dependencies.ts';

export const fleetChannel = (deps: ActivityDependencies, channelId: string): DeviceChannel => ({
  can: CHANNEL_ABILITIES.fleet,
  async enqueue(device, { plist }) {
    const client = await deps.fleet(channelId);
    // Before it is sent: whatever ends here, its answer is looked for.
    await scheduleQuestion(deps.database, device.id);
    return client.run(device.udid, plist);
  },
  /** Only what the other server has not been given yet. */
  withdraw: async (uuid) => ((await withdrawCommand(deps.database, uuid)) ? 'withdrawn' : 'cannot'),
  /** Its API has no push: Fleet pushes with each command that it takes, and again by itself while a command waits. */
  wake: () => Promise.resolve(null),
  isAwake: isAwakeNow,
});
