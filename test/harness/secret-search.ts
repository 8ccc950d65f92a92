// Finds secrets in bytes: plain, hex, URL-encoded, UTF-16, base64 at any offset also over line breaks, and inside compressed data.
import { constants, inflateRawSync } from 'node:zlib';

export interface PlantedSecret {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Find {
  readonly secret: string;
  /** How it was written: `plain`, `base64`, … */
  readonly form: string;
  /** Of which haystack. */
  readonly place: string;
}

interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** Shorter ones occur by chance. */
const MIN_SECRET_LENGTH = 10;
const GRAM = 4;
/** What is inflated, at most, and how deep compressed data lies in compressed data. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 3;
/** Two bytes begin a zlib stream often by chance; a longer one is read to here. */
const MAX_STREAM_BYTES = 1024 * 1024;

export class SecretSearch {
  readonly #byStart = new Map<number, Needle[]>();
  /** Whether a needle begins with these three bytes. */
  readonly #filter = new Uint8Array(1 << 21);

  /** @throws Error when a secret is so short that a find would prove nothing */
  constructor(secrets: readonly PlantedSecret[]) {
    for (const secret of secrets) {
      if (secret.bytes.length < MIN_SECRET_LENGTH)
        throw new Error(`${secret.name} is too short to be searched`);
      for (const needle of needlesOf(secret)) this.#add(needle);
    }
  }

  /** All finds in these bytes and in what they hold compressed; each secret and form once. */
  look(place: string, bytes: Buffer): Find[] {
    const finds = new Map<string, Find>();
    const note = ({ secret, form }: Needle, how: string): void => {
      const find = { secret, form: form + how, place };
      finds.set(JSON.stringify(find), find);
    };
    this.#lookDeep(bytes, '', 0, note);
    return [...finds.values()];
  }

  #lookDeep(bytes: Buffer, how: string, depth: number, note: (needle: Needle, how: string) => void): void {
    this.#scan(bytes, (needle) => note(needle, how));
    const joined = withoutBreaks(bytes);
    if (joined.length < bytes.length) this.#scan(joined, (needle) => note(needle, how));
    if (depth >= MAX_DEPTH) return;
    for (const [inflated, kind] of inflatedIn(bytes))
      this.#lookDeep(inflated, `${how} in ${kind}`, depth + 1, note);
  }

  #scan(bytes: Buffer, found: (needle: Needle) => void): void {
    const filter = this.#filter;
    for (let at = 0; at + GRAM <= bytes.length; at += 1) {
      const three = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
      if (((filter[three >> 3] ?? 0) & (1 << (three & 7))) === 0) continue;
      for (const needle of this.#byStart.get(bytes.readUInt32LE(at)) ?? [])
        if (needle.bytes.equals(bytes.subarray(at, at + needle.bytes.length))) found(needle);
    }
  }

  #add(needle: Needle): void {
    const [first = 0, second = 0, third = 0] = needle.bytes;
    const three = first | (second << 8) | (third << 16);
    this.#filter[three >> 3] = (this.#filter[three >> 3] ?? 0) | (1 << (three & 7));
    const start = needle.bytes.readUInt32LE(0);
    this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), needle]);
  }
}

/** A secret in every form that it is looked for, without repetitions. */
function needlesOf({ name, bytes }: PlantedSecret): Needle[] {
  const forms: [string, Buffer][] = [
    ['plain', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['upper-case hex', Buffer.from(bytes.toString('hex').toUpperCase())],
  ];
  for (const offset of [0, 1, 2])
    for (const encoding of ['base64', 'base64url'] as const)
      forms.push([`${encoding} at offset ${offset}`, Buffer.from(base64At(bytes, offset, encoding))]);
  const text = bytes.toString('utf8');
  if (Buffer.from(text).equals(bytes)) {
    const little = Buffer.from(text, 'utf16le');
    const url = encodeURIComponent(text);
    forms.push(
      ['UTF-16LE', little],
      ['UTF-16BE', Buffer.from(little).swap16()],
      ['URL', Buffer.from(url)],
      ['lower-case URL', Buffer.from(url.replace(/%../g, (code) => code.toLowerCase()))],
      [
        'every byte in URL',
        Buffer.from([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
      ],
      ['JSON', Buffer.from(JSON.stringify(text).slice(1, -1))],
    );
  }
  const known = new Set<string>();
  return forms.flatMap(([form, needle]) => {
    const key = needle.toString('latin1');
    if (known.has(key)) return [];
    known.add(key);
    return [{ secret: name, form, bytes: needle }];
  });
}

/** The characters that every base64 of text around the secret holds, if it begins so many bytes into a group of three. */
function base64At(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  const usable = whole.subarray(0, whole.length - (whole.length % 3));
  return usable.toString(encoding).slice(offset === 0 ? 0 : 4);
}

/** Without white space and without `\n`, `\r`, `\t` of JSON: base64 is broken into lines. */
function withoutBreaks(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    const next = bytes[at + 1];
    if (byte === 0x5c && (next === 0x6e || next === 0x72 || next === 0x74)) {
      at += 1;
      continue;
    }
    kept[length] = byte;
    length += 1;
  }
  return kept.subarray(0, length);
}

/** What gzip and zlib streams in these bytes hold, and the bytes themselves as raw deflate. Checksums do not matter. */
function* inflatedIn(bytes: Buffer): Generator<[Buffer, string]> {
  const whole = inflate(bytes);
  if (whole) yield [whole, 'deflate'];
  for (let at = bytes.indexOf(0x1f); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) continue;
    const inflated = inflate(bytes.subarray(endOfGzipHeader(bytes, at)));
    if (inflated) yield [inflated, 'gzip'];
  }
  for (let at = bytes.indexOf(0x78); at >= 0; at = bytes.indexOf(0x78, at + 1)) {
    const flags = bytes[at + 1] ?? 0;
    if ((0x7800 + flags) % 31 !== 0 || (flags & 0x20) !== 0) continue;
    const inflated = inflate(bytes.subarray(at + 2, at + 2 + MAX_STREAM_BYTES));
    if (inflated) yield [inflated, 'zlib'];
  }
}

/** RFC 1952 §2.3: ten bytes, then what the flags announce. */
function endOfGzipHeader(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3] ?? 0;
  let end = at + 10;
  if (flags & 4) end += 2 + (bytes[end] ?? 0) + (bytes[end + 1] ?? 0) * 256;
  for (const text of [8, 16]) if (flags & text) end = bytes.indexOf(0, end) + 1;
  return flags & 2 ? end + 2 : end;
}

/** Undefined for what is no stream. One that something follows, or that is cut off, gives what it has. */
function inflate(bytes: Buffer): Buffer | undefined {
  try {
    const inflated = inflateRawSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAX_INFLATED_BYTES,
    });
    return inflated.length > 0 ? inflated : undefined;
  } catch {
    return undefined;
  }
}
