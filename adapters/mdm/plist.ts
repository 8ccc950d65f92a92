// Reads and writes XML property lists, the only form in which devices and Odette exchange messages. `plist` of npm writes; what
// strangers send is read here, strictly (docs/decisions/0004-own-plist-reader.md).
import { build } from 'plist';
import { CataloguedError } from '../../domain/failures.ts';

/** Data is a Buffer when read; any Uint8Array is taken when written. Integers outside ±2^53 are read as bigint. */
export type PlistValue =
  string | number | bigint | boolean | Date | Uint8Array | readonly PlistValue[] | PlistDict;

/** Keys whose value is `undefined` are not written. */
export interface PlistDict {
  readonly [key: string]: PlistValue | undefined;
}

const MAX_DEPTH = 64;
/** Tags and entities of one message: a list of a thousand apps has some 50,000. More could hold the event loop for long. */
const MAX_PIECES = 100_000;
/** A date, data or a numbered entity takes as long as so many tags. */
const COSTLY = 6;
/** Of an integer; 64 bits take 20. Longer ones take time that grows with the square of their length. */
const MAX_DIGITS = 40;
/** In the place of NUL and half surrogate pairs, which no database keeps: one odd name must not spoil a whole response. */
const UNKNOWN_CHARACTER = '\ufffd';
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * @param bytes UTF-8, as on the wire. No external or internal entity is ever followed.
 * @throws CataloguedError `mdm.message_unreadable` when it is not one well-formed property list
 */
export function parsePlist(bytes: Uint8Array | string): PlistValue {
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    return new Reader(lines.replaceAll('\0', UNKNOWN_CHARACTER)).document();
  } catch (cause) {
    throw new CataloguedError('mdm.message_unreadable', { cause });
  }
}

/** The root as a dictionary; every message and profile is one. @throws CataloguedError `mdm.message_unreadable` */
export function parsePlistDict(bytes: Uint8Array | string): PlistDict {
  const value = parsePlist(bytes);
  if (isDict(value)) return value;
  throw new CataloguedError('mdm.message_unreadable');
}

export const isDict = (value: PlistValue | undefined): value is PlistDict =>
  typeof value === 'object' &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Date);

class Reader {
  private readonly text: string;
  private at = 0;
  private pieces = 0;

