// `odette temporal seal`: what an operator sends to a workflow by hand, through Temporal's UI or CLI.
import type { Command } from 'commander';
import { CliError, EXIT } from './exits.ts';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';

export function addTemporal(program: Command, line: CommandLine): void {
  const temporal = program.command('temporal').description('prepares messages to send to Temporal by hand');
  jsonCommand(
    temporal,
    'seal',
    'prints a message in the form that workflows accept: pass it to Temporal as JSON input',
  )
    .argument('<workflow>', 'the id of the workflow, such as certificate/DEVICE')
    .argument('<name>', 'name of the signal or workflow type, such as renewNow')
    .option('--input <json>', 'the message', '{}')
    .action(async (workflowId: string, name: string, { json, input }: JsonOption & { input: string }) => {
      const body = { workflowId, name, body: parse(input) } as never;
      const { payload } = await (await line.connect()).call('post /api/temporal/seal', { body });
      line.show({ ...(json && { json }) }, payload, () => [JSON.stringify(payload)]);
    });
}

function parse(input: string): unknown {
  try {
    return JSON.parse(input) as unknown;
  } catch {
    throw new CliError(EXIT.usage, '--input is not JSON.');
  }
}
