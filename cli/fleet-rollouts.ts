// `odette fleet-rollout`: changes that reach more than 20 devices in waves; how far each is, which device has what, and orders.
import { Option, type Command } from 'commander';
import { confirm, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';
import { showOrWatch, watchable, type WatchOptions } from './watch.ts';

type FleetRollout = ResponseOf<'get /api/fleet-rollouts/{id}'>;
type Order = FleetRollout['orders'][number];
type Member = ResponseOf<'get /api/fleet-rollouts/{id}/devices'>['items'][number];

interface OrderOptions extends JsonOption {
  readonly reason?: string;
  readonly yes?: true;
}

export function addFleetRollouts(program: Command, line: CommandLine): void {
  const command = program
    .command('fleet-rollout')
    .description('changes that reach more than 20 devices: a canary first, then waves of growing size');
  watchable(jsonCommand(command, 'list', 'lists the changes under way and those of the last 30 days')).action(
    (options: WatchOptions) =>
      showOrWatch(line, options, (odette) => odette.call('get /api/fleet-rollouts'), {
        linesOf: ({ items }) => listLines(items),
        isUnderWay: ({ items }) => items.some(isUnderWay),
      }),
  );
  watchable(jsonCommand(command, 'show', 'shows the progress of a change'))
    .argument('<id>', 'from `odette fleet-rollout list`')
    .action((id: string, options: WatchOptions) =>
      showOrWatch(
        line,
        options,
        (odette) => odette.call('get /api/fleet-rollouts/{id}', { params: { id } }),
        {
          linesOf: shownLines,
          isUnderWay,
        },
      ),
    );
  jsonCommand(command, 'devices', 'lists the devices of a change with their state')
    .argument('<id>', 'from `odette fleet-rollout list`')
    .addOption(
      new Option('--state <state>', 'only devices in this state').choices([
        'waiting',
        'begun',
        'completed',
        'failed',
        'left',
        'overtaken',
      ]),
    )
    .action(async (id: string, options: JsonOption & { readonly state?: Member['state'] }) => {
      const items = await members(await line.connect(), id, options.state);
      line.show(options, { items }, () => memberLines(items));
    });
  addOrder(command, line, 'pause', 'starts no further device; devices under way continue');
  addOrder(
    command,
    line,
    'resume',
    'continues after a pause or a halt; earlier failures no longer halt the change',
  );
  addOrder(
    command,
    line,
    'all-at-once',
    'starts all other devices at once, without waves and without a halt',
  );
  addOrder(command, line, 'abort', 'ends the change: devices that have not started stay as they are');
}

/** What is paused or was halted waits for a person. */
const isUnderWay = ({ status }: FleetRollout): boolean => status === 'running';

const ORDERS = { pause: 'pause', resume: 'resume', 'all-at-once': 'all_at_once', abort: 'abort' } as const;

function addOrder(command: Command, line: CommandLine, name: keyof typeof ORDERS, description: string): void {
  const order: Order = ORDERS[name];
  const asks = name === 'all-at-once' || name === 'abort';
  const added = jsonCommand(command, name, description)
    .argument('<id>', 'from `odette fleet-rollout list`')
    .option('--reason <text>', 'shown in the activity log');
  if (asks) added.option('--yes', 'do not ask for confirmation');
  added.action(async (id: string, { reason, yes, ...options }: OrderOptions) => {
    const odette = await line.connect();
    const params = { id };
    if (asks && !yes) {
      const { counts } = await odette.call('get /api/fleet-rollouts/{id}', { params });
      await confirm(line.terminal, question(name, counts));
    }
    const body = { order, ...(reason !== undefined && { reason }) };
    const after = await odette.call('post /api/fleet-rollouts/{id}/orders', { params, body });
    line.show(options, after, () => shownLines(after));
  });
}

const question = (
  name: 'all-at-once' | 'abort' | string,
  { waiting, begun, completed }: FleetRollout['counts'],
): string =>
  name === 'abort'
    ? `${plural(completed, 'device keeps', 'devices keep')} the change, ${begun} under way continue, ${waiting} stay as they are. Abort?`
    : `${plural(waiting, 'device starts', 'devices start')} at once. Continue?`;

async function members(
  odette: OdetteClient,
  id: string,
  state: Member['state'] | undefined,
): Promise<Member[]> {
  const items: Member[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const query = { limit: 500, ...(state !== undefined && { state }), ...(after && { after }) };
    const page = await odette.call('get /api/fleet-rollouts/{id}/devices', { params: { id }, query });
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

function listLines(items: readonly FleetRollout[]): Line[] {
  if (items.length === 0) return ['No change has reached more than 20 devices in the last 30 days.'];
  const rows = items.map(({ startedAt, reason, status, counts, devices, id }) => [
    moment(startedAt),
    reason,
    status,
    `${counts.completed} of ${devices}`,
    String(counts.failed),
    id,
  ]);
  return table(['STARTED', 'CHANGE', 'STATUS', 'COMPLETED', 'FAILED', 'ID'], rows);
}

function shownLines({ reason, text, counts, waves, canaryBlueprint, orders, id }: FleetRollout): string[] {
  const { completed, failed, begun, waiting, left, overtaken } = counts;
  return [
    `${reason}: ${text}`,
    `Completed ${completed}, failed ${failed}, under way ${begun}, waiting ${waiting}, left unchanged ${left}, superseded ${overtaken}.`,
    ...(waves.length > 0
      ? [`Waves: ${waves.join(', ')}${canaryBlueprint === null ? '' : ` (canary: ${canaryBlueprint})`}`]
      : []),
    ...orders.map((order) => `odette fleet-rollout ${order === 'all_at_once' ? 'all-at-once' : order} ${id}`),
  ];
}

function memberLines(items: readonly Member[]): Line[] {
  if (items.length === 0) return ['No such devices.'];
  const rows = items.map(({ device, state, wave, failure }) => [
    device.name ?? device.serialNumber ?? device.id,
    device.serialNumber ?? '–',
    state,
    wave === null ? '–' : String(wave),
    failure?.title ?? '',
  ]);
  return table(['DEVICE', 'SERIAL', 'STATE', 'WAVE', 'FAILURE'], rows);
}
