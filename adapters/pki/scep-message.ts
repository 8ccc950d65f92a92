// SCEP messages (RFC 8894 §3): a SignedData whose attributes name the transaction, around an EnvelopedData with the request
// or the issued certificate. 3DES with SHA-1 (macOS) and AES with SHA-2 are both read; a response uses what its request used.
import { createHash, randomBytes } from 'node:crypto';
import { octetString, printableString, bytesOf, stringOf, type Asn1 } from './asn1.ts';
import type { KeyAndCertificate } from './certificate-authority.ts';
import type { Certificate } from './certificate.ts';
import { readCsr, type Csr } from './csr.ts';
import { envelope, openEnvelope } from './enveloped-data.ts';
import { OID, type Cipher, type Digest } from './object-identifiers.ts';
import {
  attribute,
  certificatesOnly,
  checkSignature,
  readSignedData,
  signData,
  signDataBeside,
} from './signed-data.ts';

export const MESSAGE_TYPE = { certRep: '3', pkcsReq: '19' } as const;
const STATUS = { success: '0', failure: '2', pending: '3' } as const;

/** RFC 8894 §3.2.1.4. */
const FAIL_INFO = {
  badAlg: '0',
  badMessageCheck: '1',
  badRequest: '2',
  badTime: '3',
  badCertId: '4',
} as const;
export type FailInfo = keyof typeof FAIL_INFO;

export interface Algorithms {
  readonly cipher: Cipher;
  readonly digest: Digest;
}

/** What a response must repeat: the same transaction, the other side's nonce, its certificate. */
export interface Transaction {
  readonly transactionId: string;
  readonly senderNonce: Buffer;
}

/** A message whose signature holds; its content is still hidden. */
export interface ScepRequest extends Transaction {
  readonly messageType: string;
  /**
   * The certificate (of the client's own making) that the response is encrypted to. Its key may be another than the one that a certificate
   * is asked for: macOS signs with a key made for the message, iOS with the key of the request.
   */
  readonly signer: Certificate;
  readonly digest: Digest;
  readonly envelope: Buffer;
}

/** RFC 8894 §3.2.1.1: the hash of the public key, so that a repeated request is recognized. */
export const transactionIdFor = (signer: Certificate): string =>
  createHash('sha256')
    .update(signer.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

export function buildPkcsReq(options: {
  csr: Uint8Array;
  signer: KeyAndCertificate;
  recipient: Certificate;
  transaction: Transaction;
  algorithms: Algorithms;
}): Buffer {
  const { signer, transaction, algorithms } = options;
  return signData(
    {
      content: envelope(options.csr, options.recipient, algorithms.cipher),
      attached: true,
      digest: algorithms.digest,
      attributes: [
        attribute(OID.messageType, printableString(MESSAGE_TYPE.pkcsReq)),
        attribute(OID.transactionId, printableString(transaction.transactionId)),
        attribute(OID.senderNonce, octetString(transaction.senderNonce)),
      ],
    },
    signer,
  );
}

/** @throws Error when it is no signed SCEP message: there is then no transaction to respond to */
export function readScepRequest(der: Uint8Array): ScepRequest {
  const signedData = readSignedData(der);
  const content = signedData.content ?? Buffer.alloc(0);
  const signer = checkSignature(signedData, content);
  const { attributes, digest } = signedData.signer ?? {};
  if (attributes === undefined || digest === undefined) throw new Error('there are no attributes');
  return {
    messageType: textIn(attributes, OID.messageType),
    transactionId: textIn(attributes, OID.transactionId),
    senderNonce: bytesOf(attributes.get(OID.senderNonce)?.[0]),
    signer,
    digest,
    envelope: content,
  };
}

/**
 * Opens the request inside, which proves its own key. Who signed the message proves nothing here (RFC 8894 §2.3 asks for a self-signed
 * certificate): the challenge in the request authorizes, and only the signer can read the response.
 * @throws Error when it cannot be opened; CataloguedError `scep.request_refused` when the request inside is bad
 */
export function openPkcsReq(
  request: ScepRequest,
  recipient: KeyAndCertificate,
): { csr: Csr; cipher: Cipher } {
  const { content, cipher } = openEnvelope(request.envelope, recipient);
  return { csr: readCsr(content), cipher };
}

/** The response: the issued certificate, encrypted to the client, or the reason why there is none. */
export function buildCertRep(options: {
  request: ScepRequest;
  signer: KeyAndCertificate;
  outcome: { certificate: Certificate; cipher: Cipher } | { failInfo: FailInfo };
}): Promise<Buffer> {
  const { request, outcome } = options;
  const isIssued = 'certificate' in outcome;
  return signDataBeside(
    {
      content: isIssued
        ? envelope(certificatesOnly([outcome.certificate]), request.signer, outcome.cipher)
        : Buffer.alloc(0),
      attached: isIssued, // §3.3.2.2: no envelope in a failure
      digest: request.digest,
      attributes: [
        attribute(OID.messageType, printableString(MESSAGE_TYPE.certRep)),
        attribute(OID.transactionId, printableString(request.transactionId)),
        attribute(OID.pkiStatus, printableString(isIssued ? STATUS.success : STATUS.failure)),
        ...(isIssued ? [] : [attribute(OID.failInfo, printableString(FAIL_INFO[outcome.failInfo]))]),
        attribute(OID.senderNonce, octetString(randomBytes(16))),
        attribute(OID.recipientNonce, octetString(request.senderNonce)),
      ],
    },
    options.signer,
  );
}

export type CertRep =
  | { readonly status: 'success'; readonly certificates: readonly Certificate[] }
  | { readonly status: 'pending' }
  | { readonly status: 'failure'; readonly failInfo: FailInfo | undefined };

/** @throws Error when it does not belong to this request, or is not signed by one of the authority's certificates */
export function readCertRep(
  der: Uint8Array,
  expected: {
    transaction: Transaction;
    recipient: KeyAndCertificate;
    authorities: readonly Certificate[];
  },
): CertRep {
  const signedData = readSignedData(der);
  const content = signedData.content ?? Buffer.alloc(0);
  const signer = checkSignature(signedData, content);
  const attributes = signedData.signer?.attributes ?? new Map<string, Asn1[]>();
  if (!expected.authorities.some(({ fingerprint }) => fingerprint.equals(signer.fingerprint))) {
    throw new Error('signed by somebody else');
  }
  if (
    textIn(attributes, OID.messageType) !== MESSAGE_TYPE.certRep ||
    textIn(attributes, OID.transactionId) !== expected.transaction.transactionId ||
    !bytesOf(attributes.get(OID.recipientNonce)?.[0]).equals(expected.transaction.senderNonce)
  ) {
    throw new Error('the response to another request');
  }
  switch (textIn(attributes, OID.pkiStatus)) {
    case STATUS.success: {
      const inside = openEnvelope(content, expected.recipient).content;
      return { status: 'success', certificates: readSignedData(inside).certificates };
    }
    case STATUS.pending:
      return { status: 'pending' };
    default:
      return { status: 'failure', failInfo: failInfoOf(attributes.get(OID.failInfo)?.[0]) };
  }
}

function failInfoOf(node: Asn1 | undefined): FailInfo | undefined {
  const code = node && stringOf(node);
  return (Object.keys(FAIL_INFO) as FailInfo[]).find((name) => FAIL_INFO[name] === code);
}

function textIn(attributes: ReadonlyMap<string, readonly Asn1[]>, type: string): string {
  const value = attributes.get(type)?.[0];
  if (value === undefined) throw new Error('an attribute is missing');
  return stringOf(value);
}
