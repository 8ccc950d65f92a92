// CMS SignedData (RFC 5652 §5) in the forms that devices, profiles and SCEP use: one signer, BER or DER, with or without
// signed attributes. Node's crypto makes and checks the signature.
import { createHash, sign, timingSafeEqual, verify } from 'node:crypto';
import {
  bytesOf,
  childOf,
  childrenOf,
  decode,
  encode,
  integer,
  isTagged,
  isUniversal,
  nullValue,
  octetString,
  oid,
  oidOf,
  sequence,
  setOf,
  tagged,
  type Asn1,
} from './asn1.ts';
import type { KeyAndCertificate } from './certificate-authority.ts';
import type { Certificate } from './certificate.ts';
import { nameToString } from './distinguished-name.ts';
import { DIGESTS, OID, type Digest } from './object-identifiers.ts';
import { readRecentCertificate } from './recent-certificates.ts';
import { digestOf } from './signature-algorithm.ts';
import { signBeside } from './sign-beside.ts';

export interface SignedData {
  /** Absent in a detached signature. */
  readonly content?: Buffer;
  readonly contentType: string;
  readonly certificates: readonly Certificate[];
  readonly signer: SignerInfo | undefined;
}

interface SignerInfo {
  readonly certificate: Certificate;
  readonly digest: Digest;
  /** By type; each holds the values of its SET. */
  readonly attributes: ReadonlyMap<string, readonly Asn1[]> | undefined;
  /** What the signature covers when there are attributes: their SET, in DER (§5.4). */
  readonly attributeBytes: Buffer | undefined;
  readonly signature: Buffer;
}

/** @throws Error when it is no SignedData */
export function readSignedData(bytes: Uint8Array): SignedData {
  const wrapper = decode(bytes);
  if (oidOf(childOf(wrapper, 0)) !== OID.signedData) throw new Error('not signed data');
  const fields = childrenOf(childOf(childOf(wrapper, 1), 0));
  const inner = fields[2];
  const content = childrenOf(inner)[1];
  const certificates = readAll(fields.slice(3).find((field) => isTagged(field, 0)));
  const signers = fields.slice(3).find((field) => isUniversal(field, 'set'));
  const signerInfos = signers === undefined ? [] : childrenOf(signers);
  if (signerInfos.length > 1) throw new Error('more than one signer');
  return {
    ...(content === undefined ? {} : { content: bytesOf(childOf(content, 0)) }),
    contentType: oidOf(childOf(inner, 0)),
    certificates,
    signer: signerInfos[0] && readSignerInfo(signerInfos[0], certificates),
  };
}

/** Extended and attribute certificates (tagged) are passed over. */
const readAll = (set: Asn1 | undefined): Certificate[] =>
  (set === undefined ? [] : childrenOf(set))
    .filter((item) => isUniversal(item, 'sequence'))
    .map((item) => readRecentCertificate(encode(item)));

function readSignerInfo(info: Asn1, certificates: readonly Certificate[]): SignerInfo {
  const [, identifier, algorithm, ...rest] = childrenOf(info);
  const attributes = isTagged(rest[0], 0) ? rest.shift() : undefined;
  const certificate = certificates.find((candidate) => isNamedBy(identifier, candidate));
  const digest = digestOf(oidOf(childOf(algorithm, 0)));
  if (certificate === undefined || digest === undefined) throw new Error('no usable signer');
  return {
    certificate,
    digest,
    attributes: attributes && readAttributes(attributes),
    attributeBytes: attributes && asSet(attributes),
    signature: bytesOf(rest[1]),
  };
}

/** IssuerAndSerialNumber, or the subject key identifier under tag 0. */
function isNamedBy(identifier: Asn1 | undefined, certificate: Certificate): boolean {
  if (isTagged(identifier, 0)) return certificate.subjectKeyId?.equals(bytesOf(identifier)) ?? false;
  const serial = bytesOf(childOf(identifier, 1)).toString('hex').replace(/^0+/, '') || '0';
  return certificate.serialNumber === serial && certificate.issuer === nameToString(childOf(identifier, 0));
}

function readAttributes(attributes: Asn1): Map<string, Asn1[]> {
  const byType = new Map<string, Asn1[]>();
  for (const attribute of childrenOf(attributes)) {
    const type = oidOf(childOf(attribute, 0));
    if (byType.has(type)) throw new Error('an attribute twice'); // §5.3: at most one instance
    byType.set(type, childrenOf(childOf(attribute, 1)));
  }
  return byType;
}

/** The attributes as the SET that was signed: the implicit tag gives way to the universal one. */
function asSet(attributes: Asn1): Buffer {
  const der = encode(attributes);
  der[0] = 0x31;
  return der;
}

/**
 * Checks the signature over the content, and with attributes also that they name this content.
 * Says nothing about who issued the signer's certificate, and nothing about its dates.
 * @throws Error when the signature does not hold
 */
