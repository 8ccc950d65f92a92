// What macOS says for one of its users. Odette has no command for a user, so each message is accepted and nothing is kept of it;
// directory users, who would have to be authenticated, are declined (Apple, "User Authenticate").
import type { DeviceMessage } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { findDeviceByIdentity } from '../../adapters/store/devices/devices.ts';
import { CataloguedError } from '../../domain/failures.ts';
import type { Signer } from './signer.ts';

const GONE = 410;

/**
 * The HTTP status of the response, whose body is empty. The device's own request that waits for a command is left alone.
 * @throws CataloguedError `mdm.signature_refused`, `mdm.not_enrolled`
 */
export async function respondToUser(
  database: Database,
  message: DeviceMessage,
  signer: Signer,
): Promise<number> {
  const device = await findDeviceByIdentity(database, signer.certificate.fingerprint);
  if (device?.udid !== message.udid)
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'another identity' } });
  if (device.enrollmentStatus === 'checked_out') throw new CataloguedError('mdm.not_enrolled');
  return message.type === 'UserAuthenticate' ? GONE : 200;
}
