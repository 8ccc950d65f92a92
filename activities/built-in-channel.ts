// The channel of Odette's own MDM server: its queue is the table `commands`, its wake-up a push.
import { isInConversation, withdrawCommand } from '../adapters/store/devices/commands.ts';
import { markPushTokenGone } from '../adapters/store/devices/push-certificates.ts';
import { closeUserChannel, findUserChannel } from '../adapters/store/devices/user-channels.ts';
import {
  CHANNEL_ABILITIES,
  isAwakeNow,
  type ChannelDevice,
  type DeviceChannel,
} from '../domain/device-channel.ts';
import { failureCodeOf, type FailureCode } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { refreshTrust } from './refresh-trust.ts';

export const builtInChannel = (deps: ActivityDependencies): DeviceChannel => ({
  can: CHANNEL_ABILITIES.built_in,
  /** One conditional update: it cannot race with a hand-over. */
  withdraw: async (uuid) => ((await withdrawCommand(deps.database, uuid)) ? 'withdrawn' : 'too_late'),
  wake: (device, whom) => (whom === 'device' ? wakeDevice(deps, device) : wakeUser(deps, device.id)),
  isAwake: isAwakeNow,
});

/** A push is a wake-up, never a contact; its failure is never the command's. */
async function wakeDevice(deps: ActivityDependencies, device: ChannelDevice): Promise<FailureCode | null> {
  // Until its next TokenUpdate; pushing on would make Apple refuse more than this device.
  if (device.enrollmentStatus === 'unreachable') return 'apns.token_gone';
  if (device.topic === null || device.pushToken === null || device.pushMagic === null) return null;
  if (device.isInConversation) return null;
  try {
    const apns = await deps.apns(device.topic);
    await apns.push({ token: device.pushToken, pushMagic: device.pushMagic });
    return null;
  } catch (error) {
    const code = failureCodeOf(error);
    if (code === 'apns.token_gone') await recordTokenGone(deps, device.id, device.pushToken);
    return code;
  }
}

/** Apple says that the device was erased or its profile is gone: whatever was proven of it does not count any more. */
async function recordTokenGone(
  deps: ActivityDependencies,
  deviceId: string,
  token: Uint8Array,
): Promise<void> {
  await deps.database.inTransaction(async (sql) => {
    if (await markPushTokenGone(sql, deviceId, token)) await refreshTrust(sql, deviceId, { now: new Date() });
  });
}

/** The user of a Mac may be logged out: Apple then keeps the push. */
async function wakeUser(deps: ActivityDependencies, deviceId: string): Promise<FailureCode | null> {
  const channel = await findUserChannel(deps.database, deviceId);
  if (channel === undefined) return null;
  const { userId, topic, pushToken, pushMagic } = channel;
  if (await isInConversation(deps.database, deviceId, { userId })) return null;
  try {
    const apns = await deps.apns(topic);
    await apns.push({ token: pushToken, pushMagic });
    return null;
  } catch (error) {
    const code = failureCodeOf(error);
    if (code === 'apns.token_gone')
      await deps.database.inTransaction((sql) => closeUserChannel(sql, deviceId, pushToken));
    return code;
  }
}
