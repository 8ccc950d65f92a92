// The download that the Temporal SDK makes for its own test environment: the same address, asked for one version.
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const ADDRESS = 'https://temporal.download/cli';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

export const downloadOfTheSdk = {
  title: "the SDK's download (temporal.download)",
  patienceSeconds: 180,

  async get({ folder, version, run }) {
    const query = new URLSearchParams({
      arch: ARCHITECTURES[process.arch] ?? process.arch,
      platform: process.platform === 'win32' ? 'windows' : process.platform,
      format: 'tar.gz',
      'sdk-name': 'odette',
    });
    const where = await fetch(`${ADDRESS}/v${version}?${query}`, {
      signal: AbortSignal.timeout(10_000),
    }).catch(unreachable);
    if (!where.ok) throw new Error(`it returned ${where.status}`);
    const { archiveUrl, fileToExtract } = await where.json();
    if (!String(archiveUrl).startsWith('https://')) throw new Error('it named an address that is not https');
    const archive = await fetch(archiveUrl, { signal: AbortSignal.timeout(150_000) }).catch(unreachable);
    if (!archive.ok || !archive.body) throw new Error(`the archive's address returned ${archive.status}`);
    const file = path.join(folder, 'temporal.tar.gz');
    await pipeline(Readable.fromWeb(archive.body), createWriteStream(file));
    await run('tar', ['-xzf', file, '-C', folder, fileToExtract], { patienceSeconds: 30 });
    return path.join(folder, fileToExtract);
  },
};

function unreachable(error) {
  throw new Error(error.cause?.code ?? error.message);
}
