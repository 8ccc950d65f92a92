// `odette devices` and `odette device`: the list, and one device with its five truths and what it waits for.
import { Option, type Command } from 'commander';
import { collect, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { findBlueprint } from './blueprints.ts';
import { findChannel } from './channels.ts';
import { addDeviceRequests } from './device-requests.ts';
import { findDevice, type Device } from './device-reference.ts';
import type { Given, ResponseOf, OdetteClient } from './odette-client.ts';
import { STEP_COMMANDS } from './step-commands.ts';
import { DEVICE_FAMILIES } from '../domain/device.ts';
import { BUCKETS } from '../domain/trust-bucket.ts';
import { table, type Line } from './table.ts';
import { moment, type Tone } from './terminal.ts';
import { showOrWatch, watchable, type WatchOptions } from './watch.ts';

type Detail = ResponseOf<'get /api/devices/{id}'>;

const TONES: Readonly<Record<Device['bucket'], Tone | undefined>> = {
  trusted: 'good',
  in_progress: undefined,
  needs_user: 'waits',
  needs_you: 'bad',
  unreachable: 'waits',
  left: 'past',
  out_of_scope: 'past',
};
const PAGE = 500;

interface ListOptions extends WatchOptions {
  readonly bucket?: (typeof BUCKETS)[number][];
  readonly family?: (typeof DEVICE_FAMILIES)[number][];
  readonly search?: string;
  readonly cause?: string[];
  readonly blueprint?: string[];
  readonly channel?: string[];
}

export function addDevices(program: Command, line: CommandLine): void {
  watchable(
    jsonCommand(program, 'devices', 'lists devices with their state and what each one is waiting for'),
  )
    .addOption(choice('--bucket <state>', 'only devices in this state (may be repeated)', BUCKETS))
    .addOption(choice('--family <family>', 'only devices of this family (may be repeated)', DEVICE_FAMILIES))
    .option('--search <text>', "only devices whose serial number, name or user's login begins with this text")
    .option(
      '--cause <cause>',
      'only devices with this failure or obstacle, e.g. mdm.profile_refused or user_unknown (may be repeated)',
      collect,
    )
    .option('--blueprint <name>', 'only devices of this blueprint, by name or id (may be repeated)', collect)
    .option(
      '--channel <name>',
      "only devices of this channel, by name or id; built_in: Odette's own server (may be repeated)",
      collect,
    )
    .action(async ({ json, watch, cause = [], blueprint = [], channel = [], ...filter }: ListOptions) => {
      const look = async (odette: OdetteClient) => ({
        items: await listAll(odette, {
          ...filter,
          ...causesOf(cause),
          ...(blueprint.length > 0 && {
            blueprintId: await Promise.all(
              blueprint.map(async (name) => (await findBlueprint(odette, name)).id),
            ),
          }),
          ...(channel.length > 0 && {
            channel: await Promise.all(channel.map((name) => channelId(odette, name))),
          }),
        }),
      });
      await showOrWatch(line, { ...(json && { json }), ...(watch && { watch }) }, look, {
        linesOf: ({ items }) => listLines(items),
        isUnderWay: ({ items }) => items.some(({ bucket }) => bucket === 'in_progress'),
      });
    });
  const device = program.command('device').description('shows or changes devices');
  watchable(
    jsonCommand(
      device,
      'show',
      'shows what is proven about a device and the evidence, its certificates, and what it is waiting for',
    ),
  )
    .argument('<device>', 'serial number, name, UDID or id')
    .action(async (text: string, options: WatchOptions) => {
      const look = async (odette: OdetteClient) => {
        const { id } = await findDevice(odette, text);
        return odette.call('get /api/devices/{id}', { params: { id } });
      };
      await showOrWatch(line, options, look, {
        linesOf: detailLines,
        isUnderWay: ({ bucket }) => bucket === 'in_progress',
      });
    });
  jsonCommand(device, 'responses', 'lists the last responses of a device that Odette could not read')
    .argument('<device>', 'serial number, name, UDID or id')
    .option('--print <id>', 'prints the response with this id as the device sent it')
    .action(async (text: string, { print, ...options }: JsonOption & { print?: string }) => {
      const odette = await line.connect();
      const { id } = await findDevice(odette, text);
      const found = await odette.call('get /api/devices/{id}/unreadable-responses', { params: { id } });
      line.show(options, found, () => responseLines(found.items, print));
    });
  addDeviceRequests(device, line);
}

const channelId = async (odette: OdetteClient, name: string): Promise<string> =>
  name === 'built_in' ? name : (await findChannel(odette, name)).id;

const choice = (flags: string, description: string, choices: readonly string[]): Option => {
  const option = new Option(flags, description).choices(choices);
  const check = option.parseArg;
  return option.argParser((value: string, before: string[] | undefined) => {
    check?.(value, undefined as never);
    return collect(value, before);
  });
};

type Filter = NonNullable<Given<'get /api/devices'>['query']>;

/** Codes of failures have a dot, what stands in the way beside them has none; the server knows which there are. */
function causesOf(causes: readonly string[]): Filter {
  const failureCode = causes.filter((cause) => cause.includes('.')) as NonNullable<Filter['failureCode']>;
  const obstacle = causes.filter((cause) => !cause.includes('.')) as NonNullable<Filter['obstacle']>;
  return {
    ...(failureCode.length > 0 && { failureCode }),
    ...(obstacle.length > 0 && { obstacle }),
  };
}

async function listAll(odette: OdetteClient, filter: Filter): Promise<Device[]> {
  const found: Device[] = [];
  for (let after: string | undefined; ;) {
    const page = await odette.call('get /api/devices', {
      query: { ...filter, limit: PAGE, ...(after !== undefined && { after }) },
    });
    found.push(...page.items);
    if (page.next === null) return found;
    after = page.next;
  }
}

function listLines(devices: readonly Device[]): Line[] {
  if (devices.length === 0) return ['No devices.'];
  const rows = devices.map((device) => [
    device.name ?? '–',
    `${device.serialNumber ?? '–'}${device.sharesSerialNumber ? ' (shared)' : ''}`,
    device.family,
    device.user ?? '–',
    device.bucket.replaceAll('_', ' '),
    stepText(device),
  ]);
  return [
    ...table(
      ['NAME', 'SERIAL', 'FAMILY', 'USER', 'STATE', 'NEXT STEP'],
      rows,
      devices.map(({ bucket }) => TONES[bucket]),
    ),
    '',
    plural(devices.length, 'device'),
  ];
}

/** In the words of its page; nothing for a device that waits for nothing. */
const stepText = ({ nextStep }: Device): string =>
  nextStep.text === 'Nothing pending.' ? '' : nextStep.text;

const OWNERS = {
  nobody: 'No action needed',
  user: 'User: action required',
  you: 'Action required',
} as const;

function stepLines(device: Detail): string[] {
  const { nextStep, serialNumber, id } = device;
  const command = nextStep.action === null ? undefined : STEP_COMMANDS[nextStep.action](serialNumber ?? id);
  return [
    `${OWNERS[device.nextStep.owner]}: ${device.nextStep.text}`,
    ...(command === undefined ? [] : [`  Then: ${command}`]),
  ];
}

function detailLines(device: Detail): Line[] {
  const about: [string, string | null][] = [
    ['Serial number', device.serialNumber],
    ['UDID', device.udid],
    [
      'Model',
      [device.modelName, device.model, device.osVersion].filter((one) => one !== null).join(', ') || null,
    ],
    ['User', device.user],
    ['Blueprint', device.blueprint?.name ?? null],
    ['Channel', [device.channel.name, device.channel.cannot].filter((one) => one !== null).join('. ')],
    ['Enrollment', `${device.enrollmentStatus}, last contact ${moment(device.lastContactAt)}`],
    ['Id', device.id],
  ];
  return [
    `${device.name ?? device.serialNumber ?? device.udid}: ${device.bucket.replaceAll('_', ' ')}`,
    ...stepLines(device),
    ...failureLines(device),
    ...twinLines(device),
    ...oktaLines(device),
    '',
    ...about.flatMap(([label, value]) => (value === null ? [] : [`${`${label}:`.padEnd(16)}${value}`])),
    '',
    ...table(
      ['TRUTH', 'STATE', 'HELD SINCE', 'SOURCE', 'AT', 'EVIDENCE'],
      device.evidence.map(({ truth, state, since, source, at, evidence }) => [
        truth,
        state === 'not_applicable' ? 'n/a' : state.replaceAll('_', ' '),
        moment(since),
        source ?? '–',
        moment(at),
        evidence,
      ]),
    ),
    ...certificateLines(device),
    ...(device.temporalUrl === null ? [] : ['', `In Temporal: ${device.temporalUrl}`]),
  ];
}

type UnreadableResponse = ResponseOf<'get /api/devices/{id}/unreadable-responses'>['items'][number];

function responseLines(responses: readonly UnreadableResponse[], print: string | undefined): Line[] {
  if (print !== undefined) {
    const wanted = responses.find(({ id }) => id === print);
    if (!wanted)
      throw new CliError(EXIT.usage, `Odette has no stored response from this device with the id ${print}.`);
    return [Buffer.from(wanted.body, 'base64').toString('utf8')];
  }
  if (responses.length === 0) return ['No unreadable responses.'];
  const rows = responses.map(({ id, at, reason, body }) => [
    moment(at),
    String(Buffer.byteLength(body, 'base64')),
    reason,
    id,
  ]);
  return table(['AT', 'BYTES', 'REASON', 'ID'], rows);
}

const failureLines = ({ failure, deviceError }: Detail): string[] =>
  failure === null
    ? []
    : [
        `Failed: ${failure.title} (${failure.code})`,
        ...(deviceError === null
          ? []
          : [
              `  ${deviceError.subject} (${deviceError.requestType}): ${deviceError.text ?? 'The device gave no reason.'}`,
            ]),
      ];

const twinLines = ({ serialNumberTwins }: Detail): string[] =>
  serialNumberTwins.flatMap(({ id, name, bucket, lastContactAt, mayBeRetired }) => [
    `Same serial number: ${name ?? id}, ${bucket.replaceAll('_', ' ')}, last contact ${moment(lastContactAt)}`,
    mayBeRetired
      ? `  Remedy: if its logic board was replaced, odette device forget ${id}`
      : '  Remedy: both check in. If one is a clone, give it its own serial number.',
  ]);

const oktaLines = ({ oktaFinding }: Detail): string[] =>
  oktaFinding === null || oktaFinding.owner === 'nobody'
    ? []
    : [
        `Okta: ${oktaFinding.evidence}`,
        ...(oktaFinding.remedy === null ? [] : [`  To do: ${oktaFinding.remedy}`]),
      ];

function certificateLines({ certificates }: Detail): Line[] {
  const rows = certificates
    .filter(({ state }) => state === 'sent' || state === 'proven')
    .map((one) => [
      `${one.scope} ${one.slot}`,
      one.state,
      one.serialNumber ?? '–',
      moment(one.notBefore),
      moment(one.notAfter),
      one.use,
    ]);
  return rows.length === 0
    ? []
    : ['', ...table(['CERTIFICATE', 'STATE', 'SERIAL', 'FROM', 'UNTIL', 'USED'], rows)];
}
