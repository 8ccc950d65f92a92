// The few shapes of DER that a SCEP client writes, and a walk through those that it reads.
import forge from 'node-forge';

const { asn1 } = forge;
export type Node = forge.asn1.Asn1;

const make = (type: forge.asn1.Type, value: string | Node[]): Node =>
  asn1.create(asn1.Class.UNIVERSAL, type, Array.isArray(value), value);

export const sequence = (...parts: Node[]): Node => make(asn1.Type.SEQUENCE, parts);
export const set = (...parts: Node[]): Node => make(asn1.Type.SET, parts);
export const integer = (value: number): Node => make(asn1.Type.INTEGER, asn1.integerToDer(value).getBytes());
export const objectId = (dotted: string): Node => make(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
export const octets = (bytes: Uint8Array): Node =>
  make(asn1.Type.OCTETSTRING, Buffer.from(bytes).toString('latin1'));
export const printable = (text: string): Node => make(asn1.Type.PRINTABLESTRING, text);
export const utcTime = (date: Date): Node => make(asn1.Type.UTCTIME, asn1.dateToUtcTime(date) as string);
export const nothing = (): Node => make(asn1.Type.NULL, '');
/** [0], constructed. */
export const tagged = (...parts: Node[]): Node => asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, parts);

export const encode = (node: Node): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
export const decode = (bytes: Uint8Array): Node =>
  asn1.fromDer(Buffer.from(bytes).toString('latin1'), { parseAllBytes: true } as never);

export const partsOf = (node: Node | undefined): Node[] =>
  Array.isArray(node?.value) ? (node.value as Node[]) : [];
export const bytesOf = (node: Node | undefined): Buffer =>
  typeof node?.value === 'string' ? Buffer.from(node.value, 'latin1') : Buffer.alloc(0);
export const idOf = (node: Node | undefined): string => asn1.derToOid(bytesOf(node).toString('latin1'));
