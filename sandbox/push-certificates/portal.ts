// Apple's pretend Push Certificates Portal (identity.apple.com/pushcert): takes what a vendor has signed, and gives out a certificate.
// https://developer.apple.com/documentation/devicemanagement/setting-up-push-notifications-for-your-mdm-customers
import { randomUUID, verify } from 'node:crypto';
import { parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import { readCertificates, wasIssuedBy } from '../../adapters/pki/certificate.ts';
import type { CertificateAuthority } from '../../adapters/pki/certificate-authority.ts';
import { readCsr } from '../../adapters/pki/csr.ts';

const YEAR_MS = 365 * 86_400_000;
const KEYS = ['PushCertCertificateChain', 'PushCertRequestCSR', 'PushCertSignature'];

/**
 * @param uploaded base64 of the property list
 * @returns the push certificate, PEM
 * @throws Error why the portal calls the file invalid
 */
export function issuePushCertificate(apple: CertificateAuthority, uploaded: string): string {
  const plist = readUpload(uploaded);
  const csr = Buffer.from(String(plist['PushCertRequestCSR']), 'base64');
  const [vendor, ...others] = readCertificates(String(plist['PushCertCertificateChain']));
  const now = new Date();
  if (!vendor?.commonName.startsWith('MDM Vendor:'))
    throw new Error('the first certificate is not a vendor’s');
  if (others.at(-1)?.fingerprint.equals(apple.certificate.fingerprint) !== true)
    throw new Error('the chain does not end at Apple’s root');
  if (!wasIssuedBy(vendor, apple.certificate, now)) throw new Error('Apple did not issue the vendor’s');
  if (vendor.notAfter < now) throw new Error('the vendor’s certificate is over');
  const signature = Buffer.from(String(plist['PushCertSignature']), 'base64');
  if (!verify('sha256', csr, vendor.publicKey, signature)) throw new Error('the signature does not fit');
  const { publicKey } = readCsr(csr);
  const topic = `com.apple.mgmt.External.${randomUUID()}`;
  return apple.issue({
    subject: [
      ['UID', topic],
      ['CN', `APSP:${topic.slice(-36)}`],
      ['C', 'US'],
    ],
    publicKey,
    notBefore: new Date(now.getTime() - 3600 * 1000),
    notAfter: new Date(now.getTime() + YEAR_MS),
    use: 'client',
  }).pem;
}

function readUpload(uploaded: string): PlistDict {
  const bytes = Buffer.from(uploaded, 'base64');
  if (bytes.toString('base64') !== uploaded.trim()) throw new Error('the file is not base64');
  const plist = parsePlistDict(bytes);
  if (Object.keys(plist).sort().join() !== KEYS.join())
    throw new Error(`the property list has ${KEYS.join(', ')}`);
  return plist;
}
