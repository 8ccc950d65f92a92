// Runs before `npm start` and `npm test`, also in a fresh clone: installs dependencies when the lock changed, builds programs and
// console when their sources changed, and gets a Temporal server, for the tests a browser too. Two at once in one clone take turns. Built-ins only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHooks } from './git-hooks.mjs';
import { buildConsole } from './build-console.mjs';
import { buildPrograms } from './build-programs.mjs';
import { haveChromium } from './chromium.mjs';
import { takeSetupLock } from './setup-lock.mjs';
import { getTemporal } from './temporal-server.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Not in node_modules, which an installation empties. */
const LOCK = path.join(ROOT, '.odette-setup.lock');
const STAMP = path.join(ROOT, 'node_modules', '.odette-setup');

await main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

async function main() {
  await mustBeNewEnough();
  const release = await takeSetupLock(LOCK, (line) => console.log(line));
  const results = await Promise.allSettled([
    installHooks(ROOT),
    installDependencies().then(haveBuilds),
    haveTemporal(),
    haveBrowser(),
  ]);
  await release();
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.message] : []));
  if (reasons.length > 0) throw new Error(reasons.join('\n'));
}

async function mustBeNewEnough() {
  const { engines } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor < major || (ourMajor === major && ourMinor < minor))
    throw new Error(
      `Odette needs Node.js ${major}.${minor} or newer, and this is ${process.versions.node}: install a newer one and start again.`,
    );
}

// The stamp names what node_modules was installed from: another lock, system or Node ABI installs anew.
async function installDependencies() {
  const lock = await readFile(path.join(ROOT, 'package-lock.json'));
  const wanted = createHash('sha256')
    .update(lock)
    .update([process.platform, process.arch, process.versions.modules].join())
    .digest('hex');
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === wanted) return;
  console.log('Installing dependencies (npm ci) …');
  const began = Date.now();
  await npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']);
  await writeFile(STAMP, wanted);
  console.log(`Dependencies are installed (${((Date.now() - began) / 1000).toFixed(1)} s).`);
}

// The npm that runs this script, without a shell. NODE_ENV=production in the user's shell would leave out what tests need.
function npm(args) {
  const { NODE_ENV: _unused, npm_execpath: cli, ...env } = process.env;
  const [command, before] = cli ? [process.execPath, [cli]] : ['npm', []];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error('npm ci failed; its output above says why.')),
    );
  });
}

async function haveBuilds() {
  await buildPrograms((line) => console.log(line));
  await buildConsole((line) => console.log(line));
}

async function haveTemporal() {
  const isStart = process.env.npm_lifecycle_event === 'prestart';
  const hasOwn = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some(
    (name) => process.env[name],
  );
  if (isStart && hasOwn) return;
  await getTemporal((line) => console.log(line));
}

/** Without one the other tests still run; those that need it say so. */
async function haveBrowser() {
  if (process.env.npm_lifecycle_event !== 'pretest') return;
  await haveChromium((line) => console.log(line)).catch((error) =>
    console.log(`There is no Chromium for the browser tests: ${error.message}`),
  );
}
