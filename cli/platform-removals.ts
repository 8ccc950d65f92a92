// `odette removal`: a platform or a whole integration leaves Odette: who would be locked out, payloads in waves, a stop, the way back.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { findIntegration } from './integration-reference.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';
import { moment } from './terminal.ts';
import { showOrWatch, watchable, type WatchOptions } from './watch.ts';

type Removal = ResponseOf<'get /api/removals/{id}'>;
type Preview = ResponseOf<'post /api/integrations/{id}/removals/preview'>;

interface StartOptions extends JsonOption {
  readonly integration?: string;
  readonly platform?: 'macOS' | 'iOS';
  readonly confirm?: string;
  readonly policyLifted?: true;
  readonly preview?: true;
  readonly reason?: string;
}

const ACTIONS = [
  ['stop', 'stop', 'stops a removal: no further device loses its payloads'],
  ['resume', 'resume', 'resumes a stopped removal'],
  ['all-at-once', 'all_at_once', 'removes the payloads from all devices at once'],
  ['undo', 'undo', 'undoes a removal that has not finished: Odette sends the payloads again'],
] as const;

export function addPlatformRemovals(program: Command, line: CommandLine): void {
  const removal = program
    .command('removal')
    .description('removes a platform, or a whole Okta tenant, from Odette and its devices');
  jsonCommand(removal, 'start', 'starts after the removal delay; first shows who would be locked out')
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .addOption(
      new Option('--platform <platform>', 'only this platform; without it, the whole tenant').choices([
        'macOS',
        'iOS',
      ]),
    )
    .option('--confirm <text>', 'the text that the preview shows')
    .option(
      '--policy-lifted',
      'confirm that no policy in Okta requires managed devices for these users any more',
    )
    .option('--preview', 'change nothing, only show what would happen')
    .option('--reason <text>', 'shown in the activity log')
    .action((options: StartOptions) => start(options, line));
  watchable(jsonCommand(removal, 'list', 'shows removals and their progress')).action(
    (options: WatchOptions) =>
      showOrWatch(line, options, (odette) => odette.call('get /api/removals'), {
        linesOf: ({ items }) => (items.length === 0 ? ['No removals.'] : items.flatMap(linesOf)),
        isUnderWay: ({ items }) => items.some(({ status }) => status === 'removing'),
      }),
  );
  for (const [name, action, description] of ACTIONS)
    jsonCommand(removal, name, description)
      .argument('[removal]', 'its id, if several are under way')
      .action(async (id: string | undefined, options: JsonOption) => {
        const odette = await line.connect();
        const changed = await odette.call('post /api/removals/{id}/actions', {
          params: { id: id ?? (await onlyOne(odette)) },
          body: { action },
        });
        line.show(options, changed, () => linesOf(changed));
      });
}

async function start(options: StartOptions, line: CommandLine): Promise<void> {
  const odette = await line.connect();
  const { id } = await findIntegration(odette, options.integration);
  const platform = options.platform ?? null;
  const preview = await odette.call('post /api/integrations/{id}/removals/preview', {
    params: { id },
    body: { platform },
  });
  if (options.preview) return line.show(options, preview, () => previewLines(preview));
  if (options.confirm === undefined || !options.policyLifted)
    throw new CliError(
      EXIT.unfinished,
      previewLines(preview).join('\n'),
      `Run the command again with --policy-lifted --confirm '${preview.confirmation}'.`,
    );
  const begun = await odette.call('post /api/integrations/{id}/removals', {
    params: { id },
    body: {
      platform,
      confirmation: options.confirm,
      policyIsLifted: true,
      ...(options.reason !== undefined && { reason: options.reason }),
    },
  });
  line.show(options, begun, () => linesOf(begun));
}

async function onlyOne(odette: OdetteClient): Promise<string> {
  const { items } = await odette.call('get /api/removals');
  const [one, another] = items.filter(({ finishedAt }) => finishedAt === null);
  if (one && !another) return one.id;
  throw new CliError(
    EXIT.usage,
    one ? 'Several removals are under way.' : 'No removal is under way.',
    'odette removal list',
  );
}

const previewLines = ({
  devices,
  usersLosingTrust,
  usersLosingTrustTotal: total,
  asOf,
  startsInMinutes,
}: Preview) => [
  `Odette removes the payloads from ${plural(devices.macOS, 'Mac')} and ${plural(devices.iOS, 'iPhone or iPad', 'iPhones and iPads')}, starting in ${plural(startsInMinutes, 'minute')}.`,
  asOf === null
    ? 'Odette has not read all devices from Okta yet, so it does not know who would be locked out.'
    : `${plural(total, 'user')} would be locked out by a policy that requires managed devices, as of ${moment(asOf)}.`,
  ...usersLosingTrust.map((login) => `  ${login}`),
];

const linesOf = (removal: Removal): string[] => {
  const { id, integration, platform, status, startsAt, left, taken, done, failed, silent } = removal;
  return [
    `${integration.host}${platform === null ? '' : `, ${platform}`}: ${status} (${id})`,
    status === 'waiting'
      ? `  Starts ${moment(startsAt)}; until then, \`odette removal undo\` cancels it without touching any device.`
      : `  ${done} of ${plural(taken + left, 'device')} done, ${failed} failed, ${silent} have not checked in since.`,
  ];
};
