// Where `odette` begins: one command, one exit code.
import { runCommand } from './program.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await runCommand(process.argv.slice(2), process.env, processTerminal(process.env));
