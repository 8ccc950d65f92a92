// `odette device renew`, `move`, `remove` and `forget`: what may be asked of devices by name.
import type { Command } from 'commander';
import { findBlueprint } from './blueprints.ts';
import { confirm, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findDevice, idsOf } from './device-reference.ts';
import { readGiven } from './given-file.ts';

const WHICH = 'serial numbers, names, UDIDs or ids';

interface AskOptions extends JsonOption {
  readonly reason?: string;
}

export function addDeviceRequests(device: Command, line: CommandLine): void {
  jsonCommand(device, 'renew', 'gives Macs a new certificate now')
    .argument('<device...>', WHICH)
    .option('--reason <text>', 'shown in the activity log')
    .action(async (names: string[], { reason, ...options }: AskOptions) => {
      const odette = await line.connect();
      const body = { action: 'renew' as const, ids: await idsOf(odette, names), ...given(reason) };
      const asked = await odette.call('post /api/devices/requests', { body });
      line.show(options, asked, () => [
        `A new certificate is on its way to ${plural(asked.devices, 'Mac')}.`,
      ]);
    });
  jsonCommand(device, 'move', 'moves devices to another blueprint')
    .argument('<device...>', WHICH)
    .requiredOption('--blueprint <name>', 'its name or id')
    .option('--reason <text>', 'shown in the activity log')
    .action(
      async (names: string[], { reason, blueprint, ...options }: AskOptions & { blueprint: string }) => {
        const odette = await line.connect();
        const { id, name } = await findBlueprint(odette, blueprint);
        const ids = await idsOf(odette, names);
        const body = { action: 'move' as const, ids, blueprintId: id, ...given(reason) };
        const asked = await odette.call('post /api/devices/requests', { body });
        line.show(options, asked, () => [`Moved ${plural(asked.devices, 'device')} to ${name}.`]);
      },
    );
  jsonCommand(
    device,
    'remove',
    'removes devices from their blueprint; Odette then removes what it sent for that blueprint',
  )
    .argument('<device...>', WHICH)
    .option('--reason <text>', 'shown in the activity log')
    .option('--yes', 'do not ask for confirmation')
    .action(async (names: string[], { reason, yes, ...options }: AskOptions & { yes?: true }) => {
      const odette = await line.connect();
      const ids = await idsOf(odette, names);
      const { devices, startsInMinutes } = await odette.call('post /api/devices/removals', {
        body: { ids, preview: true },
      });
      const when = `in ${plural(startsInMinutes, 'minute')}`;
      if (!yes)
        await confirm(
          line.terminal,
          `Odette removes profiles and app configuration from ${plural(devices, 'device')} ${when}. Continue?`,
        );
      const removed = await odette.call('post /api/devices/removals', { body: { ids, ...given(reason) } });
      line.show(options, removed, () => [
        `Removed from their blueprint: ${plural(removed.devices, 'device')}. Odette removes the payloads ${when}; \`odette device move\` undoes this.`,
      ]);
    });
  jsonCommand(device, 'ask-okta', 'asks Okta now whether a device is managed; does not contact the device')
    .argument('<device>', 'serial number, name, UDID or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id, serialNumber } = await findDevice(odette, name);
      const asked = await odette.call('post /api/devices/{id}/ask-okta', { params: { id } });
      line.show(options, asked, () => [
        'Odette asks Okta now, and again within five minutes.',
        `See the result: odette device show ${serialNumber ?? id}`,
      ]);
    });
  addRecordChanges(device, line);
}

/** What changes Odette's record of one device, and sends nothing to it. */
function addRecordChanges(device: Command, line: CommandLine): void {
  for (const decision of ['allow', 'refuse'] as const)
    jsonCommand(
      device,
      `${decision}-return`,
      decision === 'allow'
        ? 'allows a device to enroll again within a day although its earlier enrollment has not ended'
        : 'refuses to let a device enroll again',
    )
      .argument('<device>', 'serial number, name, UDID or id')
      .option('--reason <text>', 'shown in the activity log')
      .action(async (name: string, { reason, ...options }: AskOptions) => {
        const odette = await line.connect();
        const { id } = await findDevice(odette, name);
        const decided = await odette.call('post /api/devices/{id}/return', {
          params: { id },
          body: { decision, ...given(reason) },
        });
        line.show(options, decided, () => [
          decision === 'allow' ? 'Allowed for 24 hours: the device enrolls with any code.' : 'Refused.',
        ]);
      });
  jsonCommand(device, 'set-user', "sets a device's user: the login in Okta")
    .argument('<device>', 'serial number, name, UDID or id')
    .argument('[login]', 'leave it out to remove the user')
    .action(async (name: string, login: string | undefined, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findDevice(odette, name);
      const changed = await odette.call('patch /api/devices/{id}', {
        params: { id },
        body: { user: login ?? null },
      });
      line.show(options, changed, () => [
        changed.user === null ? 'The device has no user.' : `The user is ${changed.user}.`,
      ]);
    });
  jsonCommand(device, 'set-users', 'sets the users of many devices from CSV: all lines, or none')
    .argument(
      '<file>',
      'columns id, udid or serialNumber, and user; a line without user changes nothing; - is standard input',
    )
    .option('--preview', 'only check and count')
    .action(async (file: string, { preview, ...options }: JsonOption & { preview?: true }) => {
      const csv = (await readGiven(file, line.terminal)).toString('utf8');
      const body = { csv, ...(preview && { preview }) };
      const set = await (await line.connect()).call('post /api/devices/users', { body });
      line.show(options, set, () => [
        `${preview ? 'Would change' : 'Changed'} the user of ${plural(set.changed, 'device')}; ${set.unchanged} unchanged.`,
      ]);
    });
  jsonCommand(device, 'forget', 'deletes the record of a device that left or is unreachable')
    .argument('<device>', 'serial number, name, UDID or id')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { id } = await findDevice(odette, name);
      await odette.call('delete /api/devices/{id}', { params: { id } });
      line.show(options, { forgotten: id }, () => ['Deleted.']);
    });
}

const given = (reason: string | undefined) => (reason === undefined ? {} : { reason });
