// The download that the Temporal SDK makes for its own test environment: the same address, asked for one version and taken only if it is
// the archive of that release.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const ADDRESS = 'https://temporal.download/cli';
/** SHA-256 of the archives of release 1.9.1 (its checksums.txt). */
const ARCHIVES = {
  '1.9.1': {
    'linux-x64': '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5',
    'linux-arm64': '6c57c352d52fc3df34412376fd9ba6f74b7e3ace8e426e6cba8600156d36a145',
    'darwin-x64': '48cdd6c84c56e27ae8e4d9a47052b89289a9c552dee029b49dd312c6fb72873f',
    'darwin-arm64': '41e0425378fcb4fb5766340b97435e20fe47bbff2d7bf644ec2d51f7662b7c56',
  },
};
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

export const downloadOfTheSdk = {
  title: "the SDK's download (temporal.download)",
  patienceSeconds: 180,

  async get({ folder, version, run }) {
    const platform = `${process.platform}-${process.arch}`;
    const expected = ARCHIVES[version]?.[platform];
    if (!expected) throw new Error(`no archive of ${version} for ${platform} is pinned`);
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
    if ((await sha256Of(file)) !== expected) throw new Error('the archive is not the one that is pinned');
    await run('tar', ['-xzf', file, '-C', folder, fileToExtract], { patienceSeconds: 30 });
    return path.join(folder, fileToExtract);
  },
};

async function sha256Of(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

function unreachable(error) {
  throw new Error(error.cause?.code ?? error.message);
}
