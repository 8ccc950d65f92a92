// An action on all that a filter finds is done in portions, each with the place where the next one begins.
import type { Sql } from '../../adapters/store/base/database.ts';
import type { FleetFilter } from '../../adapters/store/fleet/fleet-filter.ts';
import { listFleetPortion, type FleetAction } from '../../adapters/store/fleet/fleet-portion.ts';
import { idCursor, pageOf, readCursor, writeCursor } from '../http/cursors.ts';

export async function listPortion(
  sql: Sql,
  filter: FleetFilter,
  action: FleetAction,
  given: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ ids: readonly string[]; next: string | null }> {
  const after = readCursor(idCursor, given.after)?.[0];
  const ids = await listFleetPortion(sql, filter, { action, after, limit: given.limit + 1 });
  const { shown, next } = pageOf(ids, given.limit, (last) => writeCursor([last]));
  return { ids: shown, next };
}