  constructor(text: string) {
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  document(): PlistValue {
    if (this.nextTag() !== 'plist') throw new SyntaxError('not a plist');
    const value = this.value(this.nextTag(), 0);
    if (this.nextTag() !== '/plist') throw new SyntaxError('more than one value');
    this.skipBetween();
    if (this.at !== this.text.length) throw new SyntaxError('something follows the plist');
    return value;
  }

  /** Passes over white space, comments, the XML declaration and the document type. */
  private skipBetween(): void {
    for (;;) {
      while (isSpace(this.text.charCodeAt(this.at))) this.at++;
      if (this.text.startsWith('<!--', this.at)) this.upTo('-->');
      else if (this.text.startsWith('<?', this.at)) this.upTo('?>');
      else if (this.text.startsWith('<!DOCTYPE', this.at)) {
        if (this.upTo('>').includes('[')) throw new SyntaxError('a document type with declarations');
      } else return;
    }
  }

  /** The name inside the next tag: `dict`, `/dict`, or `dict/` when it is empty. */
  private nextTag(): string {
    this.count();
    this.skipBetween();
    if (this.text.charCodeAt(this.at) !== 0x3c) throw new SyntaxError('text where a tag is expected');
    this.at++;
    const inside = this.upTo('>');
    const name = /^\/?[a-z]+/.exec(inside)?.[0];
    if (name === undefined) throw new SyntaxError('a tag without a name');
    return inside.endsWith('/') ? `${name}/` : name;
  }

  private count(pieces = 1): void {
    this.pieces += pieces;
    if (this.pieces > MAX_PIECES) throw new SyntaxError('too many values');
  }

  private upTo(end: string): string {
    const found = this.text.indexOf(end, this.at);
    if (found < 0) throw new SyntaxError('it ends too early');
    const passed = this.text.slice(this.at, found);
    this.at = found + end.length;
    return passed;
  }

  private value(tag: string, depth: number): PlistValue {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
    switch (tag) {
      case 'dict':
        return this.dict(depth);
      case 'array':
        return this.array(depth);
      case 'string':
        return this.characters('string');
      case 'integer':
        return integerOf(this.characters('integer').trim());
      case 'real':
        return realOf(this.characters('real').trim());
      case 'data':
        this.count(COSTLY);
        return dataOf(this.characters('data'));
      case 'date':
        this.count(COSTLY);
        return dateOf(this.characters('date').trim());
      case 'true':
      case 'false':
        if (this.nextTag() !== `/${tag}`) throw new SyntaxError('a boolean with content');
        return tag === 'true';
      case 'true/':
        return true;
      case 'false/':
        return false;
      case 'dict/':
        return {};
      case 'array/':
        return [];
      case 'string/':
        return '';
      case 'data/':
        return Buffer.alloc(0);
      default:
        throw new SyntaxError('an unknown element');
    }
  }

  private dict(depth: number): PlistDict {
    const dict: Record<string, PlistValue> = {};
    for (let tag = this.nextTag(); tag !== '/dict'; tag = this.nextTag()) {
      if (tag !== 'key' && tag !== 'key/') throw new SyntaxError('a value without a key');
      const key = tag === 'key' ? this.characters('key') : '';
      if (key === '__proto__') throw new SyntaxError('a key that no device sends');
      dict[key] = this.value(this.nextTag(), depth + 1);
    }
    return dict;
  }

  private array(depth: number): PlistValue[] {
    const items: PlistValue[] = [];
    for (let tag = this.nextTag(); tag !== '/array'; tag = this.nextTag())
      items.push(this.value(tag, depth + 1));
    return items;
  }

  /** The text up to the closing tag, with entities, comments and CDATA resolved. */
  private characters(element: string): string {
    let result = '';
    for (;;) {
      this.count();
      const piece = this.upTo('<');
      result += piece.includes('&') ? this.withoutEntities(piece) : piece;
      if (this.text.startsWith('/', this.at)) {
        this.at++;
        if (this.upTo('>').trimEnd() !== element) throw new SyntaxError('the wrong closing tag');
        return result;
      }
      if (this.text.startsWith('![CDATA[', this.at)) {
        this.at += 8;
        result += this.upTo(']]>');
      } else if (this.text.startsWith('!--', this.at)) this.upTo('-->');
      else throw new SyntaxError('an element inside text');
    }
  }

  private withoutEntities(piece: string): string {
    let result = '';
    let from = 0;
    for (let at = piece.indexOf('&'); at >= 0; at = piece.indexOf('&', from)) {
      this.count(piece.startsWith('#', at + 1) ? COSTLY : 1);
      const end = piece.indexOf(';', at);
      if (end < 0) throw new SyntaxError('an entity without an end');
      result += piece.slice(from, at) + entity(piece.slice(at + 1, end));
      from = end + 1;
    }
    return result + piece.slice(from);
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d;

function entity(name: string): string {
  const named = NAMED[name];
  if (named !== undefined) return named;
  const code = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (code === null) throw new SyntaxError('an unknown entity');
  const point = code[1] ? parseInt(code[1], 16) : Number(code[2]);
  if (point === 0 || (point >= 0xd800 && point <= 0xdfff)) return UNKNOWN_CHARACTER;
  return String.fromCodePoint(point);
}

function integerOf(text: string): number | bigint {
  if (text.length > MAX_DIGITS || !/^(?:[+-]?[0-9]+|0x[0-9a-fA-F]+)$/.test(text))
    throw new SyntaxError('not an integer');
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ''));
}

function realOf(text: string): number {
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) throw new SyntaxError('not a real');
  return number;
}

function dataOf(text: string): Buffer {
  if (!/^[A-Za-z0-9+/\s]*(?:=\s*){0,2}$/.test(text)) throw new SyntaxError('not base64');
  let characters = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x20) characters += 1;
  if (characters % 4 === 1) throw new SyntaxError('not base64');
  return Buffer.from(text, 'base64');
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new SyntaxError('not a date');
  return date;
}

/**
 * The bytes of a property list; the same value always gives the same bytes. Whole numbers become integers.
 * @throws CataloguedError `request.invalid` for what would arrive as something else: a number beyond ±2^53 (a bigint says it
 * exactly) or not finite, text that XML cannot hold (control characters, half surrogate pairs)
 */
export function buildPlist(value: PlistValue): Buffer {
  refuseUnwritable(value);
  return Buffer.from(`${build(value as Parameters<typeof build>[0])}\n`, 'utf8');
}

/** Before it is built: `plist` writes numbers that no reader takes, and its own error quotes the text, which may be a secret. */
function refuseUnwritable(value: PlistValue): void {
  if (typeof value === 'string') refuseIf(NOT_XML.test(value), 'text with control characters');
  else if (typeof value === 'number') {
    refuseIf(!Number.isFinite(value), 'a number that is not finite');
    refuseIf(Number.isInteger(value) && !Number.isSafeInteger(value), 'a number beyond 2^53');
  } else if (Array.isArray(value)) for (const item of value as readonly PlistValue[]) refuseUnwritable(item);
  else if (isDict(value))
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      refuseUnwritable(key);
      refuseUnwritable(item);
    }
}

/** XML 1.0 holds no control characters except tab and line ends, and no half surrogate pairs. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

function refuseIf(isUnwritable: boolean, reason: string): void {
  if (isUnwritable) throw new CataloguedError('request.invalid', { facts: { reason } });
}
