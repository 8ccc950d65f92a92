// `odette channel`: other MDM servers by which devices are reached. Keys come from files, never from the command line.
import { Option, type Command } from 'commander';
import { CHANNEL_WORDS } from '../domain/channel-words.ts';
import { MAX_ADOPTED_AT_ONCE, OTHER_CHANNEL_KINDS } from '../domain/device-channel.ts';
import { findBlueprint } from './blueprints.ts';
import { collect, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { readGiven, readSecret } from './given-file.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

type Channel = ResponseOf<'get /api/channels/{id}'>;

interface ChannelOptions extends JsonOption {
  readonly kind?: string;
  readonly label?: readonly string[];
  readonly url?: string;
  readonly apiKeyFile?: string;
  readonly webhookKeyFile?: string;
  readonly blueprint?: string;
}

export function addChannels(program: Command, line: CommandLine): void {
  const channel = program
    .command('channel')
    .description('other MDM servers (NanoMDM, Fleet) through which Odette reaches devices');
  jsonCommand(channel, 'list', 'lists channels with their last contact and what needs you').action(
    async (options: JsonOption) => {
      const response = await (await line.connect()).call('get /api/channels');
      line.show(options, response, () =>
        table(['NAME', 'KIND', 'URL', 'DEVICES', 'LAST CONTACT', 'NEEDS YOU'], response.items.map(rowOf)),
      );
    },
  );
  jsonCommand(
    channel,
    'kinds',
    'shows what each kind of channel can and cannot do; contacts no server',
  ).action((options: JsonOption) => {
    const kinds = Object.entries(CHANNEL_WORDS).map(([kind, words]) => ({ kind, ...words }));
    line.show(options, { items: kinds }, () =>
      table(
        ['KIND', 'NAME', 'CAN', 'CANNOT'],
        kinds.map(({ kind, name, can, cannot }) => [kind, name, can, cannot]),
      ),
    );
  });
  addCreate(channel, line);
  addChange(channel, line);
  addTest(channel, line);
  addAdopt(channel, line);
  jsonCommand(channel, 'delete', 'removes a channel that has no devices')
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findChannel(odette, name);
      await odette.call('delete /api/channels/{id}', { params: { id } });
      line.show(options, { deleted: id }, () => [`Removed channel ${name}.`]);
    });
}

function addCreate(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'create', 'adds a NanoMDM or Fleet server after verifying its URL and API key')
    .argument('<name>', 'its name; no other channel may have it')
    .requiredOption('--url <url>', 'base URL of its API')
    .requiredOption(
      '--api-key-file <file>',
      'file with the value of the NanoMDM flag -api, or with the Fleet API token; - is standard input',
    )
    .addOption(
      new Option('--kind <kind>', 'the kind of server').choices([...OTHER_CHANNEL_KINDS]).default('nanomdm'),
    )
    .option('--webhook-key-file <file>', 'file with the value of the NanoMDM flag -webhook-hmac-key')
    .option(
      '--blueprint <name>',
      'blueprint for devices that come through this channel; for Fleet, for hosts that you adopt',
    )
    .option('--label <label=blueprint>', LABEL_HELP, collect)
    .action(async (name: string, options: ChannelOptions) => {
      const odette = await line.connect();
      const made = await odette.call('post /api/channels', {
        body: await wishOf(odette, name, options, line),
      });
      line.show(options, made, () => [`Added channel ${made.name}.`, ...nextStepsOf(made)]);
    });
}

const LABEL_HELP = 'Fleet: hosts with this label become devices of this blueprint (may be repeated)';

async function wishOf(odette: OdetteClient, name: string, options: ChannelOptions, line: CommandLine) {
  const { kind, url = '', apiKeyFile = '', webhookKeyFile, blueprint, label } = options;
  const common = {
    name,
    url,
    ...(blueprint !== undefined && { blueprintId: (await findBlueprint(odette, blueprint)).id }),
  };
  if (kind === 'fleet') {
    refuseOption(webhookKeyFile, '--webhook-key-file', 'Fleet sends no webhooks.');
    const labels = await labelsOf(odette, label ?? []);
    return { kind, ...common, apiKey: await readSecret(apiKeyFile, line.terminal), labels } as const;
  }
  refuseOption(label, '--label', 'NanoMDM has no labels.');
  if (webhookKeyFile === undefined)
    throw new CliError(EXIT.failed, 'A NanoMDM server needs --webhook-key-file.');
  return {
    kind: 'nanomdm',
    ...common,
    apiKey: await readSecret(apiKeyFile, line.terminal),
    webhookKey: await readSecret(webhookKeyFile, line.terminal),
  } as const;
}

function refuseOption(given: unknown, option: string, why: string): void {
  if (given !== undefined) throw new CliError(EXIT.failed, `${option} cannot be used here. ${why}`);
}

/** `Okta Verify=Everybody`: a label may have blanks, and the last sign counts. */
async function labelsOf(odette: OdetteClient, given: readonly string[]) {
  const labels: { label: string; blueprintId: string }[] = [];
  for (const text of given) {
    const at = text.lastIndexOf('=');
    if (at < 1) throw new CliError(EXIT.failed, `Write --label LABEL=BLUEPRINT, not ${text}.`);
    const { id: blueprintId } = await findBlueprint(odette, text.slice(at + 1));
    labels.push({ label: text.slice(0, at), blueprintId });
  }
  return labels;
}

