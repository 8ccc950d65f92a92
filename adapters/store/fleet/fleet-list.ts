// Which devices a page of the list shows, and in which order: read along an index that fits the filter, so that a page of a million
// devices costs what a page of a hundred does. Never an offset, never a count over the fleet.
import type { Sql } from '../base/database.ts';
import { readFilter, type FleetFilter, type Range, type IndexPath } from './fleet-filter.ts';

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

/**
 * So many are found and sorted sooner than a walk along another order is sure to meet a page of them. What a search finds may all stand at
 * one end of another order (the user is in the name); ends of certificates are spread over all of them. An estimate of the planner decides.
 */
const FEW = { search: 100_000, expiry: 20_000 };

/** The column that a page is sorted by. */
export const keyOf = (sort: FleetSort): string => SORTS[sort].key;

export async function planFleetPage(
  sql: Sql,
  filter: FleetFilter,
  page: FleetPage,
  most: Readonly<typeof FEW> = FEW,
): Promise<FleetQuery> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const { indexPath, rest, postFilter, search, expiry } = readFilter(filter, bind);
  const { key, type } = SORTS[page.sort];
  const sign = page.order === 'asc' ? '>' : '<';
  // As a query of its own: of a value that it sees the planner believes that nothing is beyond the last one, though many rows may share it,
  // and walks along an index of the order alone.
  const cursor =
    page.after && ([`(select ${bind(page.after.value)}::${type})`, `${bind(page.after.id)}::uuid`] as const);
  const limit = bind(page.limit);
  const inOrder = `order by key ${page.order}, device_id ${page.order} limit ${limit}`;
  const found = (conditions: readonly string[]) =>
    `select list.device_id, list.${key} as key from fleet_list as list ${where(conditions)}`;

  /** Found first, then sorted; `offset 0`, because the planner would rather walk along the wanted order and hope. */
  const few = (conditions: readonly string[]): string => {
    const beyond = cursor ? [`(key, device_id) ${sign} (${cursor.join(', ')})`] : [];
    return `select device_id, key from (${found([...conditions, ...rest, ...postFilter])} offset 0) as few ${where(beyond)} ${inOrder}`;
  };
  const walk = (conditions: readonly string[], own?: Range): string => {
    const bounds = boundsOf(indexPath, { key, order: page.order, cursor, own });
    const walked = `${found([...bounds, ...conditions, ...rest])} order by list.${key} ${page.order}, list.device_id ${page.order} limit ${limit}`;
    if (indexPath.from === undefined) return walked;
    return `select device_id, key from ${indexPath.from} cross join lateral (${walked}) as page ${inOrder}`;
  };
  const byRange = async (range: Range, bound: number, others: readonly string[]): Promise<string> => {
    if (range.column === key) return walk(others, range);
    const isFew = (await estimate(sql, range, values)) <= bound;
    return isFew ? few([range.condition, ...others]) : walk([range.scanCondition, ...others]);
  };

  if (filter.ids !== undefined) {
    const either = search ? [`(${search.map(({ condition }) => condition).join(' or ')})`] : [];
    return { text: few([...either, ...(expiry ? [expiry.condition] : [])]), values };
  }
  if (search !== undefined) {
    const branches = await Promise.all(
      search.map((range) => byRange(range, most.search, expiry ? [expiry.scanCondition] : [])),
    );
    const text = branches.map((branch) => `(${branch})`).join(' union ');
    return { text: `select device_id, key from (${text}) as branch ${inOrder}`, values };
  }
  return { text: await (expiry ? byRange(expiry, most.expiry, []) : walk([])), values };
}

interface ScanBounds {
  readonly key: string;
  readonly order: 'asc' | 'desc';
  /** Value and id of the last row of the page before. */
  readonly cursor: readonly [string, string] | undefined;
  /** The range of the key itself that the filter wants. */
  readonly own: Range | undefined;
}

/**
 * Where a walk begins and ends. What it is within is an equality, so that the rows come in the wanted order by themselves; each end is one
 * comparison, for of several on one column the index would use one to find its place and walk through the rest.
 */
function boundsOf({ keys, values }: IndexPath, { key, order, cursor, own }: ScanBounds): string[] {
  const within = keys.map((name, place) => `list.${name} = ${values[place]}`);
  const from = own?.from === undefined ? [] : [`list.${key} >= ${own.from}`];
  const to = own === undefined ? [] : [`list.${key} < ${own.to}`];
  if (cursor === undefined) return [...within, ...from, ...to];
  const [value, id] = cursor;
  // A cursor outside the range begins where the range does.
  const beyond = (sign: string, limit: string | undefined, outside: string) =>
    limit === undefined
      ? `(list.${key}, list.device_id) ${sign} (${value}, ${id})`
      : `(list.${key}, list.device_id) ${sign} (case when ${value} ${outside} ${limit} then ${limit} else ${value} end,
          case when ${value} ${outside} ${limit} then '${LEAST_ID}'::uuid else ${id} end)`;
  return order === 'asc'
    ? [...within, beyond('>', own?.from, '<'), ...to]
    : [...within, beyond('<', own?.to, '>='), ...from];
}
const LEAST_ID = '00000000-0000-0000-0000-000000000000';

/** How many rows the planner expects of a range. It asks for all values of the query, so that they keep their places. */
async function estimate(sql: Sql, range: Range, values: readonly unknown[]): Promise<number> {
  const used = [...range.condition.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place));
  const places = [...new Set(used)];
  const condition = range.condition.replaceAll(
    /\$(\d+)/g,
    (_, place: string) => `$${places.indexOf(Number(place)) + 1}`,
  );
  const [row] = await sql.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `explain (format json) select from fleet_list as list where ${condition}`,
    places.map((place) => values[place - 1]),
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

export const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
