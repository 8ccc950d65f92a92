// Certificate requests (PKCS #10, RFC 2986) with the challenge password that SCEP carries in them (RFC 8894 §2.4).
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import {
  bitString,
  bitsOf,
  childOf,
  childrenOf,
  decode,
  encode,
  integer,
  isTagged,
  nullValue,
  oid,
  oidOf,
  printableString,
  sequence,
  setOf,
  stringOf,
  tagged,
  utf8String,
  type Asn1,
} from './asn1.ts';
import { keyInfoOf, type KeyPair } from './certificate-authority.ts';
import { buildName, readName, type Rdn } from './distinguished-name.ts';
import { OID } from './object-identifiers.ts';
import { digestOfSignature } from './signature-algorithm.ts';

export interface Csr {
  readonly subject: readonly Rdn[];
  readonly publicKey: KeyObject;
  readonly challengePassword?: string;
  readonly der: Buffer;
}

/** A request of an RSA key, signed with SHA-256; DER. */
export function buildCsr(options: {
  subject: readonly Rdn[];
  keyPair: KeyPair;
  challengePassword?: string;
}): Buffer {
  const { challengePassword } = options;
  const attributes =
    challengePassword === undefined
      ? []
      : [sequence(oid(OID.challengePassword), setOf(directoryString(challengePassword)))];
  const info = sequence(
    integer(0),
    buildName(options.subject),
    keyInfoOf(options.keyPair.publicKey),
    tagged(0, ...attributes),
  );
  const signature = sign('sha256', encode(info), options.keyPair.privateKey);
  return encode(sequence(info, sequence(oid(OID.sha256WithRsa), nullValue()), bitString(signature)));
}

const directoryString = (text: string): Asn1 =>
  /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text) ? printableString(text) : utf8String(text);

/** @throws CataloguedError `scep.request_refused` when it is unreadable or not signed by its own key */
export function readCsr(der: Uint8Array): Csr {
  try {
    const request = decode(der);
    const info = childOf(request, 0);
    const publicKey = createPublicKey({ key: encode(childOf(info, 2)), format: 'der', type: 'spki' });
    const digest = digestOfSignature(oidOf(childOf(childOf(request, 1), 0)));
    if (digest === undefined || !verify(digest, encode(info), publicKey, bitsOf(childOf(request, 2)))) {
      throw new Error('not signed by its own key');
    }
    const challengePassword = challengeIn(childrenOf(info).find((field) => isTagged(field, 0)));
    return {
      subject: readName(childOf(info, 1)),
      publicKey,
      ...(challengePassword === undefined ? {} : { challengePassword }),
      der: Buffer.from(der),
    };
  } catch (cause) {
    throw new CataloguedError('scep.request_refused', { cause });
  }
}

function challengeIn(attributes: Asn1 | undefined): string | undefined {
  const challenge = (attributes === undefined ? [] : childrenOf(attributes)).find(
    (attribute) => oidOf(childOf(attribute, 0)) === OID.challengePassword,
  );
  return challenge && stringOf(childOf(childOf(challenge, 1), 0));
}
