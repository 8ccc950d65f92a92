// A public service that signs push certificate requests for organizations without an MDM vendor certificate (mdmcert.download): it takes a
// request and sends it back signed by email, encrypted to a certificate that came with the request.
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import { outwardFetch } from '../outward/proxy.ts';
import { type KeyAndCertificate, newRsaKeyPair, selfSign } from '../pki/certificate-authority.ts';
import { openEnvelope } from '../pki/enveloped-data.ts';

const TIMEOUT_MS = 20_000;
const DAY_MS = 86_400_000;
/** Mail may wait for a person. */
const RECIPIENT_DAYS = 90;
const MAX_RESPONSE = 16 * 1024;

/** Whom the service encrypts to: a pair of its own for each request, because the push key signs. */
export async function newRecipient(now: Date): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const dates = {
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + RECIPIENT_DAYS * DAY_MS),
  };
  const request = {
    subject: [['CN', 'Odette signing request']] as const,
    publicKey,
    use: 'registration' as const,
    ...dates,
  };
  return { certificate: selfSign(request, privateKey), privateKey };
}

const Said = z.object({ result: z.string().optional(), reason: z.string().optional() });

/**
 * @param order.email registered at the service · @param order.key of the MDM server, which the service's operators give
 * @throws CataloguedError `apns.signing_service_unreachable`, `apns.signing_service_refused`
 */
export async function sendToSigningService(
  url: string,
  order: {
    readonly csrPem: string;
    readonly recipientPem: string;
    readonly email: string;
    readonly key: string;
  },
): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const body = {
    csr: base64(order.csrPem),
    encrypt: base64(order.recipientPem),
    email: order.email,
    key: order.key,
  };
  let response: Response;
  let text: string;
  try {
    response = await outwardFetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new CataloguedError('apns.signing_service_unreachable', { cause });
  }
  const said = readSaid(text);
  if (response.ok && said?.result === 'success') return;
  if (response.status >= 500) throw new CataloguedError('apns.signing_service_unreachable');
  throw new CataloguedError('apns.signing_service_refused', {
    facts: {
      status: response.status,
      ...(said?.reason !== undefined && { reason: said.reason.slice(0, 200) }),
    },
  });
}

function readSaid(text: string): z.infer<typeof Said> | undefined {
  try {
    return Said.parse(JSON.parse(text.slice(0, MAX_RESPONSE)));
  } catch {
    return undefined;
  }
}

/** The file of the email: CMS EnvelopedData, in hexadecimal. @throws Error it was not encrypted to this recipient */
export function openSignedRequest(file: string, recipient: KeyAndCertificate): string {
  return openEnvelope(Buffer.from(file.replace(/\s/g, ''), 'hex'), recipient)
    .content.toString('latin1')
    .trim();
}
