// Distinguished names: built from pairs, read from a certificate, written as RFC 4514 strings.
import {
  childOf,
  childrenOf,
  encode,
  ia5String,
  oid,
  oidOf,
  printableString,
  sequence,
  setOf,
  stringOf,
  utf8String,
  type Asn1,
} from './asn1.ts';
import { NAME_TYPES } from './object-identifiers.ts';

/** One relative distinguished name: a short name of RFC 4514 (or a dotted identifier) and its value. */
export type Rdn = readonly [type: string, value: string];

const SHORT_NAMES = new Map(Object.entries(NAME_TYPES).map(([short, dotted]) => [dotted, short]));

/** Each pair becomes an RDN of its own, in the given order. */
export const buildName = (name: readonly Rdn[]): Asn1 =>
  sequence(
    ...name.map(([type, value]) => setOf(sequence(oid(NAME_TYPES[type] ?? type), valueOf(type, value)))),
  );

function valueOf(type: string, value: string): Asn1 {
  if (type === 'C') return printableString(value);
  return type === 'DC' ? ia5String(value) : utf8String(value);
}

interface Attribute {
  readonly type: string;
  readonly text: string;
  readonly node: Asn1;
}

function attributesOf(rdn: Asn1): Attribute[] {
  return childrenOf(rdn).map((pair) => {
    const dotted = oidOf(childOf(pair, 0));
    const node = childOf(pair, 1);
    return { type: SHORT_NAMES.get(dotted) ?? dotted, text: stringOf(node), node };
  });
}

/** All attributes in the order of the certificate; those of a multi-valued RDN follow each other. */
export const readName = (name: Asn1): Rdn[] =>
  childrenOf(name).flatMap((rdn) => attributesOf(rdn).map(({ type, text }): Rdn => [type, text]));

/** RFC 4514: the last RDN first; a type without a short name as `1.2.3=#hex`. */
export function nameToString(name: Asn1): string {
  return [...childrenOf(name)]
    .reverse()
    .map((rdn) => attributesOf(rdn).map(attributeToString).join('+'))
    .join(',');
}

function attributeToString({ type, text, node }: Attribute): string {
  if (NAME_TYPES[type] === undefined) return `${type}=#${encode(node).toString('hex')}`;
  const escaped = text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
  return `${type}=${escaped}`;
}
