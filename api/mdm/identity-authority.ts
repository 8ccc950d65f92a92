// Odette's own certificate authority: issues the identities of enrolled devices and the certificate that signs profiles.
// Its key is made once for an installation, sealed, and lives in memory only.
import { createPrivateKey } from 'node:crypto';
import {
  CertificateAuthority,
  type KeyAndCertificate,
  newRsaKeyPair,
} from '../../adapters/pki/certificate-authority.ts';
import { readCertificate, type Certificate } from '../../adapters/pki/certificate.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import {
  type AuthorityKeyName,
  findAuthorityKey,
  lockAuthorityKeys,
  storeAuthorityKey,
} from '../../adapters/store/base/authority-keys.ts';
import { openSecret, storeSecret } from '../../adapters/store/base/secrets.ts';
import type { Sealer } from '../../domain/sealer.ts';

export interface IdentityAuthority {
  readonly authority: CertificateAuthority;
  readonly profileSigner: KeyAndCertificate;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
/** Devices' clocks may run a little late. */
const CLOCK_SLACK_MS = 3_600_000;
const AUTHORITY_YEARS = 25;
const SIGNER_YEARS = 10;
/** Renewed long before (domain/identity-plan.ts); one that is not lasts this long. */
const IDENTITY_YEARS = 5;

/** Opens the authority at the first call and keeps it; a call that failed is tried again at the next. */
export function identityAuthority(database: Database, sealer: Sealer): () => Promise<IdentityAuthority> {
  let opened: Promise<IdentityAuthority> | undefined;
  return () => {
    opened ??= open(database, sealer).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/** The certificate of a device's identity. What its request says of itself is not taken over. */
export function issueIdentity(
  authority: CertificateAuthority,
  request: Pick<Parameters<CertificateAuthority['issue']>[0], 'publicKey'>,
  identityId: string,
): Promise<Certificate> {
  const now = Date.now();
  return authority.issueBeside({
    subject: [
      ['O', 'Odette'],
      ['CN', `device identity ${identityId}`],
    ],
    publicKey: request.publicKey,
    notBefore: new Date(now - CLOCK_SLACK_MS),
    notAfter: new Date(now + IDENTITY_YEARS * YEAR_MS),
    use: 'client',
  });
}

async function open(database: Database, sealer: Sealer): Promise<IdentityAuthority> {
  return database.inTransaction(async (sql) => {
    await lockAuthorityKeys(sql);
    const authority = new CertificateAuthority(
      (await openKept(sql, sealer, 'identity_authority')) ?? (await makeAuthority(sql, sealer)),
    );
    const signer = await openKept(sql, sealer, 'profile_signer');
    const isLasting = signer !== undefined && signer.certificate.notAfter.getTime() > Date.now() + YEAR_MS;
    return { authority, profileSigner: isLasting ? signer : await makeSigner(sql, sealer, authority) };
  });
}

const KINDS = { identity_authority: 'authority_key', profile_signer: 'profile_signing_key' } as const;

async function openKept(
  sql: Sql,
  sealer: Sealer,
  name: AuthorityKeyName,
): Promise<KeyAndCertificate | undefined> {
  const saved = await findAuthorityKey(sql, name);
  if (!saved) return undefined;
  const { value } = await openSecret(sql, sealer, saved.secretId, {
    actor: 'system',
    purpose: name,
    kind: KINDS[name],
    owner: { installation: true },
  });
  return {
    certificate: readCertificate(saved.certificatePem),
    privateKey: createPrivateKey({ key: value, format: 'der', type: 'pkcs8' }),
  };
}

async function makeAuthority(sql: Sql, sealer: Sealer): Promise<KeyAndCertificate> {
  const now = Date.now();
  const made = await CertificateAuthority.create({
    commonName: 'Odette identity authority',
    notBefore: new Date(now - CLOCK_SLACK_MS),
    notAfter: new Date(now + AUTHORITY_YEARS * YEAR_MS),
  });
  await keep(sql, sealer, 'identity_authority', made);
  return made;
}

async function makeSigner(
  sql: Sql,
  sealer: Sealer,
  authority: CertificateAuthority,
): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const now = Date.now();
  const certificate = authority.issue({
    subject: [
      ['O', 'Odette'],
      ['CN', 'Odette configuration profiles'],
    ],
    publicKey,
    notBefore: new Date(now - CLOCK_SLACK_MS),
    notAfter: new Date(now + SIGNER_YEARS * YEAR_MS),
    use: 'signing',
  });
  const made = { certificate, privateKey };
  await keep(sql, sealer, 'profile_signer', made);
  return made;
}

async function keep(
  sql: Sql,
  sealer: Sealer,
  name: AuthorityKeyName,
  made: KeyAndCertificate,
): Promise<void> {
  const { id } = await storeSecret(sql, sealer, {
    kind: KINDS[name],
    value: made.privateKey.export({ format: 'der', type: 'pkcs8' }),
    by: 'system',
  });
  await storeAuthorityKey(sql, name, { certificatePem: made.certificate.pem, secretId: id });
}
