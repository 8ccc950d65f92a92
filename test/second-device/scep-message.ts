// SCEP messages (RFC 8894 §3): a PKCSReq as macOS signs it, and what a CertRep must hold.
import { createHash, sign, verify, X509Certificate } from 'node:crypto';
import * as der from './der.ts';

/** Of VeriSign, RFC 8894 §3.2. */
const ATTRIBUTE = {
  messageType: '2.16.840.1.113733.1.9.2',
  pkiStatus: '2.16.840.1.113733.1.9.3',
  failInfo: '2.16.840.1.113733.1.9.4',
  senderNonce: '2.16.840.1.113733.1.9.5',
  recipientNonce: '2.16.840.1.113733.1.9.6',
  transactionId: '2.16.840.1.113733.1.9.7',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
} as const;
const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const SHA1 = '1.3.14.3.2.26';
const RSA = '1.2.840.113549.1.1.1';
const DIGESTS: Readonly<Record<string, string>> = {
  [SHA1]: 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const PKCS_REQ = '19';
const CERT_REP = '3';
const SUCCESS = '0';
export interface Identity {
  /** PEM */
  readonly certificate: string;
  /** PEM, PKCS #8 */
  readonly privateKey: string;
}

/** The server refused, and says so as RFC 8894 §3.2.1.4 has it. */
export class ScepFailure extends Error {
  readonly failInfo: string;
  constructor(failInfo: string) {
    super(`the SCEP server refused: failInfo ${failInfo}`);
    this.failInfo = failInfo;
  }
}

/** RFC 8894 §3: SignedData around the envelope. */
export function pkiMessage(given: {
  readonly envelope: Buffer;
  readonly signer: Identity;
  readonly senderNonce: Buffer;
  readonly transactionId: string;
}): Buffer {
  const attribute = (id: string, value: der.Node): der.Node => der.sequence(der.objectId(id), der.set(value));
  const attributes = [
    attribute(ATTRIBUTE.contentType, der.objectId(DATA)),
    attribute(ATTRIBUTE.signingTime, der.utcTime(new Date())),
    attribute(ATTRIBUTE.messageDigest, der.octets(createHash('sha1').update(given.envelope).digest())),
    attribute(ATTRIBUTE.transactionId, der.printable(given.transactionId)),
    attribute(ATTRIBUTE.messageType, der.printable(PKCS_REQ)),
    attribute(ATTRIBUTE.senderNonce, der.octets(given.senderNonce)),
  ].sort((one, other) => Buffer.compare(der.encode(one), der.encode(other)));
  const signature = sign('sha1', der.encode(der.set(...attributes)), given.signer.privateKey);
  const certificate = der.decode(new X509Certificate(given.signer.certificate).raw);
  const [fields] = der.partsOf(certificate);
  const [, serialNumber, , issuer] = der.partsOf(fields);
  if (serialNumber === undefined || issuer === undefined) throw new Error('no certificate');
  const sha1 = der.sequence(der.objectId(SHA1), der.nothing());
  const signerInfo = der.sequence(
    der.integer(1),
    der.sequence(issuer, serialNumber),
    sha1,
    der.tagged(...attributes),
    der.sequence(der.objectId(RSA), der.nothing()),
    der.octets(signature),
  );
  const signedData = der.sequence(
    der.integer(1),
    der.set(sha1),
    der.sequence(der.objectId(DATA), der.tagged(der.octets(given.envelope))),
    der.tagged(certificate),
    der.set(signerInfo),
  );
  return der.encode(der.sequence(der.objectId(SIGNED_DATA), der.tagged(signedData)));
}

/**
 * What the response has encrypted, when everything that RFC 8894 §3.3.2 and §4.3 ask of it holds.
 * @throws ScepFailure, Error
 */
export function readCertRep(
  message: Buffer,
  expected: {
    readonly authorities: readonly X509Certificate[];
    readonly senderNonce: Buffer;
    readonly transactionId: string;
  },
): Buffer {
  const [type, content] = der.partsOf(der.decode(message));
  if (der.idOf(type) !== SIGNED_DATA) throw new Error('the response is no SignedData');
  const parts = der.partsOf(der.partsOf(content)[0]);
  const [, encapsulated] = der.partsOf(parts[2]);
  const body = der.bytesOf(der.partsOf(encapsulated)[0]);
  const [signer] = der.partsOf(parts.at(-1));
  const [, , digestAlgorithm, signed, , signature] = der.partsOf(signer);
  const attributes = new Map(
    der.partsOf(signed).map((one) => {
      const [id, values] = der.partsOf(one);
      return [der.idOf(id), der.bytesOf(der.partsOf(values)[0])];
    }),
  );
  const digest = DIGESTS[der.idOf(der.partsOf(digestAlgorithm)[0])] ?? 'unknown';
  const covered = der.encode(der.set(...der.partsOf(signed)));
  const isSigned = expected.authorities.some((authority) =>
    verify(digest, covered, authority.publicKey, der.bytesOf(signature)),
  );
  if (!isSigned) throw new Error('no certificate of GetCACert signed the response');
  const says = (id: string): string => attributes.get(id)?.toString('latin1') ?? '';
  const promised: [string, string, string][] = [
    [
      'messageDigest',
      says(ATTRIBUTE.messageDigest),
      createHash(digest).update(body).digest().toString('latin1'),
    ],
    ['messageType', says(ATTRIBUTE.messageType), CERT_REP],
    ['transactionID', says(ATTRIBUTE.transactionId), expected.transactionId],
    ['recipientNonce', says(ATTRIBUTE.recipientNonce), expected.senderNonce.toString('latin1')],
  ];
  for (const [name, is, should] of promised) if (is !== should) throw new Error(`the response’s ${name}`);
  if (attributes.get(ATTRIBUTE.senderNonce)?.length !== 16) throw new Error('the response’s senderNonce');
  if (says(ATTRIBUTE.pkiStatus) !== SUCCESS) throw new ScepFailure(says(ATTRIBUTE.failInfo));
  return body;
}
