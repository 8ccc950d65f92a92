// Reads an uploaded MDM push certificate: PEM (certificate and key in one file or two) or PKCS #12.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import { readCertificate, readPkcs12 } from '../pki/certificate.ts';

export interface PushCertificate {
  readonly certificatePem: string;
  /** PKCS #8, unencrypted: to be sealed at once. */
  readonly privateKeyPem: string;
  /** `com.apple.mgmt.…`: the UID of the subject (Apple, "Setting up push notifications for your MDM customers"). */
  readonly topic: string;
  readonly notAfter: Date;
}

/** Why a file is not usable: safe to show. */
type Reason = 'unreadable' | 'no_key' | 'wrong_password' | 'key_does_not_match' | 'no_mdm_topic' | 'expired';

const invalid = (reason: Reason, cause?: unknown): CataloguedError =>
  new CataloguedError('apns.certificate_invalid', {
    facts: { reason },
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * @param file PEM text holding certificate and private key, or PKCS #12
 * @param password of the key or of the PKCS #12 file
 * @throws CataloguedError `apns.certificate_invalid` with `facts.reason`
 */
export function readPushCertificate(
  file: Uint8Array | string,
  options: { readonly password?: string | undefined; readonly now?: Date } = {},
): PushCertificate {
  const { certificatePem, privateKeyPem } = partsOf(file, options.password ?? '');
  const certificate = readOrRefuse(() => readCertificate(certificatePem), 'unreadable');
  const privateKey = readOrRefuse(
    () => createPrivateKey({ key: privateKeyPem, passphrase: options.password ?? '' }),
    privateKeyPem.includes('ENCRYPTED') ? 'wrong_password' : 'no_key',
  );
  if (!new X509Certificate(certificate.der).checkPrivateKey(privateKey)) throw invalid('key_does_not_match');
  const topic = certificate.userId ?? '';
  if (!topic.startsWith('com.apple.mgmt.')) throw invalid('no_mdm_topic');
  if (certificate.notAfter <= (options.now ?? new Date())) throw invalid('expired');
  return {
    certificatePem: certificate.pem,
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    topic,
    notAfter: certificate.notAfter,
  };
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

function partsOf(
  file: Uint8Array | string,
  password: string,
): { readonly certificatePem: string; readonly privateKeyPem: string } {
  const text = typeof file === 'string' ? file : Buffer.from(file).toString('latin1');
  if (!text.includes('-----BEGIN ')) {
    if (typeof file === 'string') throw invalid('unreadable');
    return readOrRefuse(() => readPkcs12(file, password), 'wrong_password');
  }
  const [certificatePem] = CERTIFICATE.exec(text) ?? [];
  const [privateKeyPem] = PRIVATE_KEY.exec(text) ?? [];
  if (certificatePem === undefined) throw invalid('unreadable');
  if (privateKeyPem === undefined) throw invalid('no_key');
  return { certificatePem, privateKeyPem };
}

function readOrRefuse<Value>(read: () => Value, reason: Reason): Value {
  try {
    return read();
  } catch (cause) {
    // OpenSSL's texts hold no key material, but the file's content must not travel further than this.
    throw invalid(reason, cause instanceof CataloguedError ? cause : undefined);
  }
}
