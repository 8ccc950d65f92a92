// Wakes a device by push, unless it is on the line. A push is a wake-up, never a contact; its failure is never the command's.
import { isInConversation } from '../adapters/store/devices/commands.ts';
import { findDevice } from '../adapters/store/devices/devices.ts';
import { markPushTokenGone } from '../adapters/store/devices/push-certificates.ts';
import { closeUserChannel, findUserChannel } from '../adapters/store/devices/user-channels.ts';
import { refreshTrust } from './refresh-trust.ts';
import { failureCodeOf, type FailureCode } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Apple says that the device was erased or its profile is gone: whatever was proven of it does not count any more. */
async function recordTokenGone(deps: ActivityDependencies, deviceId: string, token: Buffer): Promise<void> {
  await deps.database.inTransaction(async (sql) => {
    if (await markPushTokenGone(sql, deviceId, token)) await refreshTrust(sql, deviceId, { now: new Date() });
  });
}

/** Why no push went out; null: it did, or none was needed. */
export async function wakeDevice(deps: ActivityDependencies, deviceId: string): Promise<FailureCode | null> {
  const device = await findDevice(deps.database, deviceId);
  if (device === undefined) return null;
  // Until its next TokenUpdate; pushing on would make Apple refuse more than this device.
  if (device.enrollmentStatus === 'unreachable') return 'apns.token_gone';
  if (device.topic === null || device.pushToken === null || device.pushMagic === null) return null;
  if (await isInConversation(deps.database, deviceId)) return null;
  try {
    const apns = await deps.apns(device.topic);
    await apns.push({ token: device.pushToken, pushMagic: device.pushMagic });
    return null;
  } catch (error) {
    const code = failureCodeOf(error);
    if (code === 'apns.token_gone') await recordTokenGone(deps, deviceId, device.pushToken);
    return code;
  }
}

/** Wakes the channel of a Mac's user, who may be logged out: Apple then keeps the push. Why none went out; null: it did. */
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

/** Wakes whom open commands are for. */
export async function wakeFor(
  deps: ActivityDependencies,
  deviceId: string,
  commands: readonly { readonly userId: string | null }[],
): Promise<FailureCode | null> {
  const isForUser = commands.some(({ userId }) => userId !== null);
  const isForDevice = commands.some(({ userId }) => userId === null);
  const ofDevice = isForDevice ? await wakeDevice(deps, deviceId) : null;
  return (isForUser ? await wakeUser(deps, deviceId) : null) ?? ofDevice;
}
