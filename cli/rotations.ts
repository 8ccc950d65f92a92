// `odette rotate`: rotates a secret of an integration: what it takes, its start, the word that it is set in Okta, how far it is.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { readSecret } from './given-file.ts';
import { findIntegration } from './integration-reference.ts';
import type { ResponseOf } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';
import { showOrWatch, watchable, type WatchOptions } from './watch.ts';

type Rotation = ResponseOf<'get /api/rotations/{id}'>;
type Plan = ResponseOf<'get /api/integrations/{id}/rotation-plans'>['items'][number];

interface IntegrationOption extends JsonOption {
  readonly integration?: string;
}
interface StartOptions extends IntegrationOption {
  readonly valueFile?: string;
}

const KINDS = ['client_secret', 'private_key', 'challenge_password', 'ios_secret_key'] as const;

export function addRotations(program: Command, line: CommandLine): void {
  const rotate = program
    .command('rotate')
    .description('rotates a secret of an integration without a gap where Okta allows it');
  const ofIntegration = (usage: string, description: string) =>
    jsonCommand(rotate, usage, description).option(
      '--integration <name>',
      'the Okta tenant: its name or host; needed if several are connected',
    );
  ofIntegration('plan', 'shows what each rotation takes: steps in Okta, devices, time, exposure').action(
    async (options: IntegrationOption) => {
      const odette = await line.connect();
      const { id } = await findIntegration(odette, options.integration);
      const plans = await odette.call('get /api/integrations/{id}/rotation-plans', { params: { id } });
      line.show(options, plans, () => plans.items.flatMap(planLines));
    },
  );
  ofIntegration('start <secret>', `starts the rotation of one of ${KINDS.join(', ')}`)
    .addOption(
      new Option(
        '--value-file <file>',
        'a file with the new value, or - for standard input; not for private_key',
      ),
    )
    .action(async (kind: string, options: StartOptions) => {
      const known = KINDS.find((each) => each === kind);
      if (known === undefined) throw new CliError(EXIT.usage, `Name one of ${KINDS.join(', ')}.`);
      const odette = await line.connect();
      const { id } = await findIntegration(odette, options.integration);
      const value =
        options.valueFile === undefined ? undefined : await readSecret(options.valueFile, line.terminal);
      const body = { kind: known, ...(value !== undefined && { value }) };
      const started = await odette.call('post /api/integrations/{id}/rotations', { params: { id }, body });
      line.show(options, started, () => [
        ...(started.secretKey === null
          ? []
          : [
              'The new key; Odette shows it only once. In Okta choose “Use existing key”:',
              started.secretKey,
            ]),
        ...rotationLines(started.rotation),
      ]);
    });
  addOrder(rotate, line, 'commit', 'confirms that the new key is set in Okta: Odette uses it from now on');
  addOrder(rotate, line, 'abandon', 'abandons a rotation before the new key is in use');
  watchable(jsonCommand(rotate, 'show', 'shows the progress of a rotation'))
    .argument('<id>', 'from `odette rotate list`')
    .action((id: string, options: WatchOptions) =>
      showOrWatch(line, options, (odette) => odette.call('get /api/rotations/{id}', { params: { id } }), {
        linesOf: rotationLines,
        isUnderWay: ({ status }) => ['trying', 'switching', 'pushing', 'proving'].includes(status),
      }),
    );
  ofIntegration('list', 'lists the rotations of an integration').action(
    async (options: IntegrationOption) => {
      const odette = await line.connect();
      const { id } = await findIntegration(odette, options.integration);
      const found = await odette.call('get /api/integrations/{id}/rotations', { params: { id } });
      line.show(options, found, () => listLines(found.items));
    },
  );
}

function addOrder(
  rotate: Command,
  line: CommandLine,
  order: 'commit' | 'abandon',
  description: string,
): void {
  jsonCommand(rotate, order, description)
    .argument('<id>', 'from `odette rotate list`')
    .action(async (id: string, options: JsonOption) => {
      const odette = await line.connect();
      const after = await odette.call('post /api/rotations/{id}/orders', { params: { id }, body: { order } });
      line.show(options, after, () => rotationLines(after));
    });
}

const planLines = ({ kind, title, steps, exposure, impact }: Plan): string[] => [
  `${title} (${kind})`,
  ...steps.map((step, place) => `  ${place + 1}. ${step}`),
  `  Exposure: ${exposure}`,
  impact === null
    ? '  Odette sends nothing to devices.'
    : `  Sends to ${plural(impact.devices, 'iPhone or iPad', 'iPhones and iPads')}: at least ${plural(impact.pushes, 'push', 'pushes')}, about ${plural(Math.max(1, impact.minutes), 'minute')} if they are awake.`,
  '',
];

function rotationLines({
  id,
  kind,
  status,
  text,
  failure,
  publicJwk,
  orders,
  fleetRolloutId,
  provenBy,
}: Rotation): string[] {
  return [
    `${kind}: ${text}`,
    ...(failure === null ? [] : [`${failure.title} ${failure.remedy}`]),
    ...(publicJwk === null || orders.length === 0
      ? []
      : ['Public key for Okta:', JSON.stringify(publicJwk, null, 2)]),
    ...(provenBy === null ? [] : [`Proven by the first sign-in on ${provenBy}.`]),
    ...(fleetRolloutId === null
      ? []
      : [
          `Devices: odette fleet-rollout show ${fleetRolloutId}`,
          status === 'pushing'
            ? `Not yet: odette fleet-rollout devices ${fleetRolloutId} --state begun`
            : `Not reached: odette fleet-rollout devices ${fleetRolloutId} --state failed`,
        ]),
    ...(orders.length > 0
      ? orders.map((order) => `odette rotate ${order} ${id}`)
      : [`odette rotate show ${id} --watch`]),
  ];
}

function listLines(items: readonly Rotation[]): Line[] {
  if (items.length === 0) return ['No rotation of this integration yet.'];
  const rows = items.map(({ startedAt, kind, status, startedBy, id }) => [
    moment(startedAt),
    kind,
    status,
    startedBy,
    id,
  ]);
  return table(['STARTED', 'SECRET', 'STATUS', 'BY', 'ID'], rows);
}
