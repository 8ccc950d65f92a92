// `odette readiness`: who would be locked out if a policy in Okta demanded a managed device now.
import type { Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration } from './integration-reference.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';

type Readiness = ResponseOf<'get /api/integrations/{id}/readiness'>;
type User = ResponseOf<'get /api/integrations/{id}/readiness/users'>['items'][number];

interface ReadinessOptions extends JsonOption {
  readonly csv?: true;
  readonly integration?: string;
}

const PAGE = 500;

export function addReadiness(program: Command, line: CommandLine): void {
  jsonCommand(
    program,
    'readiness',
    'shows who would be locked out if a policy in Okta required a managed device now',
  )
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .option('--csv', 'print the users who would be locked out as CSV')
    .action(async (options: ReadinessOptions) => {
      const odette = await line.connect();
      const { id } = await findIntegration(odette, options.integration);
      if (options.csv) {
        const csv: unknown = await odette.call('get /api/integrations/{id}/readiness/export', {
          params: { id },
        });
        return line.show({}, csv, () => [String(csv).trimEnd()]);
      }
      const readiness = await odette.call('get /api/integrations/{id}/readiness', { params: { id } });
      const lockedOut = await listLockedOut(odette, id);
      line.show(options, { ...readiness, lockedOutUsers: lockedOut }, () => linesOf(readiness, lockedOut));
    });
}

async function listLockedOut(odette: OdetteClient, id: string): Promise<User[]> {
  const found: User[] = [];
  for (let after: string | undefined; ;) {
    const page = await odette.call('get /api/integrations/{id}/readiness/users', {
      params: { id },
      query: { limit: PAGE, ...(after !== undefined && { after }) },
    });
    found.push(...page.items);
    if (page.next === null) return found;
    after = page.next;
  }
}

function linesOf(readiness: Readiness, lockedOut: readonly User[]): Line[] {
  const { asOf, users, ready, devicesWithoutUser, byBlueprint } = readiness;
  if (asOf === null)
    return ['Odette has not read all devices from Okta yet: wait for the first complete sync.'];
  const blueprints = byBlueprint.map((one) => [
    one.blueprint?.name ?? '(no blueprint)',
    String(one.users),
    String(one.ready),
    String(one.lockedOut),
  ]);
  return [
    `${ready} of ${plural(users, 'user')} have a managed device; ${readiness.lockedOut} would be locked out. As of ${moment(asOf)}.`,
    ...(devicesWithoutUser === 0
      ? []
      : [`${plural(devicesWithoutUser, 'device')} without a known user are not counted: set their users.`]),
    '',
    ...table(['BLUEPRINT', 'USERS', 'READY', 'LOCKED OUT'], blueprints),
    ...(lockedOut.length === 0
      ? []
      : [
          '',
          ...table(
            ['WOULD BE LOCKED OUT', 'WHY'],
            lockedOut.map(({ login, reason }) => [login, reason ?? '']),
          ),
        ]),
  ];
}
