// Check-in: a device begins its enrollment (Authenticate), completes or renews it (TokenUpdate) and ends it (CheckOut).
import { refreshTrust } from '../../activities/refresh-trust.ts';
import type { Authenticate, CheckOut, TokenUpdate } from '../../adapters/mdm/device-message.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { repeatedAfterDeadlock } from '../../adapters/store/base/deadlock.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { saveDeviceAddress } from '../../adapters/store/devices/device-address.ts';
import { appendTimeline } from '../../adapters/store/devices/device-timeline.ts';
import {
  type DeviceRow,
  findDeviceByIdentity,
  findDeviceForUpdate,
  type DeviceInContact,
  recordContact,
} from '../../adapters/store/devices/devices.ts';
import { beginEnrollment, lockUdid, recordTokenUpdate } from '../../adapters/store/devices/enrollments.ts';
import {
  type IssuedIdentity,
  findIdentity,
  pinIdentity,
  recordRefusedIdentity,
  markIdentityUsed,
} from '../../adapters/store/devices/identity-certificates.ts';
import { familyOf, platformOf } from '../../domain/device.ts';
import { type Admission, type KnownDevice, admit } from '../../domain/enrollment.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { endReturnRequest, hasKnownSerial, recordRefusedEnrollment } from './return-request.ts';
import { PUSH_PROBLEMS, pushProblemOf } from './push-problem.ts';
import { enrollmentIdentityOf, enrollNewcomer, updateTokenAtOnce } from './newcomer.ts';
import {
  ENROLLING,
  productOf,
  proveAgain,
  recordAuthenticated,
  recordEnrolled,
  recordLeft,
} from './relation.ts';
import type { Signer } from './signer.ts';

/**
 * A refusal is audited too, so the decision is committed before it is thrown.
 * @throws CataloguedError `enrollment.takeover_refused`, `mdm.identity_refused`
 */
export async function authenticate(
  { database, publicUrl }: { readonly database: Database; readonly publicUrl: string | undefined },
  message: Authenticate,
  signer: Signer,
): Promise<void> {
  if (await enrollNewcomer(database, message, signer, publicUrl)) return;
  const admission = await database.inTransaction(async (sql) => {
    const decided = await beginIfAdmitted(sql, message, signer);
    // From now on a device knows it: Odette does not start with another (workers/device-address.ts).
    if (decided.admitted && publicUrl !== undefined) await saveDeviceAddress(sql, publicUrl);
    return decided;
  });
  if (!admission.admitted) throw new CataloguedError(admission.code);
}

async function beginIfAdmitted(sql: Sql, message: Authenticate, signer: Signer): Promise<Admission> {
  await lockUdid(sql, message.udid);
  const known = await findDeviceForUpdate(sql, message.udid);
  const { fingerprint } = signer.certificate;
  const identity = signer.isValidNow ? await findIdentity(sql, fingerprint) : undefined;
  const admission = identity ? await decide(sql, message, fingerprint, identity, known) : NOT_OURS;
  if (!identity || !admission.admitted) {
    await appendAudit(sql, {
      actor: 'system',
      action: 'enrollment.refused',
      subject: known ? `device:${known.id}` : `udid:${message.udid}`,
      detail: {
        reason: admission.admitted ? '' : admission.code,
        certificate: signer.certificate.serialNumber,
      },
    });
    if (identity && !admission.admitted) await recordRefusedIdentity(sql, fingerprint, admission.code);
    if (known && !admission.admitted) await recordRefusedEnrollment(sql, known, message, admission.code);
    return admission;
  }
  const deviceId = await begin(sql, message, fingerprint, identity, admission.as);
  await markIdentityUsed(sql, fingerprint);
  await appendAudit(sql, {
    actor: `device:${deviceId}`,
    action: `enrollment.${admission.as}`,
    subject: `device:${deviceId}`,
    detail: { certificate: signer.certificate.serialNumber },
  });
  await recordAuthenticated(sql, deviceId, ENROLLING[admission.as]);
  return admission;
}

const NOT_OURS: Admission = { admitted: false, code: 'mdm.identity_refused' };

async function decide(
  sql: Sql,
  message: Authenticate,
  fingerprint: Buffer,
  identity: IssuedIdentity,
  known: DeviceRow | undefined,
): Promise<Admission> {
  const holder = await findDeviceByIdentity(sql, fingerprint);
  const pinned = known?.identityFingerprint && (await findIdentity(sql, known.identityFingerprint));
  return admit(
    message.udid,
    enrollmentIdentityOf(message, fingerprint, identity),
    known && {
      id: known.id,
      fingerprint: known.identityFingerprint?.toString('hex') ?? '',
      identityIssuedAt: pinned?.issuedAt,
      enrollment: enrollmentOf(known),
      mayReturn:
        (known.enrollmentStatus === 'unreachable' && known.pushProblem === null) ||
        (known.returnAllowedUntil?.getTime() ?? 0) > Date.now(),
      hasKnownSerial: hasKnownSerial(known, message),
    },
    holder?.id,
  );
}

