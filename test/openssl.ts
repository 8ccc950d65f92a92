// The `openssl` program as an independent judge of what the product writes and reads; tests say so when it is absent.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

function find(): string | undefined {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' });
  } catch {
    console.log('There is no `openssl` program on this machine: what needs it is left out.');
    return undefined;
  }
}

export const hasOpenssl = find() !== undefined;

/** A folder for the files of one test file. */
export class OpensslFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), 'odette-openssl-'));

  /** Writes a file and returns its path. */
  file(name: string, content: Uint8Array | string): string {
    const file = path.join(this.path, name);
    writeFileSync(file, content);
    return file;
  }

  /** Runs openssl in the folder and returns what it prints. @throws Error with its words when it fails */
  run(...args: string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
