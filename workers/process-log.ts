// What a process says, kept in a file: two files of 20 MB at most, however long it runs and whatever strangers make it say.
import { createWriteStream, openSync, renameSync, type WriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

const KEPT_BYTES = 20 * 1024 * 1024;

export class ProcessLog {
  readonly #file: string;
  readonly #keptBytes: number;
  #stream: WriteStream;
  #bytes: number;

  private constructor(file: string, bytes: number, keptBytes: number) {
    this.#file = file;
    this.#keptBytes = keptBytes;
    this.#bytes = bytes;
    this.#stream = append(file);
  }

  /** Goes on with the file that is there. The one before is `NAME.log.1`. */
  static async open(folder: string, name: string, keptBytes = KEPT_BYTES): Promise<ProcessLog> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, `${name}.log`);
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    return new ProcessLog(file, bytes, keptBytes);
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > this.#keptBytes) this.#begin();
    if (this.#stream.destroyed) this.#stream = append(this.#file);
    this.#bytes += bytes;
    this.#stream.write(`${line}\n`);
  }

  /** Resolves when all is written. */
  end(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }

  #begin(): void {
    // What it still has to write goes into the file under its new name.
    this.#stream.end();
    try {
      renameSync(this.#file, `${this.#file}.1`);
    } catch {
      // Somebody has moved it away.
    }
    this.#stream = append(this.#file);
    this.#bytes = 0;
  }
}

/** Opened at once, so that a file that is moved away is there. A full disk costs lines, and not the process that keeps them. */
const append = (file: string): WriteStream =>
  createWriteStream(file, { fd: openSync(file, 'a', 0o600) }).on('error', () => undefined);