function enrollmentOf(device: DeviceRow): KnownDevice['enrollment'] {
  if (device.enrollmentStatus === 'checked_out') return 'over';
  return device.enrollmentStatus === 'authenticated' && device.enrolledAt === null
    ? 'unfinished'
    : 'enrolled';
}

async function begin(
  sql: Sql,
  message: Authenticate,
  fingerprint: Buffer,
  identity: IssuedIdentity,
  as: Extract<Admission, { admitted: true }>['as'],
): Promise<string> {
  const model = productOf(message);
  const family = familyOf(model);
  const pushProblem = await pushProblemOf(sql, { topic: message.topic });
  // By its own or a renewed identity the device stays where an admin has put it; a code says where it belongs.
  const isByCode = as !== 'again' && as !== 'renewal' && identity.blueprintId !== null;
  const deviceId = await beginEnrollment(sql, {
    udid: message.udid,
    family,
    platform: platformOf(family),
    topic: message.topic,
    pushProblem,
    identityFingerprint: fingerprint,
    serialNumber: message.serialNumber,
    name: message.deviceName,
    model,
    osVersion: message.osVersion,
    belongsTo: isByCode
      ? { blueprintId: identity.blueprintId ?? '', userName: identity.userName }
      : undefined,
    isNew: as === 'new' || as === 'return',
  });
  if (family === 'Other' || pushProblem !== null) await refreshTrust(sql, deviceId, { now: new Date() });
  return deviceId;
}

/** The first one enrolls the device and starts its rollout; a later one brings a new token. */
export async function updateToken(database: Database, message: TokenUpdate, signer: Signer): Promise<void> {
  if (await updateTokenAtOnce(database, message, signer)) return;
  await database.inTransaction(async (sql) => {
    const device = await pinnedDevice(sql, message.udid, signer);
    const problem = await pushProblemOf(sql, message);
    const isFirst = await recordTokenUpdate(sql, device, message, problem);
    // Of one that is well again proveAgain says what follows.
    if (problem !== null || (isFirst && (device.pushProblem !== null || device.family === 'Other')))
      await refreshTrust(sql, device.id, { now: new Date() });
    if (problem !== null && problem !== device.pushProblem)
      await appendTimeline(sql, device.id, { kind: 'push_problem', text: PUSH_PROBLEMS[problem] });
    if (!isFirst) {
      if (problem === null && (device.wasUnreachable || device.pushProblem !== null))
        await proveAgain(sql, device.id);
      return;
    }
    await recordEnrolled(sql, device.id);
  });
}

/** A device says it once: what a deadlock undid is done again here. */
export async function checkOut(database: Database, message: CheckOut, signer: Signer): Promise<void> {
  await repeatedAfterDeadlock(() =>
    database.inTransaction(async (sql) => {
      const device = await pinnedDevice(sql, message.udid, signer);
      await recordLeft(sql, device.id);
    }),
  );
}

/**
 * The device that a message names, locked and its contact recorded, if its pinned identity sent the message and its enrollment is not over.
 * @throws CataloguedError `mdm.signature_refused`, `mdm.not_enrolled`
 */
export async function pinnedDevice(sql: Sql, udid: string, signer: Signer): Promise<DeviceInContact> {
  const device = await recordContact(sql, udid);
  if (!device) throw new CataloguedError('mdm.not_enrolled');
  const { fingerprint } = signer.certificate;
  if (!device.identityFingerprint?.equals(fingerprint) && !(await takeRenewal(sql, device, signer)))
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'another identity' } });
  if (device.enrollmentStatus === 'checked_out') throw new CataloguedError('mdm.not_enrolled');
  // Where Apple delivers no push, only a new token ends that.
  if (device.wasUnreachable && device.enrollmentStatus === 'enrolled') await proveAgain(sql, device.id);
  if (device.returnAskedAt !== null) await endReturnRequest(sql, device.id);
  return device;
}

/**
 * A device that has its renewed identity uses it for everything, also where its Authenticate was lost. With the first message
 * signed by the new one the old one is out.
 */
async function takeRenewal(sql: Sql, device: DeviceRow, signer: Signer): Promise<boolean> {
  const { fingerprint, serialNumber } = signer.certificate;
  const identity = signer.isValidNow ? await findIdentity(sql, fingerprint) : undefined;
  if (identity?.forDeviceId !== device.id) return false;
  const pinned = device.identityFingerprint && (await findIdentity(sql, device.identityFingerprint));
  if (pinned && identity.issuedAt <= pinned.issuedAt) return false;
  await pinIdentity(sql, device.id, fingerprint);
  const subject = `device:${device.id}`;
  await appendAudit(sql, {
    actor: subject,
    action: 'enrollment.renewal',
    subject,
    detail: { certificate: serialNumber },
  });
  await appendTimeline(sql, device.id, {
    kind: 'identity_renewed',
    text: 'The device uses its renewed identity.',
  });
  return true;
}
