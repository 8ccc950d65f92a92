// The filter of the device list, as it stands in the address: short, readable, safe to send to a colleague.
import type { Query } from '../client.ts';
import type { Bucket, Phase, Truth } from '../labels.ts';

type DeviceQuery = NonNullable<Query<'listDevices'>>;
export type DeviceFilter = NonNullable<NonNullable<Query<'exportDevices'>>>;
export type DeviceSort = NonNullable<DeviceQuery['sort']>;

const SORTS: readonly DeviceSort[] = [
  'name',
  'serialNumber',
  'user',
  'lastContact',
  'certificateNotAfter',
  'changed',
];
const LISTS = [
  'bucket',
  'platform',
  'family',
  'blueprint',
  'channel',
  'integration',
  'phase',
  'failure',
  'obstacle',
  'lacks',
] as const;

/** A list is joined with `~`, which no value holds. */
export interface DeviceSearch {
  readonly search?: string;
  readonly bucket?: string;
  readonly platform?: string;
  readonly family?: string;
  readonly blueprint?: string;
  /** Id of a channel, or built_in. */
  readonly channel?: string;
  readonly integration?: string;
  readonly phase?: string;
  readonly failure?: string;
  readonly obstacle?: string;
  readonly lacks?: string;
  /** The certificate ends within so many days. */
  readonly days?: number;
  readonly sort?: DeviceSort;
  readonly order?: 'asc' | 'desc';
  readonly after?: string;
}

export function readDeviceSearch(given: Record<string, unknown>): DeviceSearch {
  const read: Record<string, unknown> = {};
  for (const name of ['search', 'after', ...LISTS])
    if (typeof given[name] === 'string' && given[name] !== '') read[name] = given[name];
    else if (typeof given[name] === 'number') read[name] = String(given[name]);
  const days = Number(given['days']);
  if (Number.isInteger(days) && days > 0 && days <= 3_650) read['days'] = days;
  if (SORTS.includes(given['sort'] as DeviceSort)) read['sort'] = given['sort'];
  if (given['order'] === 'desc') read['order'] = 'desc';
  return read;
}

const split = <Value extends string>(text: string | undefined): Value[] | undefined =>
  text === undefined ? undefined : (text.split('~') as Value[]);

/** Undefined members are left out of the address by the client. */
export function filterOf(search: DeviceSearch, now = new Date()): DeviceFilter {
  const { days } = search;
  const ends = days === undefined ? undefined : new Date(now.setUTCHours(0, 0, 0, 0) + days * 86_400_000);
  const filter: DeviceFilter = {
    search: search.search,
    bucket: split<Bucket>(search.bucket),
    platform: split(search.platform),
    family: split(search.family),
    blueprintId: split(search.blueprint),
    channel: split(search.channel),
    integrationId: split(search.integration),
    phase: split<Phase>(search.phase),
    failureCode: split(search.failure),
    obstacle: split(search.obstacle),
    lacks: split<Truth>(search.lacks),
    certificateExpiresBefore: ends?.toISOString(),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

export const isFiltered = (search: DeviceSearch): boolean => Object.keys(filterOf(search)).length > 0;

export const PAGE_SIZE = 50;
