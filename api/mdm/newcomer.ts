// What nearly all enrollments are, without a transaction around it: an unknown device's Authenticate, and a TokenUpdate that brings nothing unusual.
import type { Authenticate, TokenUpdate } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import {
  DEVICE_ID,
  findNewcomer,
  recordNewcomer,
  recordTokenAtOnce,
} from '../../adapters/store/devices/enroll-at-once.ts';
import type { IssuedIdentity } from '../../adapters/store/devices/identity-certificates.ts';
import { familyOf, platformOf } from '../../domain/device.ts';
import { admit, type EnrollmentIdentity } from '../../domain/enrollment.ts';
import { authenticatedEntry, ENROLLED_ENTRY, enrolledSignals, ENROLLING, productOf } from './relation.ts';
import type { Signer } from './signer.ts';

/** The identity of the sender, as the decision who may enroll takes it. */
export const enrollmentIdentityOf = (
  message: Authenticate,
  fingerprint: Buffer,
  identity: IssuedIdentity,
): EnrollmentIdentity => ({
  fingerprint: fingerprint.toString('hex'),
  issuedAt: identity.issuedAt,
  codeForUdid: identity.forUdid ?? undefined,
  renewsDevice: identity.forDeviceId ?? undefined,
  isUsed: identity.isUsed,
  isForPlatform: identity.platforms?.includes(platformOf(familyOf(productOf(message)))) ?? true,
});

/** false: nothing was written; it is a device that is known, one that is refused, or one of which more has to be said. */
export async function enrollNewcomer(
  database: Database,
  message: Authenticate,
  { certificate, isValidNow }: Signer,
  publicUrl: string | undefined,
): Promise<boolean> {
  const { udid, topic } = message;
  const { fingerprint } = certificate;
  const model = productOf(message);
  const family = familyOf(model);
  if (!isValidNow || family === 'Other') return false;
  const identity = await findNewcomer(database, { udid, fingerprint, topic });
  if (identity === undefined) return false;
  const claim = enrollmentIdentityOf(message, fingerprint, identity);
  if (!admit(udid, claim, undefined, undefined).admitted) return false;
  return recordNewcomer(database, {
    udid,
    fingerprint,
    topic,
    family,
    platform: platformOf(family),
    serialNumber: message.serialNumber,
    name: message.deviceName,
    model,
    osVersion: message.osVersion,
    blueprintId: identity.blueprintId,
    userName: identity.userName,
    certificate: certificate.serialNumber,
    told: authenticatedEntry(ENROLLING.new),
    publicUrl,
  });
}

/** false: nothing was written; it is looked into. */
export async function updateTokenAtOnce(
  database: Database,
  message: TokenUpdate,
  signer: Signer,
): Promise<boolean> {
  const { udid, topic, token, pushMagic } = message;
  // It cannot be woken with these.
  if (token.length === 0 || pushMagic === '') return false;
  return recordTokenAtOnce(database, {
    udid,
    fingerprint: signer.certificate.fingerprint,
    topic,
    token,
    pushMagic,
    told: ENROLLED_ENTRY,
    messages: enrolledSignals(DEVICE_ID),
  });
}