function nextStepsOf({ kind, name, webhookUrl, labels, server }: Channel): string[] {
  if (kind === 'nanomdm')
    return [
      'Start NanoMDM with:',
      `  -webhook-url ${webhookUrl ?? '(set ODETTE_PUBLIC_URL first)'}`,
      '  -webhook-hmac-key, with the key of the file',
    ];
  const said = server === null ? [] : [`Connected to Fleet ${server.version} (${server.tier}).`];
  const taken =
    labels.length === 0
      ? `Adopt its devices: odette channel adopt ${name} FILE`
      : `Hosts with a label (${labels.map(({ label }) => label).join(', ')}) become devices within five minutes.`;
  return [...said, taken, `Check for conflicts: odette channel test ${name}`];
}

function addChange(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'change', 'changes a channel; a new URL needs the API key again')
    .argument('<name>', 'its name or id')
    .option('--url <url>', 'base URL of its API')
    .option(
      '--api-key-file <file>',
      'file with the value of the NanoMDM flag -api, or with the Fleet API token; - is standard input',
    )
    .option('--webhook-key-file <file>', 'file with the value of the NanoMDM flag -webhook-hmac-key')
    .option('--blueprint <name>', 'blueprint for devices that come through this channel')
    .option('--label <label=blueprint>', `${LABEL_HELP}; replaces all current labels`, collect)
    .action(async (name: string, options: ChannelOptions) => {
      const odette = await line.connect();
      const { id } = await findChannel(odette, name);
      const { url, apiKeyFile, webhookKeyFile, blueprint, label } = options;
      const changed = await odette.call('patch /api/channels/{id}', {
        params: { id },
        body: {
          ...(url !== undefined && { url }),
          ...(apiKeyFile !== undefined && { apiKey: await readSecret(apiKeyFile, line.terminal) }),
          ...(webhookKeyFile !== undefined && {
            webhookKey: await readSecret(webhookKeyFile, line.terminal),
          }),
          ...(blueprint !== undefined && { blueprintId: (await findBlueprint(odette, blueprint)).id }),
          ...(label !== undefined && { labels: await labelsOf(odette, label) }),
        },
      });
      line.show(options, changed, () => [`Changed channel ${changed.name}.`]);
    });
}

function addTest(channel: Command, line: CommandLine): void {
  jsonCommand(
    channel,
    'test',
    'verifies the URL and API key again, and checks for conflicts with Okta Device Trust',
  )
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findChannel(odette, name);
      const said = await odette.call('post /api/channels/{id}/test', { params: { id } });
      line.show(options, said, () => [
        said.server === null
          ? 'The server responds.'
          : `The server responds: ${said.server.version}, ${said.server.tier}.`,
        ...(said.findings.length === 0 ? ['No conflicts found.'] : []),
        ...said.findings.flatMap(({ title, remedy, profile }) => [
          profile === null ? title : `${title} (${profile})`,
          `  ${remedy}`,
        ]),
      ]);
    });
  jsonCommand(channel, 'read', 'reads the devices of a Fleet server now instead of within five minutes')
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findChannel(odette, name);
      await odette.call('post /api/channels/{id}/read', { params: { id } });
      line.show(options, { reading: id }, () => [`Odette is reading the devices of ${name}.`]);
    });
}

function addAdopt(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'adopt', 'adopts devices that are enrolled in the other server')
    .argument('<name>', 'name or id of the channel')
    .argument(
      '<file>',
      'file with their UDIDs (for Fleet, also serial numbers), one per line; - is standard input',
    )
    .action(async (name: string, file: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findChannel(odette, name);
      const text = (await readGiven(file, line.terminal)).toString('utf8');
      const udids = text.split(/\s+/).filter((udid) => udid !== '');
      const sum = { asked: 0, taken: 0, known: 0, refused: [] as string[] };
      for (let from = 0; from < udids.length; from += MAX_ADOPTED_AT_ONCE) {
        const body = { udids: udids.slice(from, from + MAX_ADOPTED_AT_ONCE) };
        const said = await odette.call('post /api/channels/{id}/devices', { params: { id }, body });
        sum.asked += said.asked;
        sum.taken += said.taken;
        sum.known += said.known;
        sum.refused.push(...said.refused);
      }
      line.show(options, sum, () => [
        `${plural(sum.taken, 'device')} adopted, ${sum.asked} asked to identify themselves, ${sum.known} already known or already asked.`,
        ...(sum.refused.length === 0 ? [] : [`Not managed by the other server: ${sum.refused.join(', ')}`]),
      ]);
    });
}

export async function findChannel(odette: OdetteClient, text: string): Promise<Channel> {
  const { items } = await odette.call('get /api/channels');
  const found = items.find(({ id, name }) => id === text || name === text);
  if (found) return found;
  const names = items.map(({ name }) => name).join(', ');
  throw new CliError(
    EXIT.failed,
    `There is no channel ${text}.`,
    names === '' ? 'Add one: odette channel create NAME' : `Channels: ${names}.`,
  );
}

const rowOf = ({ name, kind, url, devices, lastWebhookAt, readAt, problem, findings }: Channel): string[] => {
  const contactAt = kind === 'fleet' ? readAt : lastWebhookAt;
  const needs = [...(problem ? [problem.title] : []), ...findings.map(({ title }) => title)];
  return [
    name,
    kind,
    url,
    String(devices),
    contactAt === null ? 'never' : moment(contactAt),
    needs.length === 0 ? '–' : needs.join(' '),
  ];
};
