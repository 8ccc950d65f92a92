// `odette rollout replay`, `replays` and `stop`: failed rollouts started again, how far that is, and its end before its time.
import type { Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { idsOf } from './device-reference.ts';
import { CliError, EXIT } from './exits.ts';
import type { ResponseOf, Body, OdetteClient } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';
import { showOrWatch, watchable, type WatchOptions } from './watch.ts';

type Started = ResponseOf<'post /api/rollouts/replay'>;
type ReplayBody = Body<'post /api/rollouts/replay'>;
type Cause = NonNullable<ReplayBody['failureCode']>;
type Replay = ResponseOf<'get /api/replays/{id}'>;

interface ReplayOptions extends JsonOption {
  readonly failed?: true;
  readonly cause?: string;
  readonly preview?: true;
  readonly reason?: string;
}

/** Several causes are several replays, and so are the portions of one with very many devices. */
interface AllStarted extends Omit<Started, 'replayId' | 'next'> {
  readonly replayIds: readonly string[];
}

export function addReplays(rollout: Command, line: CommandLine): void {
  jsonCommand(
    rollout,
    'replay',
    'starts failed rollouts again; Odette sends only what is missing on the device',
  )
    .argument('[device...]', 'serial numbers, names, UDIDs or ids')
    .option('--failed', 'all devices whose rollout failed')
    .option(
      '--cause <code>',
      'with --failed: only those that failed for this cause, a code from `odette rollout failures`',
    )
    .option('--preview', 'start nothing, only show what Odette would send')
    .option('--reason <text>', 'shown in the activity log')
    .action(async (devices: string[], options: ReplayOptions) => {
      if (devices.length > 0 === (options.failed ?? false))
        throw new CliError(EXIT.usage, 'Name devices, or use --failed.');
      if (options.cause !== undefined && !options.failed)
        throw new CliError(EXIT.usage, 'Use --cause together with --failed.');
      const odette = await line.connect();
      const which = options.failed
        ? (await causes(odette, options.cause)).map((failureCode) => ({ failureCode }))
        : [{ deviceIds: await idsOf(odette, devices) }];
      const all = await replayAll(odette, which, options);
      line.show(options, all, () => startedLines(all, options.preview ?? false));
    });
  watchable(
    jsonCommand(rollout, 'replays', 'lists the replays of the last seven days with their progress'),
  ).action((options: WatchOptions) =>
    showOrWatch(line, options, (odette) => odette.call('get /api/replays'), {
      linesOf: ({ items }) => replayLines(items),
      isUnderWay: ({ items }) => items.some(({ waiting, running }) => waiting + running > 0),
    }),
  );
  jsonCommand(
    rollout,
    'stop',
    'stops a replay: rollouts that have not started stay failed, rollouts under way continue',
  )
    .argument('<replay>', 'its id, from `odette rollout replays`')
    .action(async (id: string, options: JsonOption) => {
      const odette = await line.connect();
      const stopped = await odette.call('post /api/replays/{id}/stop', { params: { id } });
      line.show(options, stopped, () => [
        `Stopped: ${plural(stopped.withdrawn, 'device')} left as before, ${stopped.running} under way.`,
      ]);
    });
}

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
): Promise<AllStarted> {
  const started: Started[] = [];
  for (const one of which) {
    const body = { ...one, preview: preview ?? false, ...(reason !== undefined && { reason }) };
    for (let after: string | null | undefined; after !== null; after = started.at(-1)?.next ?? null)
      started.push(
        await odette.call('post /api/rollouts/replay', { body: { ...body, ...(after && { after }) } }),
      );
  }
  const sum = (count: (one: Started) => number) => started.reduce((total, one) => total + count(one), 0);
  return {
    devices: sum(({ devices }) => devices),
    lacking: {
      delivered: sum(({ lacking }) => lacking.delivered),
      certificatePresent: sum(({ lacking }) => lacking.certificatePresent),
      oktaVerifyManaged: sum(({ lacking }) => lacking.oktaVerifyManaged),
    },
    replayIds: started.flatMap(({ replayId }) => (replayId === null ? [] : [replayId])),
  };
}

function startedLines({ devices, lacking }: AllStarted, isPreview: boolean): string[] {
  if (devices === 0) return ['No rollout has failed.'];
  return [
    `${isPreview ? 'Would start again' : 'Started again'} for ${plural(devices, 'device')}.`,
    `Still lacking: profiles on ${lacking.delivered}, a certificate on ${lacking.certificatePresent}, Okta Verify on ${lacking.oktaVerifyManaged}.`,
    ...(isPreview ? [] : ['Progress: odette rollout replays --watch']),
  ];
}

function replayLines(replays: readonly Replay[]): Line[] {
  if (replays.length === 0) return ['No replays in the last seven days.'];
  const rows = replays.map((one) => [
    moment(one.startedAt),
    one.failureCode ?? 'chosen',
    String(one.devices),
    String(one.waiting),
    String(one.running),
    String(one.completed),
    String(one.failed),
    one.stoppedAt === null ? '–' : `${one.withdrawn} left`,
    one.id,
  ]);
  return table(
    ['STARTED', 'CAUSE', 'DEVICES', 'WAITING', 'RUNNING', 'DELIVERED', 'FAILED', 'STOPPED', 'ID'],
    rows,
  );
}
