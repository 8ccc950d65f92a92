// Keeps one JSON document on disk, replaced as a whole: a kill leaves the old document or the new one, never half of one.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

let temporaryFiles = 0;

/** Writes text or bytes beside the target, then renames. The file is readable by its owner only. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  temporaryFiles += 1;
  const beside = `${file}.${process.pid}.${temporaryFiles}`;
  try {
    await writeFile(beside, content, { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(beside, content, { mode: 0o600 });
  }
  await rename(beside, file);
}

export async function readWhole(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export class StateFile<State> {
  readonly #file: string;
  #writing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async read(): Promise<State | undefined> {
    const content = await readWhole(this.#file);
    return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as State);
  }

  /** Resolves once a document at least as new as this call is on disk; calls that wait together share one write. */
  write(current: () => State): Promise<void> {
    if (this.#queued) return this.#queued;
    const queued = this.#writing.then(() => {
      this.#queued = undefined;
      return writeWhole(this.#file, JSON.stringify(current()));
    });
    this.#queued = queued;
    // A failed write is reported to those who asked for it; the next one is tried all the same.
    this.#writing = queued.catch(() => undefined);
    return queued;
  }
}
