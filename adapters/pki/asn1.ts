// The few ASN.1 shapes that certificates and CMS need, on buffers. node-forge reads and writes the encoding (BER and DER).
import forge from 'node-forge';

const { asn1 } = forge;
export type Asn1 = forge.asn1.Asn1;

const UNIVERSAL = asn1.Class.UNIVERSAL;
const CONTEXT = asn1.Class.CONTEXT_SPECIFIC;
const TELETEX_STRING = 20;
const UNIVERSAL_STRING = 28;

const binary = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const primitive = (type: number, bytes: Uint8Array | string): Asn1 =>
  asn1.create(UNIVERSAL, type, false, typeof bytes === 'string' ? bytes : binary(bytes));

export const sequence = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, items);
export const setOf = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, asn1.Type.SET, true, sorted(items));
export const oid = (dotted: string): Asn1 => primitive(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
export const octetString = (bytes: Uint8Array): Asn1 => primitive(asn1.Type.OCTETSTRING, bytes);
/** Of whole bytes; `unused` counts the unused bits of the last one. */
export const bitString = (bytes: Uint8Array, unused = 0): Asn1 =>
  primitive(asn1.Type.BITSTRING, Buffer.concat([Buffer.from([unused]), bytes]));
export const nullValue = (): Asn1 => primitive(asn1.Type.NULL, '');
export const utf8String = (text: string): Asn1 => primitive(asn1.Type.UTF8, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Asn1 => primitive(asn1.Type.PRINTABLESTRING, text);
export const ia5String = (text: string): Asn1 => primitive(asn1.Type.IA5STRING, text);
export const boolean = (value: boolean): Asn1 => primitive(asn1.Type.BOOLEAN, value ? '\xff' : '\0');
/** Of a small number, or of the big-endian bytes of a positive one. */
export const integer = (value: number | Uint8Array): Asn1 =>
  primitive(
    asn1.Type.INTEGER,
    typeof value === 'number' ? asn1.integerToDer(value).getBytes() : positive(value),
  );
/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). */
export const time = (date: Date): Asn1 =>
  date.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));

/** An explicit tag, or an implicit one over the children of a constructed type. */
export const tagged = (tag: number, ...items: Asn1[]): Asn1 => asn1.create(CONTEXT, tag, true, items);
/** An implicit tag over a primitive type. */
export const taggedBytes = (tag: number, bytes: Uint8Array): Asn1 =>
  asn1.create(CONTEXT, tag, false, binary(bytes));

function positive(bytes: Uint8Array): Uint8Array {
  const first = bytes[0];
  return first === undefined || first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

/** DER wants the elements of a SET OF in the order of their encodings (X.690 §11.6). */
function sorted(items: Asn1[]): Asn1[] {
  if (items.length < 2) return items;
  return items
    .map((item) => ({ item, der: encode(item) }))
    .sort((one, other) => Buffer.compare(one.der, other.der))
    .map(({ item }) => item);
}

export const encode = (node: Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');

/** @throws Error when the bytes are not one complete BER or DER value */
export function decode(bytes: Uint8Array): Asn1 {
  // Bit strings stay as they are: what looks like ASN.1 inside one would be encoded anew.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
  return asn1.fromDer(binary(bytes), options as unknown as boolean);
}

export const isTagged = (node: Asn1 | undefined, tag: number): node is Asn1 =>
  node !== undefined && node.tagClass === CONTEXT && Number(node.type) === tag;

export const isUniversal = (node: Asn1 | undefined, type: keyof typeof UNIVERSAL_TYPES): node is Asn1 =>
  node !== undefined && node.tagClass === UNIVERSAL && Number(node.type) === UNIVERSAL_TYPES[type];

const UNIVERSAL_TYPES = {
  integer: 2,
  octetString: 4,
  oid: 6,
  sequence: 16,
  set: 17,
  boolean: 1,
} as const;

/** The children of a constructed value. @throws Error when it is primitive */
export function childrenOf(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || typeof node.value === 'string') throw new Error('a constructed value is missing');
  return node.value;
}

export function childOf(node: Asn1 | undefined, index: number): Asn1 {
  const child = childrenOf(node)[index];
  if (child === undefined) throw new Error('an element is missing');
  return child;
}

/** The content bytes; the segments of a BER string in pieces are joined. */
export function bytesOf(node: Asn1 | undefined): Buffer {
  if (node === undefined) throw new Error('a value is missing');
  return typeof node.value === 'string'
    ? Buffer.from(node.value, 'latin1')
    : Buffer.concat(node.value.map(bytesOf));
}

/** The bytes of a bit string that ends on a byte. */
export const bitsOf = (node: Asn1 | undefined): Buffer => bytesOf(node).subarray(1);

export const oidOf = (node: Asn1 | undefined): string => {
  if (!isUniversal(node, 'oid')) throw new Error('an object identifier is missing');
  return asn1.derToOid(bytesOf(node).toString('latin1'));
};

export function dateOf(node: Asn1 | undefined): Date {
  const text = bytesOf(node).toString('latin1');
  return node?.type === asn1.Type.UTCTIME ? asn1.utcTimeToDate(text) : asn1.generalizedTimeToDate(text);
}

/** The text of any of the string types of X.509. */
export function stringOf(node: Asn1): string {
  const bytes = bytesOf(node);
  switch (Number(node.type)) {
    case Number(asn1.Type.BMPSTRING):
      return String(node.value); // forge has made characters of it
    case TELETEX_STRING:
      return bytes.toString('latin1');
    case UNIVERSAL_STRING:
      return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) =>
        String.fromCodePoint(Math.min(bytes.readUInt32BE(index * 4), 0x10ffff)),
      ).join('');
    default:
      return bytes.toString('utf8');
  }
}
