// Builds the console into web/dist when its sources or packages changed, and prints what a browser loads for the first page.
// `--force` builds in any case. Called by set-up, so that `npm start` and `npm test` find it built.
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { helpSources, writeHelp } from './help-pages.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WEB = path.join(ROOT, 'web');
const DIST = path.join(WEB, 'dist');
const STAMP = path.join(DIST, '.odette-stamp');
/** Which file of the build each source became. */
const MANIFEST = 'manifest.json';
/** The page on which an admin spends the day; routes are loaded when they are opened. */
const FIRST_PAGE = 'devices/devices-page.tsx';
/** Replaced by api/console.ts in every response: what may add style tags under the Content-Security-Policy. */
const NONCE = '__ODETTE_NONCE__';

/** @param {(line: string) => void} say */
export async function buildConsole(say, { isForced = false } = {}) {
  const wanted = await stampOf();
  if (!isForced && (await readFile(STAMP, 'utf8').catch(() => '')) === wanted) return;
  const began = Date.now();
  // Imported late: in a fresh clone the packages are there only after the set-up before.
  const { build } = await import('vite');
  const { default: react } = await import('@vitejs/plugin-react');
  await build({
    configFile: false,
    root: WEB,
    base: '/',
    logLevel: 'warn',
    plugins: [react()],
    html: { cspNonce: NONCE },
    build: {
      outDir: DIST,
      manifest: MANIFEST,
      emptyOutDir: true,
      target: 'es2022',
      // Inlined data: addresses would need holes in the Content-Security-Policy.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1_000,
    },
  });
  await writeHelp(path.join(DIST, 'help'));
  await writeFile(STAMP, wanted);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  say(`The console is built (${seconds} s); its first page loads ${await firstPageKilobytes()} kB (gzip).`);
}

/** Sources, pages of docs/, lock and these scripts: anything else does not change what is built. */
async function stampOf() {
  const hash = createHash('sha256');
  const entries = await readdir(WEB, { recursive: true, withFileTypes: true });
  const sources = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(DIST) && !/\.test\.tsx?$/.test(file))
    .sort();
  const scripts = ['build-console.mjs', 'help-pages.mjs'].map((name) => path.join(ROOT, 'scripts', name));
  for (const file of [...sources, ...(await helpSources()), path.join(ROOT, 'package-lock.json'), ...scripts])
    hash
      .update(path.relative(ROOT, file))
      .update('\0')
      .update(await readFile(file));
  return hash.digest('hex');
}

/** What a browser loads until an admin sees devices, in kB of 1000 bytes, compressed: index.html, the shell, and that page's own part. */
export async function firstPageKilobytes() {
  const manifest = JSON.parse(await readFile(path.join(DIST, MANIFEST), 'utf8'));
  const files = ['index.html', ...filesOf(manifest, ['index.html', FIRST_PAGE])];
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(await readFile(path.join(DIST, file))).length),
  );
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1000);
}

/**
 * The scripts and styles of parts of the build, with all that they import before they run.
 * @param {Record<string, { file: string, css?: string[], imports?: string[] }>} manifest
 * @param {string[]} names
 */
function filesOf(manifest, names) {
  const parts = new Set();
  const add = (name) => {
    if (parts.has(name)) return;
    if (!manifest[name]) throw new Error(`The console's build has no part ${name}`);
    parts.add(name);
    manifest[name].imports?.forEach(add);
  };
  names.forEach(add);
  return new Set([...parts].flatMap((name) => [manifest[name].file, ...(manifest[name].css ?? [])]));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildConsole((line) => console.log(line), { isForced: process.argv.includes('--force') });
