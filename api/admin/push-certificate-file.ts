// Reads an uploaded push certificate or MDM vendor certificate, PEM or PKCS#12, and refuses what Apple would refuse.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readCertificates, readPkcs12, type Certificate } from '../../adapters/pki/certificate.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { fieldProblem } from '../http/problem.ts';

export type PushCertificateUpload =
  { readonly pem: string } | { readonly pkcs12: string; readonly password: string };

export interface PushCertificateFile {
  readonly certificatePem: string;
  /** undefined: the file holds none. */
  readonly privateKeyPem: string | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly publicKeyHash: Buffer;
  /** com.apple.mgmt.… : the UID of its subject. */
  readonly topic: string;
  readonly notAfter: Date;
}

const refused = (field: string, detail: string) =>
  fieldProblem('apns.certificate_invalid', field, { detail });

/** @throws ProblemError `apns.certificate_invalid` with the field and what is wrong */
export function readPushCertificate(upload: PushCertificateUpload): PushCertificateFile {
  const field = 'pem' in upload ? 'pem' : 'pkcs12';
  const { certificatePem, privateKeyPem } = 'pem' in upload ? splitPem(upload.pem) : openPkcs12(upload);
  const certificate =
    privateKeyPem === undefined
      ? onlyCertificate(certificatePem)
      : certificateOf(certificatePem, privateKeyPem, field);
  const topic = certificate.userId;
  if (topic === undefined || !topic.startsWith('com.apple.mgmt.'))
    throw refused(field, 'It is not a push certificate for MDM: its UID is not a topic com.apple.mgmt.…');
  if (certificate.notAfter.getTime() < Date.now())
    throw refused(field, 'It has expired: renew it at identity.apple.com/pushcert.');
  return {
    certificatePem: certificate.pem,
    privateKeyPem,
    publicKeyHash: hashOf(certificate.publicKey),
    topic,
    notAfter: certificate.notAfter,
  };
}

/** @throws ProblemError `apns.vendor_certificate_invalid` */
export function readVendorCertificate(upload: PushCertificateUpload): KeyAndCertificate {
  try {
    const { certificatePem, privateKeyPem } = 'pem' in upload ? splitPem(upload.pem) : openPkcs12(upload);
    if (privateKeyPem !== undefined)
      return {
        certificate: certificateOf(certificatePem, privateKeyPem, 'vendor'),
        privateKey: createPrivateKey(privateKeyPem),
      };
  } catch {
    // Said below: of a file that is not Odette's own nothing else is told.
  }
  throw fieldProblem('apns.vendor_certificate_invalid', 'vendor', {
    detail: 'It does not contain a certificate with its unencrypted private key, or the password is wrong.',
  });
}

/** Of a public key, by which a certificate's private key is found. */
export const hashOf = (publicKey: KeyObject): Buffer =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

function splitPem(pem: string) {
  const privateKey =
    /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA |EC )?PRIVATE KEY-----/.exec(pem)?.[0];
  if (privateKey === undefined && pem.includes('PRIVATE KEY'))
    throw refused('pem', 'Its private key is encrypted: remove the password, or upload PKCS#12.');
  return { certificatePem: pem, privateKeyPem: privateKey && `${privateKey}\n` };
}

/** Without its key, as Apple's portal gives it. */
function onlyCertificate(pem: string): Certificate {
  try {
    const [certificate] = readCertificates(pem);
    if (certificate) return certificate;
  } catch {
    // Said below.
  }
  throw refused('pem', 'It does not contain a readable certificate.');
}

function openPkcs12({ pkcs12, password }: { readonly pkcs12: string; readonly password: string }) {
  try {
    return readPkcs12(Buffer.from(pkcs12, 'base64'), password);
  } catch {
    throw refused(
      'password',
      'The file does not open: the password is wrong, or it is not PKCS#12 with a key.',
    );
  }
}

function certificateOf(pem: string, privateKeyPem: string, field: string): Certificate {
  try {
    const own = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'der' });
    const found = readCertificates(pem).find(({ publicKey }) =>
      own.equals(publicKey.export({ type: 'spki', format: 'der' })),
    );
    if (found) return found;
  } catch {
    throw refused(field, 'It does not contain a readable certificate and key.');
  }
  throw refused(field, 'The private key does not belong to the certificate.');
}
