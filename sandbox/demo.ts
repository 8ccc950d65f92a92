// Runs the main job against the first pretend tenant, through Odette's public API only, and prints what happens and when.
// Run again it goes on from what is there. ODETTE_URL, ODETTE_TOKEN_FILE (or ODETTE_TOKEN) and SANDBOX_URL say where.
import { readFile } from 'node:fs/promises';
import { enrollDevices } from './demo/enroll.ts';
import { DemoProgress } from './demo/progress.ts';
import { odetteApi } from './demo/odette-api.ts';
import { SandboxApi } from './demo/sandbox-api.ts';
import { assignOktaVerify, connectOkta, giveAppleCertificates } from './demo/set-up.ts';
import { watchTrust } from './demo/watch.ts';

const PATIENCE_SECONDS = 15 * 60;

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

async function tokenOf(): Promise<string> {
  const file = process.env['ODETTE_TOKEN_FILE'];
  return file ? (await readFile(file, 'utf8')).trim() : needed('ODETTE_TOKEN');
}

async function runDemo(): Promise<void> {
  const progress = new DemoProgress();
  const odette = odetteApi(needed('ODETTE_URL'), await tokenOf());
  const sandbox = new SandboxApi(needed('SANDBOX_URL'));
  const stage = { odette, sandbox, progress, addresses: await sandbox.addresses() };
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  const blueprintId = await assignOktaVerify(stage, integrationId);
  await enrollDevices(stage, blueprintId);
  const result = await watchTrust(stage, PATIENCE_SECONDS);
  if (result.missing.length > 0) {
    progress.print(`not finished after ${PATIENCE_SECONDS / 60} minutes:`);
    for (const line of result.missing) console.log(`           ${line}`);
    process.exitCode = 1;
    return;
  }
  for (const name of result.waitingForUser)
    progress.print(
      `${name} waits for its user's first FastPass sign-in (it comes when you order it: docs/sandbox.md)`,
    );
  progress.print('every other device is trusted');
  if (result.firstTrusted !== undefined)
    progress.print(`time to the first trusted device: ${result.firstTrusted} s`);
}

await runDemo().catch((error: unknown) => {
  console.error(`the demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
