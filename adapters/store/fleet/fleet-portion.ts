// A portion of what a filter finds, for an action on all of it: those devices to which the action does something, in the order of their
// ids, so that the next portion begins where one ended, whatever has become of the devices meanwhile.
import type { Sql } from '../base/database.ts';
import { ENROLLED } from '../devices/enrolled.ts';
import { where } from './fleet-list.ts';
import { readFilter, type FleetFilter } from './fleet-filter.ts';

/** What is asked of the devices; `moveTo` is a blueprint. */
export type FleetAction = 'check' | 'renew' | 'replay' | { readonly moveTo: string };

export interface FleetPortion {
  /** Undefined: all that the filter finds. */
  readonly action?: FleetAction;
  /** The last device of the portion before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

const NEEDS = {
  check: `device.${ENROLLED}`,
  replay: `device.${ENROLLED}`,
  renew: `device.platform = 'macOS' and exists (select from device_scope as scope where scope.device_id = device.id and scope.is_in_scope)`,
} as const;

export async function listFleetPortion(
  sql: Sql,
  filter: FleetFilter,
  { action, after, limit }: FleetPortion,
): Promise<string[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const wanted = action === 'replay' ? ofFailed(filter) : filter;
  const { rest, postFilter, search, expiry } = readFilter(wanted, bind);
  const conditions = [
    ...rest,
    ...postFilter,
    ...(search ? [`(${search.map(({ condition }) => condition).join(' or ')})`] : []),
    ...(expiry ? [expiry.condition] : []),
    ...(after === undefined ? [] : [`list.device_id > ${bind(after)}::uuid`]),
    ...(typeof action === 'string' ? [NEEDS[action]] : []),
    ...(typeof action === 'object'
      ? [`device.blueprint_id is distinct from ${bind(action.moveTo)}::uuid`]
      : []),
  ];
  const rows = await sql.query<{ id: string }>(
    `select list.device_id as id from fleet_list as list join devices as device on device.id = list.device_id
      ${where(conditions)} order by list.device_id limit ${bind(limit)}`,
    values,
  );
  return rows.map(({ id }) => id);
}

/** Of a filter that leaves failed rollouts out nothing is left. */
const ofFailed = (filter: FleetFilter): FleetFilter => ({
  ...filter,
  phase: (filter.phase ?? ['failed']).filter((phase) => phase === 'failed'),
});
