// `odette blueprint` and `odette enrollment-code`: groups of devices, and the codes with which devices enroll into them.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findDevice } from './device-reference.ts';
import { CliError, EXIT } from './exits.ts';
import type { ResponseOf, OdetteClient } from './odette-client.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

type Blueprint = ResponseOf<'get /api/blueprints'>['items'][number];

/** By name or id. @throws CliError when there is none */
export async function findBlueprint(odette: OdetteClient, text: string): Promise<Blueprint> {
  const { items } = await odette.call('get /api/blueprints');
  const found = items.find(({ id, name }) => id === text || name === text);
  if (found) return found;
  const names = items.map(({ name }) => name).join(', ');
  throw new CliError(
    EXIT.failed,
    `There is no blueprint ${text}.`,
    names === '' ? 'Create one: odette blueprint create NAME' : `Blueprints: ${names}.`,
  );
}

interface CodeOptions extends JsonOption {
  readonly blueprint: string;
  readonly user?: string;
  readonly device?: string;
  readonly platform?: 'macOS' | 'iOS';
  readonly uses: number;
  readonly hours: number;
}

export function addBlueprints(program: Command, line: CommandLine): void {
  const blueprint = program
    .command('blueprint')
    .description('groups of devices; each device is in one blueprint');
  jsonCommand(blueprint, 'list', 'lists blueprints, with the number of their devices').action(
    async (options: JsonOption) => {
      const response = await (await line.connect()).call('get /api/blueprints');
      line.show(options, response, () =>
        table(
          ['NAME', 'DEVICES', 'OKTA VERIFY', 'ID'],
          response.items.map(({ name, devices, libraryItemId, id }) => [
            name,
            String(devices),
            libraryItemId === null ? '–' : 'assigned',
            id,
          ]),
        ),
      );
    },
  );
  jsonCommand(blueprint, 'create', 'adds a blueprint; an existing one stays as it is')
    .argument('<name>', 'its name; no other blueprint may have it')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const known = (await odette.call('get /api/blueprints')).items.find((one) => one.name === name);
      const made = known ?? (await odette.call('post /api/blueprints', { body: { name } }));
      line.show(options, made, () => [
        `Blueprint ${made.name}: ${known ? 'already exists' : 'added'} (${plural(made.devices, 'device')}, id ${made.id}).`,
      ]);
    });
}

export function addEnrollmentCodes(program: Command, line: CommandLine): void {
  const code = program
    .command('enrollment-code')
    .description('codes that let devices enroll into a blueprint');
  jsonCommand(code, 'create', 'creates a code and its link; Odette shows the code only once')
    .requiredOption('--blueprint <name>', 'the blueprint for its devices: name or id')
    .option('--user <login>', "the user's Okta login; Odette uses it to match iPhones and iPads")
    .option(
      '--device <device>',
      'for this device only: lets it enroll again after it was erased; serial number, name, UDID or id',
    )
    .addOption(
      new Option(
        '--platform <platform>',
        'only for Macs, or only for iPhones and iPads; both if left out',
      ).choices(['macOS', 'iOS']),
    )
    .option('--uses <n>', 'how many devices may enroll with it', wholeNumber, 1)
    .option('--hours <n>', 'hours until it expires', wholeNumber, 168)
    .action(async ({ json, blueprint: name, user, device, platform, uses, hours }: CodeOptions) => {
      const odette = await line.connect();
      const { id } = await findBlueprint(odette, name);
      const body = {
        maxUses: uses,
        expiresInHours: hours,
        ...(user !== undefined && { user }),
        ...(platform !== undefined && { platforms: [platform] }),
        ...(device !== undefined && { forDeviceId: (await findDevice(odette, device)).id }),
      };
      const made = await odette.call('post /api/blueprints/{id}/enrollment-codes', { params: { id }, body });
      line.show({ ...(json && { json }) }, made, () => [
        `Code: ${made.code}`,
        made.link === null
          ? 'Link: none until ODETTE_PUBLIC_URL is set to the address where devices reach Odette'
          : `Link: ${made.link}`,
        `For ${plural(made.maxUses, 'device')} (${platformsText(made.platforms)}), until ${moment(made.expiresAt)}. Odette does not show the code again.`,
      ]);
    });
  jsonCommand(code, 'list', 'lists the codes of a blueprint, without their values')
    .requiredOption('--blueprint <name>', 'its name or id')
    .action(async (options: JsonOption & { blueprint: string }) => {
      const odette = await line.connect();
      const { id } = await findBlueprint(odette, options.blueprint);
      const response = await odette.call('get /api/blueprints/{id}/enrollment-codes', { params: { id } });
      line.show(options, response, () =>
        table(
          ['ID', 'USER', 'FOR', 'USED', 'UNTIL', 'CREATED BY'],
          response.items.map((one) => [
            one.id,
            one.user ?? '–',
            platformsText(one.platforms),
            `${one.uses} of ${one.maxUses}`,
            one.revokedAt === null ? moment(one.expiresAt) : 'revoked',
            one.createdBy,
          ]),
        ),
      );
    });
  jsonCommand(code, 'revoke', 'revokes a code; devices that enrolled with it stay enrolled')
    .argument('<id>', 'its id, from `odette enrollment-code list`')
    .action(async (id: string, options: JsonOption) => {
      await (await line.connect()).call('delete /api/enrollment-codes/{id}', { params: { id } });
      line.show(options, { revoked: id }, () => ['Revoked.']);
    });
}

const platformsText = (platforms: readonly ('macOS' | 'iOS')[]): string => platforms.join(' and ');

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It is not a whole number above 0.');
  return Number(text);
}
