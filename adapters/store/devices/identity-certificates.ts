// Identities that Odette's own authority issues to devices at enrollment: one certificate for each challenge.
import { createHash, randomBytes } from 'node:crypto';
import type { PinnedIdentity } from '../../../domain/identity-plan.ts';
import { readCertificate } from '../../pki/certificate.ts';
import type { Sql } from '../base/database.ts';

/** A profile is installed soon after it was made, or made again. */
const CHALLENGE_MINUTES = 60;

const sha256 = (value: string | Uint8Array): Buffer => createHash('sha256').update(value).digest();

/** Where an identity comes from: an enrollment code, or the renewal of a device's identity. */
export type IdentityOrigin = { readonly enrollmentCodeId: string } | { readonly forDeviceId: string };

/** Makes the one-time SCEP challenge of a new identity; only its hash is stored. */
export async function newIdentityChallenge(sql: Sql, origin: IdentityOrigin): Promise<string> {
  const challenge = randomBytes(32).toString('base64url');
  await sql.query(
    `insert into identity_certificates (enrollment_code_id, for_device_id, challenge_hash, challenge_expires_at)
     values ($1, $2, $3, now() + make_interval(mins => ${CHALLENGE_MINUTES}))`,
    [
      'enrollmentCodeId' in origin ? origin.enrollmentCodeId : null,
      'forDeviceId' in origin ? origin.forDeviceId : null,
      sha256(challenge),
    ],
  );
  return challenge;
}

export interface IdentityRequest {
  readonly challenge: string;
  readonly transactionId: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

export type ChallengeRefusal = 'challenge_unknown' | 'challenge_expired' | 'challenge_used';

/**
 * The certificate for a request: issued now by `issue`, or the one that the same transaction and key got before (its answer
 * was lost). Call it inside a transaction.
 */
export async function takeIdentity(
  sql: Sql,
  request: IdentityRequest,
  issue: (identityId: string) => { readonly der: Buffer; readonly serialNumber: string },
): Promise<Buffer | ChallengeRefusal> {
  const keyHash = sha256(request.publicKey);
  const [row] = await sql.query<{
    id: string;
    transactionId: string | null;
    publicKeyHash: Buffer | null;
    certificate: Buffer | null;
    isExpired: boolean;
  }>(
    `select id, transaction_id as "transactionId", public_key_hash as "publicKeyHash", certificate,
            challenge_expires_at <= now() as "isExpired"
       from identity_certificates where challenge_hash = $1 for update`,
    [sha256(request.challenge)],
  );
  if (!row) return 'challenge_unknown';
  if (row.certificate) {
    const isSame = row.transactionId === request.transactionId && row.publicKeyHash?.equals(keyHash) === true;
    return isSame ? row.certificate : 'challenge_used';
  }
  if (row.isExpired) return 'challenge_expired';
  const issued = issue(row.id);
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
  /** It enrolled a device before, or its code was revoked or is gone: it enrolls no other any more. */
  readonly isSpent: boolean;
}

export async function findIdentity(sql: Sql, fingerprint: Buffer): Promise<IssuedIdentity | undefined> {
  const [row] = await sql.query<IssuedIdentity>(
    `select issued_at as "issuedAt", for_device_id as "forDeviceId", for_udid as "forUdid", blueprint_id as "blueprintId",
            user_name as "userName",
            used_at is not null or revoked_at is not null or (enrollment_codes.id is null and for_device_id is null) as "isSpent"
       from identity_certificates left join enrollment_codes on enrollment_codes.id = enrollment_code_id
      where certificate is not null and sha256(certificate) = $1`,
    [fingerprint],
  );
  return row;
}

/** A device was enrolled with it. */
export async function spendIdentity(sql: Sql, fingerprint: Buffer): Promise<void> {
  await sql.query(
    `update identity_certificates set used_at = now()
      where certificate is not null and sha256(certificate) = $1 and used_at is null`,
    [fingerprint],
  );
}

/** The identity that a device is pinned to, with its life. undefined: there is no record of it. */
export async function findPinnedIdentity(sql: Sql, deviceId: string): Promise<PinnedIdentity | undefined> {
  const [row] = await sql.query<{ certificate: Buffer; issuedAt: Date }>(
    `select identity.certificate, identity.issued_at as "issuedAt"
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