export function checkSignature(signedData: SignedData, content: Uint8Array): Certificate {
  const { signer } = signedData;
  if (signer === undefined) throw new Error('nobody signed');
  const { certificate, digest, attributes, attributeBytes } = signer;
  if (attributes !== undefined) {
    const named = attributes.get(OID.messageDigest) ?? [];
    const actual = createHash(digest).update(content).digest();
    const claimed = bytesOf(named[0]);
    if (named.length !== 1 || claimed.length !== actual.length || !timingSafeEqual(claimed, actual)) {
      throw new Error('the attributes name another content');
    }
    const type = attributes.get(OID.contentType) ?? [];
    if (type.length !== 1 || oidOf(type[0]) !== signedData.contentType)
      throw new Error('another content type');
  }
  if (!verify(digest, attributeBytes ?? content, certificate.publicKey, signer.signature)) {
    throw new Error('the signature does not hold');
  }
  return certificate;
}

export interface SignOptions {
  readonly content: Uint8Array;
  /** Also carries the content; default: detached. */
  readonly attached?: boolean;
  readonly digest: Digest;
  /** Beside content type and message digest; `undefined`: no signed attributes at all. */
  readonly attributes: readonly Asn1[] | undefined;
  /** Sent beside the signer's own. */
  readonly chain?: readonly Certificate[];
}

/** RFC 5754 §3.3: with the digest in its name, and without parameters. */
const ECDSA: Readonly<Record<Digest, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

interface Unsigned {
  readonly toBeSigned: Uint8Array;
  /** The parts of a SignedData by one RSA or EC signer, in their order (§5.1). */
  partsWith(signature: Buffer): Asn1[];
}

function unsignedOf(options: SignOptions, signer: KeyAndCertificate): Unsigned {
  const { digest, content } = options;
  const attributes =
    options.attributes &&
    setOf(
      attribute(OID.contentType, oid(OID.data)),
      attribute(OID.messageDigest, octetString(createHash(digest).update(content).digest())),
      ...options.attributes,
    );
  const fields = childOf(decode(signer.certificate.der), 0);
  const signerInfo = (signature: Buffer): Asn1 =>
    sequence(
      integer(1),
      sequence(childOf(fields, 3), childOf(fields, 1)),
      algorithm(DIGESTS[digest]),
      ...(attributes ? [tagged(0, ...childrenOf(attributes))] : []),
      signer.privateKey.asymmetricKeyType === 'ec'
        ? sequence(oid(ECDSA[digest]))
        : algorithm(OID.rsaEncryption),
      octetString(signature),
    );
  return {
    toBeSigned: attributes ? encode(attributes) : content,
    partsWith: (signature) => [
      integer(1),
      setOf(algorithm(DIGESTS[digest])),
      sequence(oid(OID.data), ...(options.attached ? [tagged(0, octetString(content))] : [])),
      tagged(0, ...[signer.certificate, ...(options.chain ?? [])].map(({ der }) => decode(der))),
      setOf(signerInfo(signature)),
    ],
  };
}

function partsOf(options: SignOptions, signer: KeyAndCertificate): Asn1[] {
  const { toBeSigned, partsWith } = unsignedOf(options, signer);
  return partsWith(sign(options.digest, toBeSigned, signer.privateKey));
}

const algorithm = (identifier: string): Asn1 => sequence(oid(identifier), nullValue());

export const attribute = (type: string, value: Asn1): Asn1 => sequence(oid(type), setOf(value));

const derOf = (parts: readonly Asn1[]): Buffer =>
  encode(sequence(oid(OID.signedData), tagged(0, sequence(...parts))));

/** DER. */
export const signData = (options: SignOptions, signer: KeyAndCertificate): Buffer =>
  derOf(partsOf(options, signer));

/** The same, signed beside the event loop. */
export async function signDataBeside(options: SignOptions, signer: KeyAndCertificate): Promise<Buffer> {
  const { toBeSigned, partsWith } = unsignedOf(options, signer);
  return derOf(partsWith(await signBeside(options.digest, toBeSigned, signer.privateKey)));
}

/** BER with indefinite lengths on the outside, as Apple's devices write it. */
export function signDataAsDevicesDo(options: SignOptions, signer: KeyAndCertificate): Buffer {
  const end = Buffer.alloc(2);
  const open = (tag: number): Buffer => Buffer.from([tag, 0x80]);
  const [version, digests, , certificates, signerInfos] = partsOf(options, signer).map(encode);
  return Buffer.concat([
    ...[open(0x30), encode(oid(OID.signedData)), open(0xa0), open(0x30)],
    ...[version, digests].map(needed),
    ...[open(0x30), encode(oid(OID.data)), end],
    ...[certificates, signerInfos].map(needed),
    ...[end, end, end],
  ]);
}

function needed(part: Buffer | undefined): Buffer {
  if (part === undefined) throw new Error('a part is missing');
  return part;
}

/** Certificates without content or signer: what GetCACert and CertRep carry (RFC 8894 §3.4). */
export const certificatesOnly = (certificates: readonly Certificate[]): Buffer =>
  encode(
    sequence(
      oid(OID.signedData),
      tagged(
        0,
        sequence(
          integer(1),
          setOf(),
          sequence(oid(OID.data)),
          tagged(0, ...certificates.map(({ der }) => decode(der))),
          setOf(),
        ),
      ),
    ),
  );
