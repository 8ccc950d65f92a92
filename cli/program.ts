// The whole command line as one commander program, and how one call of it ends.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addAppsAndBooks } from './apps-and-books.ts';
import { addBlueprints, addEnrollmentCodes } from './blueprints.ts';
import { addChannels } from './channels.ts';
import { createCommandLine } from './command-line.ts';
import { addCompletion } from './completion.ts';
import { addDevices } from './devices.ts';
import { addDoctor } from './doctor.ts';
import { errorDocument, errorLines, EXIT, exitCodeOf } from './exits.ts';
import { addRotations } from './rotations.ts';
import { addFleetRollouts } from './fleet-rollouts.ts';
import { addFieldTest } from './field-test.ts';
import { addIntegrations } from './integrations.ts';
import { addIosKey } from './ios-key.ts';
import { addLibraryItems } from './library-items.ts';
import { addNotifications } from './notifications.ts';
import { addOrganization } from './organization.ts';
import { addPlatformRemovals } from './platform-removals.ts';
import { addReissues } from './reissues.ts';
import { addPeople } from './people.ts';
import { addPushCertificate } from './push-certificate.ts';
import { addObservedDevices } from './observed-devices.ts';
import { addReadiness } from './readiness.ts';
import { addRollouts } from './rollouts.ts';
import { addSetup } from './setup.ts';
import { addStatus } from './status.ts';
import { steeredByNobody, type Terminal } from './terminal.ts';
import { addTemporal } from './temporal.ts';
import { addTokens } from './tokens.ts';

const HELP = `
A new installation, in this order (odette status shows at any time what is missing):
  odette up --no-sandbox
  odette push-certificate request, then set FILE
  odette apps-and-books set FILE
  odette setup apply -f FILE
  odette blueprint create NAME
  odette library-item save --blueprint NAME --device-trust on
  odette enrollment-code create --blueprint NAME
  odette devices

Every command except \`up\` finds and uses the Odette that runs on this machine. To use another one, set:
  ODETTE_URL          the address of its API
  ODETTE_TOKEN_FILE   a file that contains an API token (or ODETTE_TOKEN: the token itself)
  ODETTE_DATA_DIR     the data folder of the one to use, if several run on this machine

Exit codes of every command:
  0      done
  1      refused or failed; standard error says why and what to do
  2      wrong usage: the command line, a file named on it, or a variable
  3      no response from Odette, or from its database, Temporal or worker
  4      input from you is missing; add it and run the same command again
  128+n  ended by signal n (Ctrl-C: 130)`;

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** cli/odette.mjs takes these to the machine's own programs; here they are explained. */
function explainMachineCommands(program: Command): void {
  program
    .command('up')
    .description(
      'starts all of Odette on this machine, with the sandbox (pretend Okta tenants and devices), and runs until Ctrl-C',
    )
    .option('--no-sandbox', 'a real installation instead, in its own data folder')
    .option(
      '--json',
      'print all addresses as one line of JSON when everything is up; the rest goes to standard error',
    )
    .action(() => program.help());
  program
    .command('backup <folder>')
    .description(
      'writes the database and the key file into a new folder; on one machine, while Odette is stopped',
    )
    .action(() => program.help());
  program
    .command('restore <folder>')
    .description('brings a backup back into an empty database and an empty data folder')
    .action(() => program.help());
  program
    .command('keys <renew|retire>')
    .description(
      'renew: seals everything under a new key; retire: removes the older keys; while Odette is stopped',
    )
    .action(() => program.help());
}

/** Runs one command; returns the exit code. */
export async function runCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  givenTerminal: Terminal,
): Promise<number> {
  const terminal = steeredByNobody(givenTerminal);
  const line = createCommandLine(environment, terminal);
  const program = new Command('odette')
    .description('Odette: Okta Device Trust for Apple fleets. For each command: `odette COMMAND --help`.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.tell(text.trimEnd()),
    })
    .showHelpAfterError('(see --help)');
  explainMachineCommands(program);
  addStatus(program, line);
  addSetup(program, line);
  addIntegrations(program, line);
  addBlueprints(program, line);
  addEnrollmentCodes(program, line);
  addIosKey(program, line);
  addLibraryItems(program, line);
  addDevices(program, line);
  addDoctor(program, line);
  addReadiness(program, line);
  addObservedDevices(program, line);
  addChannels(program, line);
  addRollouts(program, line);
  addFleetRollouts(program, line);
  addRotations(program, line);
  addReissues(program, line);
  addPlatformRemovals(program, line);
  addPushCertificate(program, line);
  addAppsAndBooks(program, line);
  addNotifications(program, line);
  addOrganization(program, line);
  addPeople(program, line);
  addTokens(program, line);
  addTemporal(program, line);
  addFieldTest(program, line);
  addCompletion(program, line);
  try {
    await program.parseAsync(args, { from: 'user' });
    return line.exitCode;
  } catch (error) {
    // Commander has said its own already; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (args.includes('--json')) terminal.tell(JSON.stringify(errorDocument(error)));
    else for (const text of errorLines(error)) terminal.tell(text);
    return exitCodeOf(error);
  }
}
