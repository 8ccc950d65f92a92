// Which devices a page of the list shows, and in which order: read along an index that fits the filter, so that a page of a million
// devices costs what a page of a hundred does. Never an offset, never a count over the fleet.
import type { Sql } from './database.ts';
import { readFilter, type FleetFilter } from './fleet-filter.ts';

/** By the words of the API: the column of the list, and its type for a cursor. */
const SORTS = {
  name: { key: 'name_key', type: 'text collate "C"' },
  serialNumber: { key: 'serial_key', type: 'text collate "C"' },
  user: { key: 'user_key', type: 'text collate "C"' },
  lastContact: { key: 'contact_at', type: 'timestamptz' },
  certificateNotAfter: { key: 'certificate_not_after', type: 'timestamptz' },
  changed: { key: 'changed_at', type: 'timestamptz' },
} as const;
export type FleetSort = keyof typeof SORTS;

export interface FleetPage {
  readonly sort: FleetSort;
  readonly order: 'asc' | 'desc';
  /** The last row of the page before. */
  readonly after?: { readonly value: string; readonly id: string } | undefined;
  readonly limit: number;
}

export interface FleetQuery {
  /** Of the columns `device_id` and `key`, a page of them in order. */
  readonly text: string;
  readonly values: readonly unknown[];
}

export async function planFleetPage(sql: Sql, filter: FleetFilter, page: FleetPage): Promise<FleetQuery> {
  const values: unknown[] = [];
  const give = (value: unknown): string => `$${values.push(value)}`;
  const { key, type } = SORTS[page.sort];
  const isByExpiry = page.sort === 'certificateNotAfter';
  const { way, conditions } = await readFilter(sql, filter, isByExpiry, give);
  const sign = page.order === 'asc' ? '>' : '<';
  const cursor = page.after && `(${give(page.after.value)}::${type}, ${give(page.after.id)}::uuid)`;
  const limit = give(page.limit);
  const beyond = (column: string) =>
    cursor === undefined ? [] : [`(${column}, device_id) ${sign} ${cursor}`];
  const inOrder = (column: string) =>
    `order by ${column} ${page.order}, device_id ${page.order} limit ${limit}`;
  const found = (more: readonly string[]) =>
    `select device_id, ${key} as key from fleet_list as list ${where([...more, ...conditions])}`;
  if (way === 'few')
    // Found first, then sorted: the planner would rather walk along the wanted order and hope.
    return {
      text: `with few as materialized (${found([])}) select device_id, key from few ${where(beyond('key'))} ${inOrder('key')}`,
      values,
    };
  const walk = (more: readonly string[]) => `${found([...more, ...beyond(key)])} ${inOrder(key)}`;
  if (way === 'walk') return { text: walk([]), values };
  return {
    text: `select device_id, key from ${way.from} cross join lateral (${walk([way.fits])}) as page ${inOrder('key')}`,
    values,
  };
}

/** For an action on all that a filter finds: their ids, `limit` at most. */
export async function listFleetIds(sql: Sql, filter: FleetFilter, limit: number): Promise<string[]> {
  const values: unknown[] = [];
  const give = (value: unknown): string => `$${values.push(value)}`;
  const { way, conditions } = await readFilter(sql, filter, false, give);
  const [from, fits] = typeof way === 'string' ? [[], []] : [[way.from], [way.fits]];
  const rows = await sql.query<{ id: string }>(
    `select list.device_id as id from ${[...from, 'fleet_list as list'].join(' cross join ')} ${where([...fits, ...conditions])}
      order by list.device_id limit ${give(limit)}`,
    values,
  );
  return rows.map(({ id }) => id);
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
