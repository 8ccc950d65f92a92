// Reads X.509 certificates (RFC 5280) and PKCS #12 files, and tells whether an authority issued a certificate.
import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { CataloguedError } from '../../domain/failures.ts';
import {
  childOf,
  childrenOf,
  bytesOf,
  dateOf,
  decode,
  encode,
  isTagged,
  isUniversal,
  oidOf,
  type Asn1,
} from './asn1.ts';
import { nameToString, readName, type Rdn } from './distinguished-name.ts';
import { OID } from './object-identifiers.ts';

export interface Certificate {
  readonly der: Buffer;
  readonly pem: string;
  /** Lower-case hex without leading zeros. */
  readonly serialNumber: string;
  /** RFC 4514. */
  readonly subject: string;
  readonly subjectRdns: readonly Rdn[];
  readonly issuer: string;
  /** The last one of the subject; empty when there is none. */
  readonly commonName: string;
  readonly organizationalUnits: readonly string[];
  /** UID of the subject: the topic in an APNs certificate. */
  readonly userId?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** @throws Error when Node does not know the kind of key */
  readonly publicKey: KeyObject;
  /** SHA-256 of the DER. */
  readonly fingerprint: Buffer;
  /** Names client authentication in its extended key usage. */
  readonly hasClientAuth: boolean;
  readonly isAuthority: boolean;
  readonly subjectKeyId?: Buffer;
}

/**
 * @param input DER, or PEM as text or bytes (the first certificate in it)
 * @throws CataloguedError `certificate.unreadable`
 */
export function readCertificate(input: Uint8Array | string): Certificate {
  try {
    const der = derOf(input);
    return read(der, decode(der));
  } catch (cause) {
    throw new CataloguedError('certificate.unreadable', { cause });
  }
}

/** All certificates of a PEM text, in order. @throws CataloguedError `certificate.unreadable` */
export function readCertificates(pem: string): Certificate[] {
  return (pem.match(PEM_BLOCK) ?? []).map((block) => readCertificate(block));
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

function derOf(input: Uint8Array | string): Buffer {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
  const block = text.match(PEM_BLOCK)?.[0];
  if (block !== undefined) return Buffer.from(block.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  if (typeof input === 'string') throw new Error('not PEM');
  return Buffer.from(input);
}

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`;

function read(der: Buffer, certificate: Asn1): Certificate {
  const fields = childrenOf(childOf(certificate, 0));
  const shift = isTagged(fields[0], 0) ? 1 : 0;
  const [serial, , issuer, validity, subject, keyInfo] = fields.slice(shift);
  if (issuer === undefined || subject === undefined || keyInfo === undefined) throw new Error('too short');
  const extensions = extensionsOf(fields);
  const subjectRdns = readName(subject);
  const valuesOf = (type: string): string[] =>
    subjectRdns.filter(([name]) => name === type).map(([, value]) => value);
  const userId = valuesOf('UID').at(-1);
  const keyId = extensions.get(OID.subjectKeyIdentifier);
  let publicKey: KeyObject | undefined;
  return {
    der,
    pem: pemOf(der),
    serialNumber: bytesOf(serial).toString('hex').replace(/^0+/, '') || '0',
    subject: nameToString(subject),
    subjectRdns,
    issuer: nameToString(issuer),
    commonName: valuesOf('CN').at(-1) ?? '',
    organizationalUnits: valuesOf('OU'),
    ...(userId === undefined ? {} : { userId }),
    notBefore: dateOf(childOf(validity, 0)),
    notAfter: dateOf(childOf(validity, 1)),
    // Devices list certificates with keys that Node cannot load: only who needs the key must be able to read it.
    get publicKey() {
      return (publicKey ??= createPublicKey({ key: encode(keyInfo), format: 'der', type: 'spki' }));
    },
    fingerprint: createHash('sha256').update(der).digest(),
    hasClientAuth: usagesOf(extensions).includes(OID.clientAuth),
    isAuthority: mayIssue(extensions),
    ...(keyId === undefined ? {} : { subjectKeyId: bytesOf(decode(keyId)) }),
  };
}

function extensionsOf(fields: readonly Asn1[]): Map<string, Buffer> {
  const list = fields.find((field) => isTagged(field, 3));
  const extensions = list === undefined ? [] : childrenOf(childOf(list, 0));
  return new Map(
    extensions.map((extension) => [oidOf(childOf(extension, 0)), bytesOf(childrenOf(extension).at(-1))]),
  );
}

function usagesOf(extensions: Map<string, Buffer>): string[] {
  const value = extensions.get(OID.extendedKeyUsage);
  return value === undefined ? [] : childrenOf(decode(value)).map(oidOf);
}

function mayIssue(extensions: Map<string, Buffer>): boolean {
  const value = extensions.get(OID.basicConstraints);
  const flag = value === undefined ? undefined : childrenOf(decode(value))[0];
  return isUniversal(flag, 'boolean') && bytesOf(flag)[0] !== 0;
}

/** Signed by this authority, and valid at that time (dates of the certificate, not of the authority). */
export function wasIssuedBy(certificate: Certificate, authority: Certificate, at: Date): boolean {
  if (at < certificate.notBefore || at > certificate.notAfter || !authority.isAuthority) return false;
  if (certificate.issuer !== authority.subject) return false;
  if (ISSUERS.get(certificate) === authority) return true;
  const isIssuer = new X509Certificate(certificate.der).verify(authority.publicKey);
  if (isIssuer) ISSUERS.set(certificate, authority);
  return isIssuer;
}

/** Whose signature on a certificate was checked already: neither of them changes. */
const ISSUERS = new WeakMap<Certificate, Certificate>();

/**
 * The first key of a PKCS #12 file and the certificate that belongs to it.
 * Both the old encryption (as Keychain exports) and the new one are read; with the new one the password must be ASCII.
 * @throws CataloguedError `certificate.unreadable` also for a wrong password
 */
export function readPkcs12(
  p12: Uint8Array,
  password: string,
): { certificatePem: string; privateKeyPem: string } {
  try {
    const content = forge.asn1.fromDer(Buffer.from(p12).toString('latin1'));
    const bags = forge.pkcs12
      .pkcs12FromAsn1(content, password)
      .safeContents.flatMap(({ safeBags }) => safeBags);
    const privateKey = bags.find(({ key }) => key)?.key;
    if (!privateKey) throw new Error('no private key');
    const own = bags.find(({ cert }) => {
      const modulus = (cert?.publicKey as forge.pki.rsa.PublicKey | undefined)?.n;
      return modulus?.equals((privateKey as forge.pki.rsa.PrivateKey).n) ?? false;
    })?.cert;
    if (!own) throw new Error('no certificate for the key');
    const der = Buffer.from(forge.asn1.toDer(forge.pki.certificateToAsn1(own)).getBytes(), 'latin1');
    return { certificatePem: pemOf(der), privateKeyPem: forge.pki.privateKeyToPem(privateKey) };
  } catch (cause) {
    throw new CataloguedError('certificate.unreadable', { cause });
  }
}
