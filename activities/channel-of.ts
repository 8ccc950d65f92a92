// The one place that knows which adapter stands behind a device's channel.
import type { ChannelDevice, DeviceChannel } from '../domain/device-channel.ts';
import { builtInChannel } from './built-in-channel.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function channelOf(deps: ActivityDependencies, device: ChannelDevice): DeviceChannel {
  switch (device.channelKind) {
    case 'built_in':
      return builtInChannel(deps);
  }
}
