// Plays the main job against the first pretend tenant, through Odette's public API only, and says what happens and when.
// Run again it goes on from what is there. ODETTE_URL, ODETTE_TOKEN_FILE (or ODETTE_TOKEN) and SANDBOX_URL say where.
import { readFile } from 'node:fs/promises';
import { enrollDevices } from './demo/enroll.ts';
import { Narrator } from './demo/narrator.ts';
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

async function play(): Promise<void> {
  const narrator = new Narrator();
  const odette = odetteApi(needed('ODETTE_URL'), await tokenOf());
  const sandbox = new SandboxApi(needed('SANDBOX_URL'));
  const stage = { odette, sandbox, narrator, addresses: await sandbox.addresses() };
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  const blueprintId = await assignOktaVerify(stage, integrationId);
  await enrollDevices(stage, blueprintId);
  const ending = await watchTrust(stage, PATIENCE_SECONDS);
  if (ending.missing.length > 0) {
    narrator.say(`not finished after ${PATIENCE_SECONDS / 60} minutes:`);
    for (const line of ending.missing) console.log(`           ${line}`);
    process.exitCode = 1;
    return;
  }
  for (const name of ending.waitingForUser)
    narrator.say(
      `${name} waits for its user's first FastPass sign-in (it comes when you order it: docs/sandbox.md)`,
    );
  narrator.say('every other device is trusted');
  if (ending.firstTrusted !== undefined)
    narrator.say(`time to the first trusted device: ${ending.firstTrusted} s`);
}

await play().catch((error: unknown) => {
  console.error(`the play stopped: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
