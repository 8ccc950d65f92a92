// The key ring: the keys that seal what must not be read from the database, in one file that only its owner can read.
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CataloguedError } from '../../domain/failures.ts';
import type { Sealer } from '../../domain/sealer.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;
const CIPHER = 'aes-256-gcm';

interface KeyFile {
  readonly current: string;
  /** Base64 of 32 bytes, by key id. Old keys stay as long as something is sealed under them. */
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * Sealed form: 1 byte format, 1 byte length of the key id, the key id, 12 bytes IV, the ciphertext, 16 bytes tag.
 * The context is AES-GCM's additional data: what was sealed for one place does not open in another.
 */
export class KeyRing implements Sealer {
  readonly currentKeyId: string;
  readonly #keys: ReadonlyMap<string, Buffer>;

  constructor(currentKeyId: string, keys: ReadonlyMap<string, Buffer>) {
    this.currentKeyId = currentKeyId;
    this.#keys = keys;
    this.keyFor(currentKeyId);
  }

  /**
   * @param options.create make the file if it is not there; only right while nothing sealed exists
   * @throws CataloguedError `secrets.key_missing`, `secrets.key_file_exposed`, `secrets.key_file_unreadable`
   */
  static async open(file: string, options: { readonly create: boolean }): Promise<KeyRing> {
    const text = (await read(file)) ?? (options.create ? await create(file) : undefined);
    if (text === undefined) throw new CataloguedError('secrets.key_missing');
    const { current, keys } = parse(text);
    return new KeyRing(
      current,
      new Map(Object.entries(keys).map(([id, key]) => [id, Buffer.from(key, 'base64')])),
    );
  }

  /** Adds a key under which everything is sealed from now on; the older ones still open. @throws as `open` */
  static async renew(file: string): Promise<KeyRing> {
    const text = await read(file);
    if (text === undefined) throw new CataloguedError('secrets.key_missing');
    const { keys } = parse(text);
    const added = newKey();
    await replace(file, { current: added.id, keys: { ...keys, [added.id]: added.key } });
    return KeyRing.open(file, { create: false });
  }

  /** Keeps the current key alone: what is sealed under another opens no more. @throws as `open` */
  static async retireOldKeys(file: string): Promise<void> {
    const text = await read(file);
    if (text === undefined) throw new CataloguedError('secrets.key_missing');
    const { current, keys } = parse(text);
    await replace(file, { current, keys: { [current]: keys[current] ?? '' } });
  }

  /** @throws CataloguedError `secrets.key_missing` */
  keyFor(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key?.length !== KEY_BYTES) throw new CataloguedError('secrets.key_missing', { facts: { keyId: id } });
    return key;
  }

  seal(plain: Uint8Array, context: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.keyFor(this.currentKeyId), iv);
    cipher.setAAD(Buffer.from(context));
    const id = Buffer.from(this.currentKeyId);
    const head = Buffer.concat([Buffer.from([FORMAT, id.length]), id, iv]);
    return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws CataloguedError `secrets.key_missing`, `secrets.tampered` (also when the context is another) */
  open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed);
    const start = 2 + (bytes[1] ?? 0);
    const end = bytes.length - TAG_BYTES;
    if (bytes[0] !== FORMAT || end < start + IV_BYTES) throw new CataloguedError('secrets.tampered');
    const key = this.keyFor(bytes.subarray(2, start).toString());
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(start, start + IV_BYTES));
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(end));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(start + IV_BYTES, end)), decipher.final()]);
    } catch {
      throw new CataloguedError('secrets.tampered');
    }
  }
}

/** Owner and mode are those of what is read: a link or a file put in its place between a look and the reading changes nothing. */
async function read(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    const found = await handle?.stat();
    if (found && process.platform !== 'win32' && (!isTrustedOwner(found.uid) || (found.mode & 0o077) !== 0))
      throw new CataloguedError('secrets.key_file_exposed');
    return await handle?.readFile('utf8');
  } finally {
    await handle?.close();
  }
}

/** Whoever owns the file can write to it. */
const isTrustedOwner = (uid: number): boolean => uid === 0 || uid === process.getuid?.();

/** Written whole beside its place and linked into it: of two processes that start at once one wins, and both read its file. */
async function create(file: string): Promise<string | undefined> {
  const { id, key } = newKey();
  const made: KeyFile = { current: id, keys: { [id]: key } };
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return read(file);
}

const newKey = () => ({ id: randomBytes(4).toString('hex'), key: randomBytes(KEY_BYTES).toString('base64') });

async function replace(file: string, content: KeyFile): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true, flag: 'wx' });
  await rename(draft, file);
}

function parse(text: string): KeyFile {
  try {
    const file: unknown = JSON.parse(text);
    if (isKeyFile(file)) return file;
  } catch {
    // The parser's message would quote the file.
  }
  throw new CataloguedError('secrets.key_file_unreadable');
}

function isKeyFile(file: unknown): file is KeyFile {
  if (typeof file !== 'object' || file === null || !('current' in file) || !('keys' in file)) return false;
  const { current, keys } = file;
  if (typeof current !== 'string' || typeof keys !== 'object' || keys === null) return false;
  return Object.values(keys).every((key) => typeof key === 'string');
}
