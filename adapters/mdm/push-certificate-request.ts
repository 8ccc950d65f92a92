// The request for a push certificate as Apple's portal takes it: with the signature of an MDM vendor around it.
// https://developer.apple.com/documentation/devicemanagement/setting-up-push-notifications-for-your-mdm-customers
import { sign, verify } from 'node:crypto';
import { parsePlistDict, buildPlist } from './plist.ts';
import { type Certificate, readCertificates, wasIssuedBy } from '../pki/certificate.ts';
import { type KeyAndCertificate, type KeyPair } from '../pki/certificate-authority.ts';
import { buildCsr } from '../pki/csr.ts';

/** PEM (RFC 7468). */
export function newCertificateRequest(keyPair: KeyPair): string {
  const der = buildCsr({ subject: [['CN', 'Odette push certificate']], keyPair });
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const derOf = (csrPem: string): Buffer => Buffer.from(csrPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

/** Why a request would be refused by the portal: one sentence, safe to show. */
export class UnusableRequest extends Error {}

/**
 * Signs a request with an MDM vendor's certificate; base64, as the portal takes it.
 * @param others in any order: those between the vendor's certificate and Apple's root, and the root
 * @throws UnusableRequest
 */
export function signRequest(
  csrPem: string,
  vendor: KeyAndCertificate,
  others: readonly Certificate[],
  now: Date,
): string {
  if (vendor.privateKey.asymmetricKeyType !== 'rsa')
    throw new UnusableRequest('The vendor’s key is not an RSA key.');
  refuseExpired(vendor.certificate, now);
  const csr = derOf(csrPem);
  const plist = buildPlist({
    PushCertRequestCSR: csr.toString('base64'),
    PushCertCertificateChain: chainOf(vendor.certificate, others, now)
      .map(({ pem }) => pem)
      .join(''),
    PushCertSignature: sign('sha256', csr, vendor.privateKey).toString('base64'),
  });
  return plist.toString('base64');
}

/** The vendor's certificate first, a self-signed root last: the portal takes nothing less. */
function chainOf(vendor: Certificate, others: readonly Certificate[], now: Date): Certificate[] {
  const chain = [vendor];
  for (let last = vendor; last.issuer !== last.subject; chain.push(last)) {
    const issuer = others.find((other) => wasIssuedBy(last, other, now) && !chain.includes(other));
    if (!issuer)
      throw new UnusableRequest(
        `The certificate of “${last.issuer}”, who issued “${last.subject}”, is missing from the chain. Apple’s are at apple.com/certificateauthority.`,
      );
    last = issuer;
  }
  return chain;
}

function refuseExpired(certificate: Certificate, now: Date): void {
  if (certificate.notAfter < now)
    throw new UnusableRequest(
      `The signing certificate “${certificate.commonName}” expired on ${certificate.notAfter.toISOString().slice(0, 10)}: Apple refuses requests that it signs.`,
    );
}

/**
 * What somebody else signed, before somebody carries it to the portal, which says little when it refuses.
 * @param signed base64 of the property list
 * @throws UnusableRequest
 */
export function checkSignedRequest(signed: string, csrPem: string, now: Date): void {
  const { csr, signature, vendor } = readSigned(signed);
  if (!csr.equals(derOf(csrPem)))
    throw new UnusableRequest('It is not the current request of this Odette: the key would not match.');
  refuseExpired(vendor, now);
  if (!['sha256', 'sha1'].some((digest) => verify(digest, csr, vendor.publicKey, signature)))
    throw new UnusableRequest('The signature of the vendor does not match the request.');
}

function readSigned(signed: string): { csr: Buffer; signature: Buffer; vendor: Certificate } {
  try {
    const plist = parsePlistDict(Buffer.from(signed, 'base64'));
    const [csr, signature, chain] = [
      'PushCertRequestCSR',
      'PushCertSignature',
      'PushCertCertificateChain',
    ].map((key) => String(plist[key]));
    const [vendor] = readCertificates(chain ?? '');
    if (vendor)
      return {
        csr: Buffer.from(csr ?? '', 'base64'),
        signature: Buffer.from(signature ?? '', 'base64'),
        vendor,
      };
  } catch {
    // Said below, whatever it is.
  }
  throw new UnusableRequest('It is not a signed push certificate request.');
}
