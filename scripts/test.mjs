// `npm test`: every test, and beside them the checks of the code; the last line counts both.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { endTestRun, leftOf, openTestRun } from './test-run.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The fastest first. */
const CHECKS = ['layers', 'format', 'unused', 'lint', 'types'];
const SLOWEST_SHOWN = 10;
const filters = process.argv.slice(2);
const testRun = await openTestRun();

let passed = 0;
let failed = 0;

// With a filter only the named tests run.
const checks = runChecks(filters.length > 0 ? [] : CHECKS);

/**
 * One after the other, each in the time that the tests leave, since they mostly wait for their servers.
 * @returns what they said, for the end: the tests write meanwhile
 */
async function runChecks(names) {
  const lines = [];
  for (const name of names) {
    const { code, said } = await run(
      process.env.npm_execpath ?? 'npm',
      ['run', '--silent', `check:${name}`],
      'beside',
    );
    lines.push(`${said}${code === 0 ? '✓' : '✗'} check:${name}`);
    if (code === 0) passed += 1;
    else failed += 1;
  }
  return lines;
}

const report = path.join(testRun.folder, 'report.json');
const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const { code } = await run(vitest, [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...filters,
]);
const result = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
count(result);
for (const line of await checks) console.log(line);
await nothingIsLeft();
if (code !== 0 && failed === 0) {
  console.log(`✗ the test run itself ended with ${code}`);
  failed += 1;
}

printSlowest(result);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Where the time goes: the first place to look when the suite gets slow. */
function printSlowest(summary) {
  const tests = (summary?.testResults ?? []).flatMap((file) =>
    file.assertionResults.map(({ duration, fullName }) => ({
      seconds: (duration ?? 0) / 1000,
      name: `${path.relative(ROOT, file.name)}: ${fullName}`,
    })),
  );
  const slowest = tests.sort((one, other) => other.seconds - one.seconds).slice(0, SLOWEST_SHOWN);
  if (slowest.length === 0) return;
  console.log(`The ${slowest.length} slowest tests:`);
  for (const { seconds, name } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

/** What a test started it must end: otherwise it would still run when the next one measures, or tomorrow. */
async function nothingIsLeft() {
  const left = await leftOf(testRun.folder);
  for (const { pid, command } of left)
    console.log(`✗ left running by the tests: ${pid} ${command.slice(0, 200)}`);
  failed += left.length;
  await endTestRun(testRun.folder);
}

function count(summary) {
  if (!summary) return;
  passed += summary.numPassedTests;
  failed += summary.numFailedTests;
  for (const file of summary.testResults) {
    const name = path.relative(ROOT, file.name);
    // A file that could not be loaded holds no test that failed.
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      console.log(`✗ ${name} could not be run: ${String(file.message).split('\n')[0]}`);
      failed += 1;
    }
    const skipped = file.assertionResults.filter(
      (test) => test.status !== 'passed' && test.status !== 'failed',
    );
    if (skipped.length > 0) console.log(`- ${name}: ${skipped.length} skipped; the reason is printed above`);
  }
}

/** @param how 'beside': at the lowest priority, and what it says is returned instead of shown */
function run(command, args, how = 'shown') {
  // npm and vitest are scripts: run by this Node, so that no shell is needed.
  const [program, ...rest] = /\.[cm]?js$/.test(command)
    ? [process.execPath, command, ...args]
    : [command, ...args];
  const to = how === 'beside' ? 'pipe' : 'inherit';
  return new Promise((resolve) => {
    const child = spawn(program, rest, { cwd: ROOT, env: testRun.env, stdio: ['inherit', to, to] });
    // What it starts inherits it.
    if (how === 'beside' && child.pid) os.setPriority(child.pid, os.constants.priority.PRIORITY_LOW);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    child.once('error', (error) => {
      console.error(error.message);
      resolve({ code: 1, said });
    });
    child.once('close', (status) => resolve({ code: status ?? 1, said }));
  });
}
