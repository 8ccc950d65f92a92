// `odette observed-devices`: what Okta says of devices that another MDM server manages, and what would help.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration } from './integration-reference.ts';
import type { ResponseOf } from './odette-client.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

type Device = ResponseOf<'get /api/integrations/{id}/observed-devices'>['items'][number];
type State = Device['state'];

interface ObservedOptions extends JsonOption {
  readonly integration?: string;
  readonly state?: State;
  readonly search?: string;
}

const PAGE = 500;
const STATES: Readonly<Record<State, string>> = {
  managed: 'managed',
  not_managed: 'not managed',
  not_registered: 'not registered',
  suspended: 'suspended',
  deactivated: 'deactivated',
};

export function addObservedDevices(program: Command, line: CommandLine): void {
  jsonCommand(
    program,
    'observed-devices',
    'shows what Okta says about devices that another MDM server manages, and what would help',
  )
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .addOption(new Option('--state <state>', 'only devices in this state').choices(Object.keys(STATES)))
    .option('--search <text>', 'only devices whose name, serial number or login contains this text')
    .action(async (options: ObservedOptions) => {
      const odette = await line.connect();
      const params = { id: (await findIntegration(odette, options.integration)).id };
      const totals = await odette.call('get /api/integrations/{id}/observed-devices/totals', { params });
      const { state, search } = options;
      const devices: Device[] = [];
      for (let after: string | null | undefined; after !== null;) {
        const page = await odette.call('get /api/integrations/{id}/observed-devices', {
          params,
          query: {
            limit: PAGE,
            ...(state !== undefined && { state }),
            ...(search !== undefined && { search }),
            ...(after !== undefined && { after }),
          },
        });
        devices.push(...page.items);
        after = page.next;
      }
      line.show(options, { ...totals, items: devices }, () => {
        if (totals.asOf === null)
          return ['Odette has not read all devices from Okta yet: wait for the first sweep.'];
        const counted = Object.entries(totals.states).flatMap(([name, count]) =>
          count === 0 ? [] : [`${count} ${STATES[name as State]}`],
        );
        return [
          `${plural(totals.devices, 'device')}${counted.length === 0 ? '' : `: ${counted.join(', ')}`}. As of ${moment(totals.asOf)}.`,
          ...(devices.length === 0
            ? []
            : ['', ...table(['NAME', 'USER', 'OKTA', 'WHAT WOULD HELP'], devices.map(rowOf))]),
        ];
      });
    });
}

const rowOf = ({ name, users, state, remedy }: Device): string[] => [
  name,
  users.map(({ login }) => login).join(', '),
  STATES[state],
  remedy ?? '',
];
