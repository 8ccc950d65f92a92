// Bundles Odette's programs (the command, its processes, the sandbox) into dist/, each file under its source's name: a process that
// starts reads a dozen files instead of hundreds. Workflows are bundled by Temporal's SDK, for they run in a sandbox of their own. Called by set-up and by the tests, so
// that what runs is what the sources say.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = path.join(ROOT, 'dist');
const STAMP = path.join(DIST, '.odette-stamp');
const BUNDLES_WORKFLOWS = 'workers/bundle-workflows.ts';
const PROGRAMS = [
  'cli/main.ts',
  'workers/launcher.ts',
  'workers/maintenance.ts',
  'workers/api-server.ts',
  'workers/device-server.ts',
  'workers/relay.ts',
  'workers/worker.ts',
  BUNDLES_WORKFLOWS,
  'sandbox/main.ts',
  'sandbox/demo.ts',
];
/** The rooms whose code a program may import. */
const ROOMS = [
  'activities',
  'adapters',
  'api',
  'cli',
  'domain',
  'sandbox',
  'scripts',
  'workers',
  'workflows',
];
const isSource = (name) => /(?<!\.test)\.(?:ts|mjs)$/.test(name);

/** @param {(line: string) => void} say */
export async function buildPrograms(say) {
  const wanted = await stampOf();
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === wanted) return;
  const began = Date.now();
  // Imported late: in a fresh clone the packages are there only after the set-up before.
  const { build } = await import('esbuild');
  const existing = await existingPrograms();
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: existing,
    outbase: ROOT,
    outdir: DIST,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Error types are told by their classes' names.
    keepNames: true,
    sourcemap: true,
    write: false,
    logLevel: 'warning',
    plugins: [sourceUrls],
  });
  // What a program imports is there before the program.
  const inOrder = outputFiles.sort((one, other) => Number(isChunk(other)) - Number(isChunk(one)));
  for (const { path: file, contents } of inOrder) await replace(file, contents);
  const workflows = await bundleWorkflows();
  await removeOthers(new Set([...inOrder.map((file) => file.path), workflows]));
  await replace(STAMP, wanted);
  say(`The programs are built (${((Date.now() - began) / 1000).toFixed(1)} s).`);
}

/** In a process of its own: the SDK's native core stays out of this one. */
async function bundleWorkflows() {
  const program = path.join(DIST, BUNDLES_WORKFLOWS.replace(/ts$/, 'js'));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  return stdout.trim();
}

const isChunk = ({ path: file }) => file.includes(`${path.sep}chunks${path.sep}`);

/** An image for production has no sandbox. */
async function existingPrograms() {
  const rooms = new Set(await readdir(ROOT));
  return PROGRAMS.filter((program) => rooms.has(program.split('/')[0]));
}

/** In a bundle `import.meta.url` stays the source's, beside which its data lies. Bundles lie two folders below the root. */
const sourceUrls = {
  name: 'source-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.(?:ts|mjs)$/ }, async ({ path: file }) => {
      const name = path.relative(ROOT, file).split(path.sep).join('/');
      if (name.startsWith('..') || name.startsWith('node_modules/')) return undefined;
      const source = await readFile(file, 'utf8');
      const url = `new URL(${JSON.stringify(`../../${name}`)}, import.meta.url).href`;
      return {
        contents: source.replaceAll('import.meta.url', url),
        loader: name.endsWith('.ts') ? 'ts' : 'js',
      };
    });
  },
};

/** Half a file is never under the name: a process may start while it is written. */
async function replace(file, contents) {
  await mkdir(path.dirname(file), { recursive: true });
  const half = `${file}.${process.pid}`;
  await writeFile(half, contents);
  await rename(half, file);
}

async function removeOthers(kept) {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files) if (!kept.has(file) && file !== STAMP) await rm(file, { force: true });
}

/** Sources, lock and this script: anything else does not change what is built. */
async function stampOf() {
  const hash = createHash('sha256');
  const files = [path.join(ROOT, 'package-lock.json'), fileURLToPath(import.meta.url)];
  for (const room of ROOMS) {
    const names = await readdir(path.join(ROOT, room), { recursive: true }).catch(() => []);
    files.push(...names.filter(isSource).map((name) => path.join(ROOT, room, name)));
  }
  for (const file of files.sort())
    hash
      .update(path.relative(ROOT, file))
      .update('\0')
      .update(await readFile(file));
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPrograms((line) => console.log(line));
