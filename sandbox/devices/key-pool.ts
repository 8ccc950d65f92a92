// RSA 2048 keys for devices, made when they are needed or beforehand: a benchmark must not measure the making of keys.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { writeWhole } from '../state-file.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export class KeyPool {
  readonly #folder: string;
  readonly #files: string[];
  #made = 0;
  #isClosed = false;
  #filling: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, files: string[]) {
    this.#folder = folder;
    this.#files = files;
  }

  static async open(folder: string): Promise<KeyPool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new KeyPool(
      folder,
      (await readdir(folder)).filter((name) => name.endsWith('.pem')),
    );
  }

  get size(): number {
    return this.#files.length;
  }

  /** A key that nobody has had; it leaves the pool. */
  async take(): Promise<KeyPair> {
    const name = this.#files.pop();
    if (name === undefined) return newRsaKeyPair();
    const file = join(this.#folder, name);
    const privateKey = createPrivateKey(await readFile(file));
    await rm(file);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  }

  /** Makes keys until the pool holds so many. Two at a time: key making keeps a core busy. */
  async fill(wanted: number): Promise<void> {
    const make = async (): Promise<void> => {
      while (!this.#isClosed && this.#files.length + this.#made < wanted) {
        this.#made += 1;
        const { privateKey } = await newRsaKeyPair();
        const name = `${Date.now()}-${process.pid}-${Math.random().toString(36).slice(2)}.pem`;
        await writeWhole(
          join(this.#folder, name),
          privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        );
        this.#files.push(name);
        this.#made -= 1;
      }
    };
    const filled = Promise.all([make(), make()]);
    this.#filling = Promise.allSettled([this.#filling, filled]);
    await filled;
  }

  /** Ends a filling that runs; afterwards nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#filling;
  }
}
