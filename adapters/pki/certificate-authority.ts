// An X.509 authority with its RSA key in memory: the identity authority of enrolled devices, and the sandbox's.
import { createHash, generateKeyPair, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import {
  bitString,
  bitsOf,
  boolean,
  childOf,
  decode,
  encode,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
  taggedBytes,
  time,
  type Asn1,
} from './asn1.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { buildName, type Rdn } from './distinguished-name.ts';
import { OID } from './object-identifiers.ts';
import { signBeside } from './sign-beside.ts';

export type { Rdn } from './distinguished-name.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface KeyAndCertificate {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

/**
 * client: an identity that signs and decrypts. server: TLS. signing: profiles. authority: may issue.
 * registration: signs and decrypts SCEP messages for an authority.
 */
type CertificateUse = 'client' | 'server' | 'signing' | 'authority' | 'registration';

export interface CertificateRequest {
  readonly subject: readonly Rdn[];
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly use: CertificateUse;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** RSA, 2048 bits, made off the main thread (a tenth of a second and more). */
export const newRsaKeyPair = (): Promise<KeyPair> =>
  promisify(generateKeyPair)('rsa', { modulusLength: 2048 });

export class CertificateAuthority {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;

  constructor(own: KeyAndCertificate) {
    this.certificate = own.certificate;
    this.privateKey = own.privateKey;
  }

  /** A self-signed root that can also serve SCEP itself. */
  static async create(options: {
    commonName: string;
    notBefore: Date;
    notAfter: Date;
  }): Promise<CertificateAuthority> {
    const { publicKey, privateKey } = await newRsaKeyPair();
    const subject: Rdn[] = [['CN', options.commonName]];
    const request: CertificateRequest = {
      subject,
      publicKey,
      notBefore: options.notBefore,
      notAfter: options.notAfter,
      use: 'authority',
    };
    const certificate = certify(request, {
      name: buildName(subject),
      keyId: keyIdOf(publicKey),
      privateKey,
    });
    return new CertificateAuthority({ certificate, privateKey });
  }

  /** A new certificate with a random serial number, signed with SHA-256. */
  issue(request: CertificateRequest): Certificate {
    return certify(request, this.#issuer());
  }

  /** The same, signed beside the event loop. */
  async issueBeside(request: CertificateRequest): Promise<Certificate> {
    const { fields, certificateWith } = unsignedOf(request, this.#issuer());
    return certificateWith(await signBeside('sha256', fields, this.privateKey));
  }

  #issuer(): Issuer {
    return {
      name: childOf(childOf(decode(this.certificate.der), 0), 5),
      keyId: keyIdOf(this.certificate.publicKey),
      privateKey: this.privateKey,
    };
  }
}

/** A self-signed certificate, as a SCEP client signs its first request with (RFC 8894 §2.3). */
export function selfSign(request: CertificateRequest, privateKey: KeyObject): Certificate {
  return certify(request, {
    name: buildName(request.subject),
    keyId: keyIdOf(request.publicKey),
    privateKey,
  });
}

interface Issuer {
  readonly name: Asn1;
  readonly keyId: Buffer;
  readonly privateKey: KeyObject;
}

function certify(request: CertificateRequest, issuer: Issuer): Certificate {
  const { fields, certificateWith } = unsignedOf(request, issuer);
  return certificateWith(sign('sha256', fields, issuer.privateKey));
}

interface Unsigned {
  /** To be signed with SHA-256. */
  readonly fields: Buffer;
  certificateWith(signature: Buffer): Certificate;
}

function unsignedOf(request: CertificateRequest, issuer: Issuer): Unsigned {
  const algorithm = sequence(oid(OID.sha256WithRsa), nullValue());
  const fields = sequence(
    tagged(0, integer(2)),
    integer(newSerialNumber()),
    algorithm,
    issuer.name,
    sequence(time(request.notBefore), time(request.notAfter)),
    buildName(request.subject),
    keyInfoOf(request.publicKey),
    tagged(3, sequence(...extensionsFor(request, issuer.keyId))),
  );
  return {
    fields: encode(fields),
    certificateWith: (signature) =>
      readCertificate(encode(sequence(fields, algorithm, bitString(signature)))),
  };
}

/** 16 random bytes, positive, without leading zeros (RFC 5280 §4.1.2.2). */
function newSerialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

export const keyInfoOf = (publicKey: KeyObject): Asn1 =>
  decode(publicKey.export({ type: 'spki', format: 'der' }));

/** SHA-1 of the key's bits: RFC 5280 §4.2.1.2, method 1. */
const keyIdOf = (publicKey: KeyObject): Buffer =>
  createHash('sha1')
    .update(bitsOf(childOf(keyInfoOf(publicKey), 1)))
    .digest();

/** First byte of the KeyUsage bit string: digitalSignature 80, keyEncipherment 20, keyCertSign 04, cRLSign 02. */
const KEY_USAGE: Readonly<Record<CertificateUse, { bits: number; unused: number }>> = {
  client: { bits: 0xa0, unused: 5 },
  server: { bits: 0xa0, unused: 5 },
  signing: { bits: 0x80, unused: 7 },
  registration: { bits: 0xa0, unused: 5 },
  authority: { bits: 0xa6, unused: 1 },
};

function extensionsFor(request: CertificateRequest, issuerKeyId: Buffer): Asn1[] {
  const { use } = request;
  const { bits, unused } = KEY_USAGE[use];
  const extensions = [
    extension(OID.keyUsage, bitString(Buffer.from([bits]), unused), true),
    extension(OID.subjectKeyIdentifier, octetString(keyIdOf(request.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(taggedBytes(0, issuerKeyId))),
  ];
  if (use === 'authority') extensions.push(extension(OID.basicConstraints, sequence(boolean(true)), true));
  if (use === 'client') extensions.push(extension(OID.extendedKeyUsage, sequence(oid(OID.clientAuth))));
  if (use === 'server') extensions.push(extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))));
  const names = [
    ...(request.dnsNames ?? []).map((name) => taggedBytes(2, Buffer.from(name, 'latin1'))),
    ...(request.ipAddresses ?? []).map((address) => taggedBytes(7, addressBytes(address))),
  ];
  if (names.length > 0) extensions.push(extension(OID.subjectAltName, sequence(...names)));
  return extensions;
}

function extension(id: string, value: Asn1, critical = false): Asn1 {
  const wrapped = octetString(encode(value));
  return critical ? sequence(oid(id), boolean(true), wrapped) : sequence(oid(id), wrapped);
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [
    ...groups(head),
    ...Array<string>(tail === undefined ? 0 : missing).fill('0'),
    ...groups(tail),
  ];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
