// `odette channel`: other MDM servers by which devices are reached. Keys come from files, never from the command line.
import type { Command } from 'commander';
import { findBlueprint } from './blueprints.ts';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { readGiven, readSecret } from './given-file.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

type Channel = ResponseOf<'get /api/channels/{id}'>;

interface ChannelOptions extends JsonOption {
  readonly url?: string;
  readonly apiKeyFile?: string;
  readonly webhookKeyFile?: string;
  readonly blueprint?: string;
}

/** What the API takes of UDIDs at once. */
const PORTION = 200;

export function addChannels(program: Command, line: CommandLine): void {
  const channel = program
    .command('channel')
    .description('other MDM servers (NanoMDM) by which Odette reaches devices');
  jsonCommand(channel, 'list', 'lists them, with the address for their webhooks').action(
    async (options: JsonOption) => {
      const response = await (await line.connect()).call('get /api/channels');
      line.show(options, response, () =>
        table(['NAME', 'URL', 'DEVICES', 'LAST WEBHOOK', 'WEBHOOK URL'], response.items.map(rowOf)),
      );
    },
  );
  addCreate(channel, line);
  addChange(channel, line);
  addAdopt(channel, line);
  jsonCommand(channel, 'delete', 'removes a channel by which no device is reached')
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await find(odette, name);
      await odette.call('delete /api/channels/{id}', { params: { id } });
      line.show(options, { deleted: id }, () => [`Channel ${name} is removed.`]);
    });
}

function addCreate(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'create', 'adds a NanoMDM server, once its address and API key are proven')
    .argument('<name>', 'its name; no other channel may have it')
    .requiredOption('--url <url>', 'base of its API')
    .requiredOption('--api-key-file <file>', 'what NanoMDM got as -api; - for standard input')
    .requiredOption('--webhook-key-file <file>', 'what NanoMDM gets as -webhook-hmac-key')
    .option('--blueprint <name>', 'where devices go that come by it')
    .action(async (name: string, options: ChannelOptions) => {
      const odette = await line.connect();
      const { url = '', apiKeyFile = '', webhookKeyFile = '', blueprint } = options;
      const made = await odette.call('post /api/channels', {
        body: {
          kind: 'nanomdm',
          name,
          url,
          apiKey: await readSecret(apiKeyFile, line.terminal),
          webhookKey: await readSecret(webhookKeyFile, line.terminal),
          ...(blueprint !== undefined && { blueprintId: (await findBlueprint(odette, blueprint)).id }),
        },
      });
      line.show(options, made, () => [
        `Channel ${made.name} is added. Start NanoMDM with:`,
        `  -webhook-url ${made.webhookUrl ?? '(set ODETTE_PUBLIC_URL first)'}`,
        '  -webhook-hmac-key, with the key of the file',
      ]);
    });
}

function addChange(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'change', 'changes a channel; another address needs the API key again')
    .argument('<name>', 'its name or id')
    .option('--url <url>', 'base of its API')
    .option('--api-key-file <file>', 'what NanoMDM got as -api; - for standard input')
    .option('--webhook-key-file <file>', 'what NanoMDM gets as -webhook-hmac-key')
    .option('--blueprint <name>', 'where devices go that come by it')
    .action(async (name: string, options: ChannelOptions) => {
      const odette = await line.connect();
      const { id } = await find(odette, name);
      const { url, apiKeyFile, webhookKeyFile, blueprint } = options;
      const changed = await odette.call('patch /api/channels/{id}', {
        params: { id },
        body: {
          ...(url !== undefined && { url }),
          ...(apiKeyFile !== undefined && { apiKey: await readSecret(apiKeyFile, line.terminal) }),
          ...(webhookKeyFile !== undefined && {
            webhookKey: await readSecret(webhookKeyFile, line.terminal),
          }),
          ...(blueprint !== undefined && { blueprintId: (await findBlueprint(odette, blueprint)).id }),
        },
      });
      line.show(options, changed, () => [`Channel ${changed.name} is changed.`]);
    });
}

function addAdopt(channel: Command, line: CommandLine): void {
  jsonCommand(channel, 'adopt', 'asks devices that are enrolled in the other server who they are')
    .argument('<name>', 'name or id of the channel')
    .argument('<file>', 'their UDIDs, one a line; - for standard input')
    .action(async (name: string, file: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await find(odette, name);
      const text = (await readGiven(file, line.terminal)).toString('utf8');
      const udids = text.split(/\s+/).filter((udid) => udid !== '');
      const sum = { asked: 0, known: 0, refused: [] as string[] };
      for (let from = 0; from < udids.length; from += PORTION) {
        const body = { udids: udids.slice(from, from + PORTION) };
        const said = await odette.call('post /api/channels/{id}/devices', { params: { id }, body });
        sum.asked += said.asked;
        sum.known += said.known;
        sum.refused.push(...said.refused);
      }
      line.show(options, sum, () => [
        `${plural(sum.asked, 'device')} asked, ${sum.known} known already or asked before.`,
        ...(sum.refused.length === 0 ? [] : [`The other server does not have: ${sum.refused.join(', ')}`]),
      ]);
    });
}

async function find(odette: OdetteClient, text: string): Promise<Channel> {
  const { items } = await odette.call('get /api/channels');
  const found = items.find(({ id, name }) => id === text || name === text);
  if (found) return found;
  const names = items.map(({ name }) => name).join(', ');
  throw new CliError(
    EXIT.failed,
    `There is no channel ${text}.`,
    names === '' ? 'Add one: odette channel create NAME' : `There are: ${names}.`,
  );
}

const rowOf = ({ name, url, devices, lastWebhookAt, webhookUrl }: Channel): string[] => [
  name,
  url,
  String(devices),
  lastWebhookAt === null ? 'never' : moment(lastWebhookAt),
  webhookUrl ?? '–',
];
