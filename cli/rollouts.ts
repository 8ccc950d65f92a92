// `odette rollout`: starts rollouts, shows what failed and why; replays stand in a file of their own.
import type { Command } from 'commander';
import { findBlueprint } from './blueprints.ts';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { idsOf } from './device-reference.ts';
import { CliError, EXIT } from './exits.ts';
import type { ResponseOf } from './odette-client.ts';
import { addReplays } from './replays.ts';
import { table, type Line } from './table.ts';

interface StartOptions extends JsonOption {
  readonly blueprint?: string;
  readonly reason?: string;
}

export function addRollouts(program: Command, line: CommandLine): void {
  const rollout = program.command('rollout').description('starts, lists and replays rollouts');
  jsonCommand(
    rollout,
    'start',
    'asks devices what they have and sends what is missing, without waiting for the daily check',
  )
    .argument('[device...]', 'serial numbers, names, UDIDs or ids')
    .option('--blueprint <name>', 'all devices of a blueprint')
    .option('--reason <text>', 'shown in the activity log')
    .action(async (devices: string[], options: StartOptions) => {
      if (devices.length > 0 === (options.blueprint !== undefined))
        throw new CliError(EXIT.usage, 'Name devices, or a blueprint with --blueprint.');
      const odette = await line.connect();
      const body = {
        ...(options.blueprint === undefined
          ? { deviceIds: await idsOf(odette, devices) }
          : { blueprintId: (await findBlueprint(odette, options.blueprint)).id }),
        ...(options.reason !== undefined && { reason: options.reason }),
      };
      const started = await odette.call('post /api/rollouts', { body });
      line.show(options, started, () => [`Started for ${plural(started.devices, 'device')}.`]);
    });
  jsonCommand(
    rollout,
    'failures',
    'lists why rollouts failed, with the number of devices and what to do',
  ).action(async (options: JsonOption) => {
    const groups = await (await line.connect()).call('get /api/rollouts/failures');
    line.show(options, groups, () => failureLines(groups.items));
  });
  addReplays(rollout, line);
}

function failureLines(groups: ResponseOf<'get /api/rollouts/failures'>['items']): Line[] {
  if (groups.length === 0) return ['No rollout has failed.'];
  const rows = groups.map(({ failure, devices, examples }) => [
    failure.code,
    String(devices),
    examples.map(({ name, serialNumber, id }) => name ?? serialNumber ?? id).join(', '),
    failure.remedy,
  ]);
  return [
    ...table(['CAUSE', 'DEVICES', 'E.G.', 'REMEDY'], rows),
    '',
    'Replay: odette rollout replay --failed --cause CAUSE',
  ];
}
