// Identities that Odette's own authority issues to devices at enrollment: one certificate for each challenge.
import { createHash, randomBytes } from 'node:crypto';
import type { PinnedIdentity } from '../../../domain/identity-plan.ts';
import { readCertificate } from '../../pki/certificate.ts';
import type { Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';

/** A profile is installed soon after it was made, or made again. */
const CHALLENGE_MINUTES = 60;

const sha256 = (value: string | Uint8Array): Buffer => createHash('sha256').update(value).digest();

/** Where an identity comes from: an enrollment code, or the renewal of a device's identity. */
export type IdentityOrigin = { readonly enrollmentCodeId: string } | { readonly forDeviceId: string };

/** Makes the one-time SCEP challenge of a new identity; only its hash is stored. */
export async function newIdentityChallenge(sql: Sql, origin: IdentityOrigin): Promise<string> {
  return (await newIdentity(sql, origin)).challenge;
}

/** The challenge, and the id under which the outcome of its enrollment is found. */
export async function newIdentity(
  sql: Sql,
  origin: IdentityOrigin,
): Promise<{ readonly id: string; readonly challenge: string }> {
  const challenge = randomBytes(32).toString('base64url');
  const [row] = await sql.query<{ id: string }>(
    `insert into identity_certificates (enrollment_code_id, for_device_id, challenge_hash, challenge_expires_at)
     values ($1, $2, $3, now() + make_interval(mins => ${CHALLENGE_MINUTES})) returning id`,
    [
      'enrollmentCodeId' in origin ? origin.enrollmentCodeId : null,
      'forDeviceId' in origin ? origin.forDeviceId : null,
      sha256(challenge),
    ],
  );
  if (!row) throw new Error('an insert returns its row');
  return { id: row.id, challenge };
}

export interface IdentityRequest {
  readonly challenge: string;
  readonly transactionId: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

export type ChallengeRefusal = 'challenge_unknown' | 'challenge_expired' | 'challenge_used';

/**
 * The certificate for a request: issued now by `issue`, or the one that the same transaction and key got before (its response
 * was lost). Call it inside a transaction.
 */
export async function takeIdentity(
  sql: Sql,
  request: IdentityRequest,
  issue: (identityId: string) => Promise<{ readonly der: Buffer; readonly serialNumber: string }>,
): Promise<Buffer | ChallengeRefusal> {
  const keyHash = sha256(request.publicKey);
  const [row] = await sql.query<{
    id: string;
    transactionId: string | null;
    publicKeyHash: Buffer | null;
    certificate: Buffer | null;
    isExpired: boolean;
  }>(
    `select id, transaction_id, public_key_hash, certificate,
            challenge_expires_at <= now() as is_expired
       from identity_certificates where challenge_hash = $1 for update`,
    [sha256(request.challenge)],
  );
  if (!row) return 'challenge_unknown';
  if (row.certificate) {
    const isSame = row.transactionId === request.transactionId && row.publicKeyHash?.equals(keyHash) === true;
    return isSame ? row.certificate : 'challenge_used';
  }
  if (row.isExpired) return 'challenge_expired';
  const issued = await issue(row.id);
  await sql.query(
    `update identity_certificates set transaction_id = $2, public_key_hash = $3, certificate = $4, serial_number = $5, issued_at = now()
      where id = $1`,
    [row.id, request.transactionId, keyHash, issued.der, issued.serialNumber],
  );
  return issued.der;
}

export interface IssuedIdentity {
  readonly issuedAt: Date;
  readonly forDeviceId: string | null;
  /** Of the enrollment code it came from, while the code is kept. */
  readonly forUdid: string | null;
  readonly blueprintId: string | null;
  readonly userName: string | null;
  /** Those its code is for; null: no code limits it. */
  readonly platforms: readonly Platform[] | null;
  /** It enrolled a device before, or its code was revoked or is gone: it enrolls no other any more. */
  readonly isUsed: boolean;
}

/** Of identity_certificates left join enrollment_codes. */
export const IDENTITY_COLUMNS = `issued_at, for_device_id, for_udid, blueprint_id, user_name, platforms,
  used_at is not null or revoked_at is not null or (enrollment_codes.id is null and for_device_id is null) as is_used`;

export async function findIdentity(sql: Sql, fingerprint: Buffer): Promise<IssuedIdentity | undefined> {
  const [row] = await sql.query<IssuedIdentity>(
    `select ${IDENTITY_COLUMNS}
       from identity_certificates left join enrollment_codes on enrollment_codes.id = enrollment_code_id
      where certificate is not null and sha256(certificate) = $1`,
    [fingerprint],
  );
  return row;
}

/** A device was enrolled with it. */
export async function markIdentityUsed(sql: Sql, fingerprint: Buffer): Promise<void> {
  await sql.query(
    `update identity_certificates set used_at = now()
      where certificate is not null and sha256(certificate) = $1 and used_at is null`,
    [fingerprint],
  );
}

/**
 * An enrollment with it was refused: it enrolls nothing any more, and the use of its code is given back, once. Whoever tries again gets
 * another identity with the code.
 */
export async function recordRefusedIdentity(sql: Sql, fingerprint: Buffer, code: string): Promise<void> {
  await sql.query(
    `with refused as (
       update identity_certificates set used_at = now(), refused_code = $2
        where certificate is not null and sha256(certificate) = $1 and used_at is null
        returning enrollment_code_id)
     update enrollment_codes set uses = uses - 1 from refused where enrollment_codes.id = refused.enrollment_code_id and uses > 0`,
    [fingerprint, code],
  );
}

/** How the enrollment went for which a profile was given out. undefined: there was none. */
export async function findEnrollmentOutcome(
  sql: Sql,
  identityId: string,
): Promise<{ readonly isEnrolled: boolean; readonly refusedCode: string | null } | undefined> {
  const [row] = await sql.query<{ isEnrolled: boolean; refusedCode: string | null }>(
    `select used_at is not null and refused_code is null as is_enrolled, refused_code
       from identity_certificates where id = $1`,
    [identityId],
  );
  return row;
}

/** The identity that a device is pinned to, with its life. undefined: there is no record of it. */
export async function findPinnedIdentity(sql: Sql, deviceId: string): Promise<PinnedIdentity | undefined> {
  const [row] = await sql.query<{ certificate: Buffer; issuedAt: Date }>(
    `select identity.certificate, identity.issued_at
       from devices as device
       join identity_certificates as identity on sha256(identity.certificate) = device.identity_fingerprint
      where device.id = $1 and identity.certificate is not null`,
    [deviceId],
  );
  if (!row) return undefined;
  const { fingerprint, notAfter } = readCertificate(row.certificate);
  return {
    fingerprint: fingerprint.toString('hex'),
    issuedAtMs: row.issuedAt.getTime(),
    notAfterMs: notAfter.getTime(),
  };
}

/** The device is known by another identity from now on. */
export async function pinIdentity(sql: Sql, deviceId: string, fingerprint: Buffer): Promise<void> {
  await sql.query('update devices set identity_fingerprint = $2 where id = $1', [deviceId, fingerprint]);
}
