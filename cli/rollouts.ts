// `odette rollout`: starts rollouts, shows what failed and why, replays it.
import type { Command } from 'commander';
import { findBlueprint } from './blueprints.ts';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findDevice } from './device-reference.ts';
import { CliError, EXIT } from './exits.ts';
import type { Answer, Body, OdetteClient } from './odette-client.ts';
import { table } from './terminal.ts';

type Replay = Answer<'post /api/rollouts/replay'>;
type ReplayBody = Body<'post /api/rollouts/replay'>;
type Cause = NonNullable<ReplayBody['failureCode']>;

interface StartOptions extends JsonOption {
  readonly blueprint?: string;
  readonly reason?: string;
}

interface ReplayOptions extends JsonOption {
  readonly failed?: true;
  readonly cause?: string;
  readonly preview?: true;
  readonly reason?: string;
}

export function addRollouts(program: Command, line: CommandLine): void {
  const rollout = program.command('rollout').description('bringing devices to their desired state');
  jsonCommand(rollout, 'start', 'checks what devices have and brings what is missing')
    .argument('[device...]', 'serial numbers, names, UDIDs or ids')
    .option('--blueprint <name>', 'all devices of a blueprint')
    .option('--reason <text>', 'kept in the audit trail')
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
  jsonCommand(
    rollout,
    'replay',
    'starts failed rollouts again; what is on the device already is not sent again',
  )
    .argument('[device...]', 'serial numbers, names, UDIDs or ids')
    .option('--failed', 'all that failed')
    .option('--cause <code>', 'with --failed: only those that failed for this cause')
    .option('--preview', 'only say what would be sent')
    .option('--reason <text>', 'kept in the audit trail')
    .action(async (devices: string[], options: ReplayOptions) => {
      if (devices.length > 0 === (options.failed ?? false))
        throw new CliError(EXIT.usage, 'Name devices, or say --failed.');
      if (options.cause !== undefined && !options.failed)
        throw new CliError(EXIT.usage, '--cause goes with --failed.');
      const odette = await line.connect();
      const which = options.failed
        ? (await causes(odette, options.cause)).map((failureCode) => ({ failureCode }))
        : [{ deviceIds: await idsOf(odette, devices) }];
      const replay = await replayAll(odette, which, options);
      line.show(options, replay, () => replayLines(replay, options.preview ?? false));
    });
}

const idsOf = async (odette: OdetteClient, devices: readonly string[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const text of devices) ids.push((await findDevice(odette, text)).id);
  return ids;
};

/** One cause is taken as given: Odette knows its catalogue. */
async function causes(odette: OdetteClient, cause: string | undefined): Promise<Cause[]> {
  if (cause !== undefined) return [cause as Cause];
  const { items } = await odette.call('get /api/rollouts/failures');
  return items.map(({ failure }) => failure.code);
}

async function replayAll(
  odette: OdetteClient,
  which: readonly Pick<ReplayBody, 'deviceIds' | 'failureCode'>[],
  { preview, reason }: ReplayOptions,
): Promise<Replay> {
  const all: Replay = {
    devices: 0,
    lacking: { delivered: 0, certificatePresent: 0, oktaVerifyManaged: 0 },
  };
  for (const one of which) {
    const body = { ...one, preview: preview ?? false, ...(reason !== undefined && { reason }) };
    const { devices, lacking } = await odette.call('post /api/rollouts/replay', { body });
    all.devices += devices;
    all.lacking.delivered += lacking.delivered;
    all.lacking.certificatePresent += lacking.certificatePresent;
    all.lacking.oktaVerifyManaged += lacking.oktaVerifyManaged;
  }
  return all;
}

function replayLines({ devices, lacking }: Replay, isPreview: boolean): string[] {
  if (devices === 0) return ['No rollout has failed.'];
  return [
    `${isPreview ? 'Would start again' : 'Started again'} for ${plural(devices, 'device')}.`,
    `Still lacking: profiles on ${lacking.delivered}, a certificate on ${lacking.certificatePresent}, Okta Verify on ${lacking.oktaVerifyManaged}.`,
  ];
}

function failureLines(groups: Answer<'get /api/rollouts/failures'>['items']): string[] {
  if (groups.length === 0) return ['No rollout has failed.'];
  const rows = groups.map(({ failure, devices, examples }) => [
    failure.code,
    String(devices),
    examples.map(({ name, serialNumber, id }) => name ?? serialNumber ?? id).join(', '),
    failure.todo,
  ]);
  return [
    ...table(['CAUSE', 'DEVICES', 'E.G.', 'TO DO'], rows),
    '',
    'Replay: odette rollout replay --failed --cause CAUSE',
  ];
}
