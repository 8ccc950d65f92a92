// CMS EnvelopedData (RFC 5652 §6) with RSA key transport: how SCEP hides a request and its response.
import {
  constants,
  createCipheriv,
  createDecipheriv,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import {
  bytesOf,
  childOf,
  childrenOf,
  decode,
  encode,
  integer,
  isUniversal,
  nullValue,
  octetString,
  oid,
  oidOf,
  sequence,
  setOf,
  tagged,
  taggedBytes,
  type Asn1,
} from './asn1.ts';
import type { KeyAndCertificate } from './certificate-authority.ts';
import type { Certificate } from './certificate.ts';
import { CIPHERS, OID, type Cipher } from './object-identifiers.ts';

/** Encrypts to the RSA key of a certificate; DER. */
export function envelope(content: Uint8Array, recipient: Certificate, cipher: Cipher): Buffer {
  const { oid: cipherOid, keyLength, blockLength } = CIPHERS[cipher];
  const key = randomBytes(keyLength);
  const vector = randomBytes(blockLength);
  const encryption = createCipheriv(cipher, key, vector);
  const encrypted = Buffer.concat([encryption.update(content), encryption.final()]);
  const padding = constants.RSA_PKCS1_PADDING;
  const fields = childOf(decode(recipient.der), 0);
  const recipientInfo = sequence(
    integer(0),
    sequence(childOf(fields, 3), childOf(fields, 1)),
    sequence(oid(OID.rsaEncryption), nullValue()),
    octetString(publicEncrypt({ key: recipient.publicKey, padding }, key)),
  );
  return encode(
    sequence(
      oid(OID.envelopedData),
      tagged(
        0,
        sequence(
          integer(0),
          setOf(recipientInfo),
          sequence(oid(OID.data), sequence(oid(cipherOid), octetString(vector)), taggedBytes(0, encrypted)),
        ),
      ),
    ),
  );
}

/**
 * Opens what was encrypted to this certificate. `cipher` is the one to respond with: 3DES to single DES.
 * @throws Error when it was not, or uses another cipher than AES-128, AES-256, 3DES or DES in CBC mode
 */
export function openEnvelope(
  bytes: Uint8Array,
  recipient: KeyAndCertificate,
): { content: Buffer; cipher: Cipher } {
  const wrapper = decode(bytes);
  if (oidOf(childOf(wrapper, 0)) !== OID.envelopedData) throw new Error('not enveloped data');
  const fields = childrenOf(childOf(childOf(wrapper, 1), 0));
  const at = fields.findIndex((field) => isUniversal(field, 'set'));
  const encryptedContent = fields[at + 1];
  const algorithm = childOf(encryptedContent, 1);
  const identifier = oidOf(childOf(algorithm, 0));
  const cipher = cipherOf(identifier);
  const [keyLength, times] = identifier === SINGLE_DES ? [8, 3] : [CIPHERS[cipher].keyLength, 1];
  const encryptedKey = keyFor(recipient.certificate, childrenOf(fields[at]));
  const key = contentKey(encryptedKey, recipient.privateKey, keyLength);
  const decryption = createDecipheriv(
    cipher,
    Buffer.concat(Array<Buffer>(times).fill(key)),
    bytesOf(childOf(algorithm, 1)),
  );
  const content = bytesOf(childOf(encryptedContent, 2));
  return { content: Buffer.concat([decryption.update(content), decryption.final()]), cipher };
}

function cipherOf(identifier: string): Cipher {
  if (identifier === SINGLE_DES) return 'des-ede3-cbc';
  const cipher = (Object.keys(CIPHERS) as Cipher[]).find((name) => CIPHERS[name].oid === identifier);
  if (cipher === undefined) throw new Error('a cipher that is not accepted');
  return cipher;
}

/** DES is 3DES with one key three times. micromdm's SCEP client (and so mdmb) knows nothing else; never written here. */
const SINGLE_DES = '1.3.14.3.2.7';

function keyFor(certificate: Certificate, recipients: readonly Asn1[]): Buffer {
  const own = recipients.find((recipient) => {
    const serial = bytesOf(childOf(childOf(recipient, 1), 1)).toString('hex');
    return (serial.replace(/^0+/, '') || '0') === certificate.serialNumber;
  });
  if (own === undefined) throw new Error('encrypted to somebody else');
  return bytesOf(childOf(own, 3));
}

/**
 * Takes the PKCS #1 v1.5 padding off itself: Node refuses to (CVE-2023-46809), because telling good padding from bad would
 * let a stranger decrypt step by step. Here bad padding gives a random key, so that both fail in the same place.
 */
function contentKey(encrypted: Buffer, privateKey: KeyObject, length: number): Buffer {
  const padded = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encrypted);
  const start = padded.length - length;
  let wrong = (padded[0] ?? 1) | ((padded[1] ?? 0) ^ 2) | (padded[start - 1] ?? 1);
  for (let index = 2; index < start - 1; index++) wrong |= padded[index] === 0 ? 1 : 0;
  const spare = randomBytes(length);
  const key = Buffer.alloc(length);
  const mask = wrong === 0 ? 0xff : 0;
  for (let index = 0; index < length; index++) {
    key[index] = ((padded[start + index] ?? 0) & mask) | ((spare[index] ?? 0) & ~mask);
  }
  return key;
}
