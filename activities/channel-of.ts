// The one place that knows which adapter stands behind a device's channel.
import type { ChannelDevice, DeviceChannel } from '../domain/device-channel.ts';
import { builtInChannel } from './built-in-channel.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { fleetChannel } from './fleet-channel.ts';
import { nanoMdmChannel } from './nanomdm-channel.ts';

export function channelOf(deps: ActivityDependencies, device: ChannelDevice): DeviceChannel {
  const { channelKind, channelId } = device;
  if (channelKind === 'nanomdm' && channelId !== null) return nanoMdmChannel(deps, channelId);
  if (channelKind === 'fleet' && channelId !== null) return fleetChannel(deps, channelId);
  return builtInChannel(deps);
}
