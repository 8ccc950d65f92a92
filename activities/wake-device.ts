// Wakes a device by push, unless it is on the line. A push is a wake-up, never a contact; its failure is never the command's.
import { isInConversation } from '../adapters/store/commands.ts';
import { findDevice } from '../adapters/store/devices.ts';
import type { FailureCode } from '../domain/failures.ts';
import { codeOf } from './as-failure.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Why no push went out; null: it did, or none was needed. */
export async function wakeDevice(deps: ActivityDependencies, deviceId: string): Promise<FailureCode | null> {
  const device = await findDevice(deps.database, deviceId);
  if (device === undefined || device.topic === null || device.pushToken === null || device.pushMagic === null)
    return null;
  if (await isInConversation(deps.database, deviceId)) return null;
  try {
    const apns = await deps.apns(device.topic);
    await apns.push({ token: device.pushToken, pushMagic: device.pushMagic });
    return null;
  } catch (error) {
    return codeOf(error);
  }
}
