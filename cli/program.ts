// The whole command line as one commander program, and how one call of it ends.
import { Command, CommanderError } from 'commander';
import { addAppsAndBooks, addPushCertificate } from './apple.ts';
import { addBlueprints } from './blueprints.ts';
import { createCommandLine } from './command-line.ts';
import { addDevices } from './devices.ts';
import { errorDocument, errorLines, EXIT, exitCodeOf } from './exits.ts';
import { addLibraryItems } from './library-items.ts';
import { addRollouts } from './rollouts.ts';
import { addSetup } from './setup.ts';
import { addStatus } from './status.ts';
import type { Terminal } from './terminal.ts';
import { addTokens } from './tokens.ts';

const HELP = `
Finds the Odette that runs on this machine by itself. Otherwise:
  ODETTE_URL          where its API is
  ODETTE_TOKEN_FILE   a file that holds an API token (or ODETTE_TOKEN: the token itself)
  ODETTE_DATA_DIR     the data folder of the one you mean, if several run here

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 Odette or a part of it does not answer · 4 something of yours is missing`;

/** Runs one command; returns the exit code. */
export async function runCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number> {
  const line = createCommandLine(environment, terminal);
  const program = new Command('odette')
    .description('Okta Device Trust for Apple fleets')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.tell(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows how it is used)');
  program
    .command('up')
    .description('starts everything on this machine, and the sandbox; Ctrl-C stops it')
    .option('--no-sandbox', 'a real installation, in a data folder of its own')
    // cli/odette.mjs takes every other `up` to the launcher.
    .action(() => program.help());
  addStatus(program, line);
  addSetup(program, line);
  addBlueprints(program, line);
  addLibraryItems(program, line);
  addDevices(program, line);
  addRollouts(program, line);
  addPushCertificate(program, line);
  addAppsAndBooks(program, line);
  addTokens(program, line);
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
