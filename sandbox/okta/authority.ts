// Okta as a certificate authority: root, intermediate and registration of a pretend tenant, and the fate of what was issued.
import { createPrivateKey } from 'node:crypto';
import {
  CertificateAuthority,
  newRsaKeyPair,
  type KeyAndCertificate,
} from '../../adapters/pki/certificate-authority.ts';
import { readCertificate, wasIssuedBy, type Certificate } from '../../adapters/pki/certificate.ts';
import { appendLog, certificateTarget } from './system-log.ts';
import type { Tenant } from './tenant.ts';
import type { AuthorityState, IssuedCertificate, StoredKey } from './tenant-state.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
/** Okta revokes on the 91st day what no FastPass sign-in has used. */
const UNUSED_LIFE_MS = 90 * 24 * 3_600_000;
/** Clocks of devices differ a little. */
const BACKDATE_MS = 5 * 60_000;

const keep = ({ certificate, privateKey }: KeyAndCertificate): StoredKey => ({
  certificate: certificate.pem,
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

const opened = new WeakMap<StoredKey, KeyAndCertificate>();

export function open(kept: StoredKey): KeyAndCertificate {
  const known = opened.get(kept) ?? {
    certificate: readCertificate(kept.certificate),
    privateKey: createPrivateKey(kept.privateKey),
  };
  opened.set(kept, known);
  return known;
}

const ORGANIZATION = [
  ['O', 'Okta'],
  ['OU', 'Sandbox'],
] as const;

export async function newAuthority(now: Date): Promise<AuthorityState> {
  const notBefore = new Date(now.getTime() - BACKDATE_MS);
  const notAfter = new Date(now.getTime() + 30 * YEAR_MS);
  const root = await CertificateAuthority.create({
    commonName: 'Organization Root Authority',
    notBefore,
    notAfter,
  });
  const intermediate = await newIntermediate(root, now);
  return {
    root: keep(root),
    intermediates: [keep(intermediate)],
    registration: keep(await newRegistration(intermediate, now)),
  };
}

async function newIntermediate(root: KeyAndCertificate, now: Date): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = new CertificateAuthority(root).issue({
    subject: [...ORGANIZATION, ['CN', 'Organization Intermediate Authority']],
    publicKey,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + 20 * YEAR_MS),
    use: 'authority',
  });
  return { certificate, privateKey };
}

async function newRegistration(intermediate: KeyAndCertificate, now: Date): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = new CertificateAuthority(intermediate).issue({
    subject: [...ORGANIZATION, ['CN', 'Organization Registration Authority']],
    publicKey,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + 20 * YEAR_MS),
    use: 'registration',
  });
  return { certificate, privateKey };
}

/** The authority that issues now. @throws Error never: a tenant has at least one */
export function issuing(tenant: Tenant): KeyAndCertificate {
  const newest = tenant.state.authority.intermediates.at(-1);
  if (newest === undefined) throw new Error('the tenant has no authority');
  return open(newest);
}

/** Okta renews its registration authority by itself: nobody may pin it. */
export async function renewRegistration(tenant: Tenant): Promise<void> {
  tenant.state.authority.registration = keep(await newRegistration(issuing(tenant), tenant.clock.now()));
  await tenant.save();
}

/** A new intermediate key under the same root. What the earlier ones issued stays good. */
export async function renewIntermediate(tenant: Tenant): Promise<void> {
  const { authority } = tenant.state;
  const renewed = await newIntermediate(open(authority.root), tenant.clock.now());
  authority.intermediates.push(keep(renewed));
  authority.registration = keep(await newRegistration(renewed, tenant.clock.now()));
  await tenant.save();
}

export function issueClientCertificate(
  tenant: Tenant,
  request: Pick<Parameters<CertificateAuthority['issue']>[0], 'subject' | 'publicKey'>,
): Certificate {
  const now = tenant.now();
  const lifeMs = tenant.state.knobs.scep.certificateSeconds * 1_000;
  return new CertificateAuthority(issuing(tenant)).issue({
    subject: request.subject,
    publicKey: request.publicKey,
    // A life of minutes must not start half-way through.
    notBefore: new Date(now - Math.min(BACKDATE_MS, lifeMs / 50)),
    notAfter: new Date(now + lifeMs),
    use: 'client',
  });
}

/** Revokes what has grown old without a sign-in; called before anybody looks. */
export function revokeUnused(tenant: Tenant): void {
  for (const issued of tenant.state.certificates) {
    const isUnused = issued.lastUsedAt === undefined && tenant.now() >= issued.issuedAt + UNUSED_LIFE_MS;
    if (!isUnused || issued.revoked !== undefined) continue;
    issued.revoked = 'unused';
    appendLog(tenant, 'pki.cert.lifecycle.revoke', [certificateTarget(issued)]);
  }
}

export type CertificateJudgement =
  | { readonly kind: 'good'; readonly issued: IssuedCertificate }
  | { readonly kind: 'foreign' | 'revoked' | 'expired' };

/** Known to this tenant, signed by one of its intermediates, in time, not revoked. */
export function judge(tenant: Tenant, certificate: Certificate): CertificateJudgement {
  revokeUnused(tenant);
  const fingerprint = certificate.fingerprint.toString('hex');
  const issued = tenant.state.certificates.find((known) => known.fingerprint === fingerprint);
  const isOurs = tenant.state.authority.intermediates.some((kept) =>
    wasIssuedBy(certificate, open(kept).certificate, certificate.notBefore),
  );
  if (issued === undefined || !isOurs) return { kind: 'foreign' };
  if (issued.revoked !== undefined) return { kind: 'revoked' };
  return tenant.now() >= issued.notAfter ? { kind: 'expired' } : { kind: 'good', issued };
}
