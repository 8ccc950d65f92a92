// A pretend public signing service for push certificate requests, as strict as what the public one asks for: POST /api/v1/signrequest with
// csr, email, key and encrypt as JSON; the signed request goes out by email, as hexadecimal CMS, encrypted to the certificate that came along.
import { createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import express, { type Express, type Request } from 'express';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import type { CertificateAuthority, KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { readCsr } from '../../adapters/pki/csr.ts';
import { envelope } from '../../adapters/pki/enveloped-data.ts';

export const SIGNING_PATH = '/api/v1/signrequest';

interface Mail {
  readonly to: string;
  /** The attachment, in hexadecimal. */
  readonly attachment: string;
}

const DAY_MS = 86_400_000;
const MIN_BITS = 2048;
const FIELDS = ['csr', 'email', 'encrypt', 'key'] as const;
/** Addresses that anybody gets are not registered. */
const FREE_MAIL = /@(gmail|outlook|hotmail|yahoo|icloud|me)\./i;

/** What the service says no to, in its words. */
class Refused extends Error {}

export class SigningService {
  readonly app: Express;
  /** The newest last. */
  readonly mails: Mail[] = [];
  readonly #apple: CertificateAuthority;
  readonly #vendor: KeyAndCertificate;
  readonly #emails = new Set<string>();
  readonly #serverKeys = new Set<string>();

  private constructor(apple: CertificateAuthority, vendor: KeyAndCertificate) {
    this.#apple = apple;
    this.#vendor = vendor;
    this.app = express()
      .use(express.json({ type: 'application/json', strict: true, limit: '64kb' }))
      .post(SIGNING_PATH, (request, response) => {
        try {
          this.#take(request);
          response.json({ result: 'success' });
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          response.status(400).json({ result: 'failure', reason: error.message });
        }
      })
      .all(SIGNING_PATH, (_request, response) => void response.status(405).end());
  }

  /** @param apple who issues vendor certificates, and push certificates */
  static async open(apple: CertificateAuthority): Promise<SigningService> {
    const { publicKey, privateKey } = await newRsaKeyPair();
    const certificate = apple.issue({
      subject: [['CN', 'MDM Vendor: Pretend signing service']],
      publicKey,
      use: 'signing',
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 365 * DAY_MS),
    });
    return new SigningService(apple, { certificate, privateKey });
  }

  /** @throws Error an address that anybody gets */
  register(email: string): void {
    if (FREE_MAIL.test(email)) throw new Error('an address at work is needed');
    this.#emails.add(email.toLowerCase());
  }

  /** Of one MDM server; its operators give it out. */
  admitServer(key: string): void {
    this.#serverKeys.add(key);
  }

  #take(request: Request): void {
    const { csr, email, encrypt, key } = fieldsOf(request);
    if (!this.#serverKeys.has(key)) throw new Refused('invalid server key');
    if (!this.#emails.has(email.toLowerCase())) throw new Refused('unknown email address');
    const der = requestIn(pemIn(csr, 'CERTIFICATE REQUEST', 'csr'));
    const recipient = recipientIn(pemIn(encrypt, 'CERTIFICATE', 'encrypt'));
    const signed = buildPlist({
      PushCertRequestCSR: der.toString('base64'),
      PushCertCertificateChain: this.#vendor.certificate.pem + this.#apple.certificate.pem,
      PushCertSignature: sign('sha256', der, this.#vendor.privateKey).toString('base64'),
    }).toString('base64');
    const attachment = envelope(Buffer.from(signed), readCertificate(recipient), 'aes-128-cbc');
    this.mails.push({ to: email, attachment: attachment.toString('hex') });
  }
}

function fieldsOf(request: Request): Record<(typeof FIELDS)[number], string> {
  if (request.is('application/json') === false) throw new Refused('JSON is needed');
  const body = request.body as Record<string, unknown>;
  if (Object.keys(body).sort().join() !== FIELDS.join())
    throw new Refused(`needed: ${FIELDS.join(', ')}, and nothing else`);
  for (const field of FIELDS)
    if (typeof body[field] !== 'string' || body[field] === '') throw new Refused(`${field} is empty`);
  return body as Record<(typeof FIELDS)[number], string>;
}

/** Base64 of PEM, without line breaks. */
function pemIn(base64: string, label: string, field: string): string {
  const pem = Buffer.from(base64, 'base64');
  const text = pem.toString('latin1');
  const isPem =
    pem.toString('base64') === base64 &&
    text.startsWith(`-----BEGIN ${label}-----\n`) &&
    text.trimEnd().endsWith(`-----END ${label}-----`);
  if (!isPem) throw new Refused(`${field} is not base64 of PEM`);
  return text;
}

function requestIn(pem: string): Buffer {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  let publicKey: KeyObject;
  try {
    ({ publicKey } = readCsr(der));
  } catch {
    throw new Refused('csr is not signed by its own key');
  }
  refuseWeak(publicKey, 'csr');
  return der;
}

function recipientIn(pem: string): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new Refused('encrypt is not a certificate');
  }
  refuseWeak(createPublicKey(pem), 'encrypt');
  const now = Date.now();
  if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) < now)
    throw new Refused('encrypt is not valid now');
  return pem;
}

function refuseWeak(key: KeyObject, field: string): void {
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_BITS)
    throw new Refused(`${field} needs an RSA key of ${MIN_BITS} bits`);
}
