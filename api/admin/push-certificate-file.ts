// Reads an uploaded push certificate, PEM or PKCS#12, and refuses what Apple would refuse.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readCertificates, readPkcs12, type Certificate } from '../../adapters/pki/certificate.ts';
import { fieldProblem } from '../http/problem.ts';

export type PushCertificateUpload =
  { readonly pem: string } | { readonly pkcs12: string; readonly password: string };

export interface PushCertificateFile {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
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
  const certificate = certificateOf(certificatePem, privateKeyPem, field);
  const topic = certificate.userId;
  if (topic === undefined || !topic.startsWith('com.apple.mgmt.'))
    throw refused(
      field,
      'It is not a certificate for device management: its UID names no topic com.apple.mgmt.…',
    );
  if (certificate.notAfter.getTime() < Date.now())
    throw refused(field, 'It has expired: renew it at identity.apple.com/pushcert.');
  return { certificatePem: certificate.pem, privateKeyPem, topic, notAfter: certificate.notAfter };
}

function splitPem(pem: string) {
  const privateKey =
    /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA |EC )?PRIVATE KEY-----/.exec(pem)?.[0];
  if (privateKey === undefined) throw refused('pem', 'There is no unencrypted private key in it.');
  return { certificatePem: pem, privateKeyPem: `${privateKey}\n` };
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
    throw refused(field, 'It holds no readable certificate and key.');
  }
  throw refused(field, 'The private key does not belong to the certificate.');
}
