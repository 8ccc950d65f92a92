// Wakes a device by push, unless it is on the line. A push is a wake-up, never a contact; its failure is never the command's.
import { isInConversation } from '../adapters/store/devices/commands.ts';
import { findDevice } from '../adapters/store/devices/devices.ts';
import { markPushTokenGone } from '../adapters/store/devices/push-certificates.ts';
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
