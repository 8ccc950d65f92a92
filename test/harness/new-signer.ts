// A certificate that signs profiles, of an authority of its own.
import {
  CertificateAuthority,
  newRsaKeyPair,
  type KeyAndCertificate,
} from '../../adapters/pki/certificate-authority.ts';

export async function newSigner(): Promise<KeyAndCertificate> {
  const dates = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await CertificateAuthority.create({ commonName: 'Test profiles', ...dates });
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = authority.issue({ subject: [['CN', 'signer']], publicKey, use: 'signing', ...dates });
  return { certificate, privateKey };
}
