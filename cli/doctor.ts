// `odette doctor`: why devices are not managed in Okta, each cause with its evidence and its remedy.
import type { Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findDevice } from './device-reference.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';

type Examined = ResponseOf<'get /api/doctor'>['items'][number];
type Diagnosis = Examined['diagnoses'][number];

export function addDoctor(program: Command, line: CommandLine): void {
  jsonCommand(program, 'doctor', 'shows why a device, or every device in scope, is not managed in Okta')
    .argument('[device]', 'serial number, name, UDID or id; if omitted, all devices that are not trusted')
    .action(async (text: string | undefined, options: JsonOption) => {
      const odette = await line.connect();
      if (text === undefined) {
        const items = await examineAll(odette);
        line.show(options, { items }, () => fleetLines(items));
        return;
      }
      const { id, name, serialNumber } = await findDevice(odette, text);
      const found = await odette.call('get /api/devices/{id}/doctor', { params: { id } });
      line.show(options, found, () => deviceLines(found.items, serialNumber ?? name ?? id));
    });
}

async function examineAll(odette: OdetteClient): Promise<Examined[]> {
  const found: Examined[] = [];
  for (let after: string | undefined; ;) {
    const page = await odette.call('get /api/doctor', { query: { ...(after !== undefined && { after }) } });
    found.push(...page.items);
    if (page.next === null) return found;
    after = page.next;
  }
}

function deviceLines(diagnoses: readonly Diagnosis[], device: string): string[] {
  if (diagnoses.length === 0) return ['Nothing found.'];
  return diagnoses.flatMap((one) => [
    one.title,
    `  Evidence: ${one.evidence}`,
    `  To do:    ${one.remedy}`,
    ...commandLines(one, device),
  ]);
}

function commandLines({ action }: Diagnosis, device: string): string[] {
  if (action === null || action === 'take_user_over') return [];
  return [`  Then:     odette device ${action} ${/\s/.test(device) ? JSON.stringify(device) : device}`];
}

/** By cause, the most frequent first. */
function fleetLines(items: readonly Examined[]): string[] {
  if (items.length === 0) return ['Every device in scope is trusted.'];
  const groups = new Map<string, { readonly diagnosis: Diagnosis; readonly devices: string[] }>();
  for (const { device, diagnoses } of items)
    for (const diagnosis of diagnoses) {
      const group = groups.get(diagnosis.cause) ?? { diagnosis, devices: [] };
      groups.set(diagnosis.cause, group);
      group.devices.push(device.name ?? device.serialNumber ?? device.id);
    }
  const unexplained = items.filter(({ diagnoses }) => diagnoses.length === 0).length;
  return [
    `${plural(items.length, 'device')} not trusted.`,
    ...[...groups.values()]
      .sort((one, other) => other.devices.length - one.devices.length)
      .flatMap(({ diagnosis, devices }) => [
        '',
        `${devices.length}  ${diagnosis.title}`,
        `  ${devices.slice(0, 5).join(', ')}${devices.length > 5 ? ', …' : ''}`,
        `  To do: ${diagnosis.remedy}`,
      ]),
    ...(unexplained === 0 ? [] : ['', `${unexplained} without a known cause: see \`odette device show\`.`]),
  ];
}
