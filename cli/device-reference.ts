// Finds the device that a person means: by id, serial number, UDID or name.
import { CliError, EXIT } from './exits.ts';
import type { ResponseOf, OdetteClient } from './odette-client.ts';
import { isUuid } from '../domain/uuid.ts';

export type Device = ResponseOf<'get /api/devices'>['items'][number];

const CANDIDATES = 50;

/** @throws CliError when none or several are meant */
export async function findDevice(odette: OdetteClient, text: string): Promise<Device> {
  const { items } = await odette.call('get /api/devices', { query: { search: text, limit: CANDIDATES } });
  const named = items.filter((device) => namesOf(device).includes(text.toLowerCase()));
  // An id is no name; a Mac's UDID looks like one.
  if (named.length === 0 && isUuid(text))
    return odette.call('get /api/devices/{id}', { params: { id: text } });
  const [only, another] = named;
  if (only && !another) return only;
  const close = (another ? named : items).slice(0, 5).map(describe);
  throw new CliError(
    EXIT.failed,
    another ? `Several devices are named ${text}.` : `There is no device ${text}.`,
    close.length === 0 ? 'See `odette devices`.' : `Did you mean: ${close.join('; ')}?`,
  );
}

/** Of each device named, in the order given. */
export async function idsOf(odette: OdetteClient, devices: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const text of devices) ids.push((await findDevice(odette, text)).id);
  return ids;
}

const namesOf = ({ id, serialNumber, udid, name }: Device): string[] =>
  [id, serialNumber, udid, name].filter((one) => one !== null).map((one) => one.toLowerCase());

const describe = ({ name, serialNumber, id }: Device): string =>
  `${name ?? 'unnamed'} (${serialNumber ?? id})`;
