// Who may enroll as which device: decided at Authenticate from the identity that signed it and what is known of the device.
import type { FailureCode } from './failures.ts';

/** An identity certificate of Odette's own authority, and where it came from. */
export interface EnrollmentIdentity {
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly issuedAt: Date;
  /** Its code was made for this device only. */
  readonly codeForUdid: string | undefined;
  /** It renews the identity of this device (Odette's id). */
  readonly renewsDevice: string | undefined;
  /** It enrolled a device before, or its code was revoked: it speaks for the device that it is pinned to, and for no other. */
  readonly isUsed: boolean;
  /** Its code names the platforms it is for. */
  readonly isForPlatform: boolean;
}

export interface KnownDevice {
  readonly id: string;
  /** The pinned identity, hex, and when it was issued (unknown: issued before records were kept). */
  readonly fingerprint: string;
  readonly identityIssuedAt: Date | undefined;
  /** unfinished: it never came to its first TokenUpdate. over: it left the management. An enrolled one may be authenticating again. */
  readonly enrollment: 'enrolled' | 'unfinished' | 'over';
  /** Its earlier enrollment cannot speak any more (Apple knows its push token no longer), or an admin allowed it to enroll again. */
  readonly mayReturn: boolean;
  /** The serial number that it names is the one that is known: a UDID alone is easily read off a device. */
  readonly hasKnownSerial: boolean;
}

/**
 * new: an unknown device, or one whose enrollment is over or never finished. again: by its pinned identity. renewal: by a
 * newer identity that was given to this very device. takeover: an enrolled device is claimed with an admin's consent (a fresh
 * code made for it). return: it was erased or lost its profile without a word, and enrolls with any fresh code.
 */
export type Admission =
  | { readonly admitted: true; readonly as: 'new' | 'again' | 'renewal' | 'takeover' | 'return' }
  | {
      readonly admitted: false;
      readonly code: Extract<FailureCode, `enrollment.${string}` | 'mdm.identity_refused'>;
    };

const refused = (
  code: 'enrollment.takeover_refused' | 'enrollment.platform_refused' | 'mdm.identity_refused',
): Admission => ({
  admitted: false,
  code,
});

/**
 * `holder` is the device (Odette's id) to which the identity is pinned already, if any: an identity belongs to one device.
 */
export function admit(
  udid: string,
  identity: EnrollmentIdentity,
  device: KnownDevice | undefined,
  holder: string | undefined,
): Admission {
  if (isOfAnother(udid, identity, device, holder)) return refused('mdm.identity_refused');
  // What a device was given ends with its enrollment: it comes back with a code, as any other.
  const isOfDevice = device?.fingerprint === identity.fingerprint || identity.renewsDevice !== undefined;
  if (device?.enrollment === 'over' && isOfDevice) return refused('mdm.identity_refused');
  if (device?.fingerprint === identity.fingerprint) return { admitted: true, as: 'again' };
  // A code is for so many devices: whoever kept the key of an identity that was replaced or forgotten gets no more out of it.
  if (identity.isUsed) return refused('mdm.identity_refused');
  if (!identity.isForPlatform) return refused('enrollment.platform_refused');
  return device ? admitKnown(udid, identity, device) : { admitted: true, as: 'new' };
}

/** The identity is pinned to another device, or was made for another one. */
const isOfAnother = (
  udid: string,
  { codeForUdid = udid, renewsDevice }: EnrollmentIdentity,
  device: KnownDevice | undefined,
  holder: string | undefined,
): boolean =>
  (holder !== undefined && holder !== device?.id) ||
  codeForUdid !== udid ||
  (renewsDevice !== undefined && renewsDevice !== device?.id);

/** A device that is known already, with an identity that nobody has used yet. */
function admitKnown(udid: string, identity: EnrollmentIdentity, device: KnownDevice): Admission {
  // An identity that was replaced once must not come back: only a newer one than the pinned one is fresh.
  const isFresh = device.identityIssuedAt === undefined || identity.issuedAt > device.identityIssuedAt;
  if (!isFresh) return refused('enrollment.takeover_refused');
  if (identity.renewsDevice === device.id) return { admitted: true, as: 'renewal' };
  if (device.enrollment !== 'enrolled') return { admitted: true, as: 'new' };
  if (identity.codeForUdid === udid) return { admitted: true, as: 'takeover' };
  if (device.mayReturn && device.hasKnownSerial) return { admitted: true, as: 'return' };
  return refused('enrollment.takeover_refused');
}
