// The SCEP address of a pretend macOS platform: one certificate for one challenge.
import { handleScep, type ScepServer } from '../../adapters/pki/scep-server.ts';
import type { Csr } from '../../adapters/pki/csr.ts';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import { issueClientCertificate, issuing, open } from './authority.ts';
import { redeemChallenge } from './challenge-route.ts';
import type { Tenant, TenantResponse, TenantRequest } from './tenant.ts';
import type { MacPlatform } from './tenant-state.ts';

export async function handleScepRequest(
  tenant: Tenant,
  platform: MacPlatform,
  { method, url, body }: TenantRequest,
): Promise<TenantResponse> {
  const operation = url.searchParams.get('operation') ?? undefined;
  tenant.count(`scep.${operation ?? 'none'}`);
  const { getCaCert } = tenant.state.knobs.scep;
  const server: ScepServer = {
    authority: issuing(tenant),
    ...(getCaCert === 'chain' ? { registration: open(tenant.state.authority.registration) } : {}),
    decide: (csr) => decide(tenant, platform, csr),
  };
  const message = url.searchParams.get('message') ?? undefined;
  const response = await handleScep({ method, operation, message, body }, server);
  return { status: response.status, headers: { 'content-type': response.contentType }, body: response.body };
}

async function decide(
  tenant: Tenant,
  platform: MacPlatform,
  csr: Csr,
): Promise<Certificate | { refusal: string }> {
  const { knobs } = tenant.state;
  const refused = knobs.scep.refuse > 0;
  if (refused) knobs.scep.refuse -= 1;
  const { asymmetricKeyType, asymmetricKeyDetails } = csr.publicKey;
  const isStrong = asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  if (refused || !isStrong || !redeemChallenge(tenant, platform, csr.challengePassword)) {
    tenant.count('certificatesRefused');
    await tenant.save();
    return { refusal: 'refused' };
  }
  const certificate = issueClientCertificate(tenant, csr);
  tenant.state.certificates.push({
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint.toString('hex'),
    subject: certificate.subject,
    platformId: platform.id,
    issuedAt: tenant.now(),
    notAfter: certificate.notAfter.getTime(),
  });
  tenant.count('certificates');
  await tenant.save();
  return certificate;
}
