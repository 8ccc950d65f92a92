// Devices that stopped calling: nothing happens to them, so nothing else would notice.
import type { Database } from '../adapters/store/base/database.ts';
import { findSilentDevices } from '../adapters/store/devices/enrollments.ts';
import { refreshTrust } from '../activities/refresh-trust.ts';
import { SILENT_AFTER_DAYS } from '../domain/trust-bucket.ts';

const BATCH = 500;

/** Derives the standing of each device that has been silent for too long: it becomes unreachable. Returns how many. */
export async function recordSilentDevices(
  database: Database,
  hasStopped: () => boolean = () => false,
): Promise<number> {
  let noted = 0;
  for (;;) {
    const ids = await findSilentDevices(database, SILENT_AFTER_DAYS, BATCH);
    for (const id of ids) {
      if (hasStopped()) return noted;
      await database.inTransaction((sql) => refreshTrust(sql, id, { now: new Date() }));
      noted += 1;
    }
    if (ids.length < BATCH) return noted;
  }
}
