// Which digest a signature was made with: CMS and X.509 name it in several ways.
import { DIGESTS, type Digest } from './object-identifiers.ts';

const BY_SIGNATURE: Readonly<Record<string, Digest>> = {
  '1.2.840.113549.1.1.5': 'sha1', // sha1WithRSAEncryption
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1', // ecdsa-with-SHA1
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

/** The digest that a combined signature algorithm names; undefined for others (rsaEncryption names none). */
export const digestOfSignature = (identifier: string): Digest | undefined => BY_SIGNATURE[identifier];

/** The digest of a digest algorithm identifier; undefined for those that are not accepted (MD5). */
export const digestOf = (identifier: string): Digest | undefined =>
  (Object.keys(DIGESTS) as Digest[]).find((digest) => DIGESTS[digest] === identifier);
