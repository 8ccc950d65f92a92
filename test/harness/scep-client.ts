// The client side of SCEP (RFC 8894 §4), as an Apple device speaks it when a profile tells it to.
import { randomBytes } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import {
  selfSign,
  type KeyAndCertificate,
  type KeyPair,
  type Rdn,
} from '../../adapters/pki/certificate-authority.ts';
import { readCertificate, type Certificate } from '../../adapters/pki/certificate.ts';
import { buildCsr } from '../../adapters/pki/csr.ts';
import {
  buildPkcsReq,
  readCertRep,
  transactionIdFor,
  type Algorithms,
} from '../../adapters/pki/scep-message.ts';
import { readSignedData } from '../../adapters/pki/signed-data.ts';

const TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 256 * 1024;

/** The authority's certificate and, when it has one, the registration's. @throws CataloguedError `scep.enrollment_failed` */
export async function getCaCert(url: string, name?: string): Promise<Certificate[]> {
  const { body, contentType } = await requestPki(
    url,
    'GetCACert',
    name === undefined ? {} : { message: name },
  );
  return reading(() =>
    contentType === 'application/x-x509-ca-ra-cert'
      ? [...readSignedData(body).certificates]
      : [readCertificate(body)],
  );
}

/** The words of GetCACaps; an authority that does not know the question has none. */
export async function getCaCaps(url: string, name?: string): Promise<string[]> {
  const { body } = await requestPki(url, 'GetCACaps', name === undefined ? {} : { message: name });
  return body.toString('latin1').split(/\s+/).filter(Boolean);
}

export interface ScepEnrollment {
  readonly url: string;
  /** CA-IDENT: the `Name` of the payload. */
  readonly name?: string;
  readonly subject: readonly Rdn[];
  readonly challenge?: string;
  readonly keyPair: KeyPair;
  /** Signs the request in the place of its own key, as macOS does. */
  readonly signer?: KeyAndCertificate;
  /** Default: AES-128 and SHA-256 when the authority knows them, otherwise 3DES and SHA-1. */
  readonly algorithms?: Algorithms;
}

/**
 * Asks for a certificate and checks that it is for this key.
 * @throws CataloguedError `scep.request_refused` when the authority says no (facts: failInfo), `scep.enrollment_failed`
 * for everything else, `PENDING` included: Apple's devices do not wait for approval either
 */
export async function enrollWithScep(enrollment: ScepEnrollment): Promise<Certificate> {
  const { url, name, subject, challenge, keyPair } = enrollment;
  const capabilities = await getCaCaps(url, name);
  const authorities = await getCaCert(url, name);
  const recipient = authorities.find(({ isAuthority }) => !isAuthority) ?? authorities[0];
  if (recipient === undefined) throw new CataloguedError('scep.enrollment_failed');

  const signer = enrollment.signer ?? {
    certificate: selfSignedFor(subject, keyPair),
    privateKey: keyPair.privateKey,
  };
  const transaction = { transactionId: transactionIdFor(signer.certificate), senderNonce: randomBytes(16) };
  const csr = buildCsr({
    subject,
    keyPair,
    ...(challenge === undefined ? {} : { challengePassword: challenge }),
  });
  const algorithms = enrollment.algorithms ?? algorithmsFor(capabilities);
  const message = buildPkcsReq({ csr, signer, recipient, transaction, algorithms });
  const { body } = mayPost(capabilities)
    ? await requestPki(url, 'PKIOperation', {}, message)
    : await requestPki(url, 'PKIOperation', { message: message.toString('base64') });
  const response = reading(() => readCertRep(body, { transaction, recipient: signer, authorities }));
  if (response.status === 'failure') {
    throw new CataloguedError('scep.request_refused', {
      facts: { failInfo: response.failInfo ?? 'unknown' },
    });
  }
  const issued =
    response.status === 'success'
      ? response.certificates.find(({ publicKey }) => publicKey.equals(keyPair.publicKey))
      : undefined;
  if (issued === undefined) throw new CataloguedError('scep.enrollment_failed');
  return issued;
}

const mayPost = (capabilities: readonly string[]): boolean =>
  capabilities.includes('POSTPKIOperation') || capabilities.includes('SCEPStandard');

const algorithmsFor = (capabilities: readonly string[]): Algorithms => {
  const knows = (word: string): boolean =>
    capabilities.includes(word) || capabilities.includes('SCEPStandard');
  return {
    cipher: knows('AES') ? 'aes-128-cbc' : 'des-ede3-cbc',
    digest: knows('SHA-256') ? 'sha256' : 'sha1',
  };
};

/** Lives around the request only; an hour to each side for clocks that differ. */
function selfSignedFor(subject: readonly Rdn[], { publicKey, privateKey }: KeyPair): Certificate {
  const now = Date.now();
  const [notBefore, notAfter] = [new Date(now - 3_600_000), new Date(now + 3_600_000)];
  return selfSign({ subject, publicKey, notBefore, notAfter, use: 'registration' }, privateKey);
}

async function requestPki(
  url: string,
  operation: string,
  query: Readonly<Record<string, string>>,
  message?: Buffer,
): Promise<{ body: Buffer; contentType: string }> {
  const address = new URL(url);
  address.searchParams.set('operation', operation);
  for (const [key, value] of Object.entries(query)) address.searchParams.set(key, value);
  try {
    const response = await fetch(address, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(message === undefined
        ? {}
        : { method: 'POST', body: message, headers: { 'content-type': 'application/x-pki-message' } }),
    });
    const body = Buffer.from(await response.arrayBuffer());
    if (!response.ok || body.length > MAX_RESPONSE_BYTES) {
      throw new CataloguedError('scep.enrollment_failed', { facts: { status: response.status } });
    }
    const contentType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
    return { body, contentType: contentType ?? '' };
  } catch (cause) {
    throw cause instanceof CataloguedError ? cause : new CataloguedError('scep.enrollment_failed', { cause });
  }
}

function reading<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new CataloguedError('scep.enrollment_failed', { cause });
  }
}
