// Certificates whose renewal is due for a day, and for which nothing has happened since: their workflow runs by name only.
import type { Sql } from '../adapters/store/base/database.ts';
import { findRenewalProgress } from '../adapters/store/rollout/renewal-progress.ts';
import { findSettings } from '../adapters/store/fleet/sweeps.ts';
import { renewalTime } from '../domain/renewal-policy.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Of these devices those whose workflow has not acted: no command, no delivery and no word of the certificate since it was due. */
export async function findStalledRenewals(
  sql: Sql,
  integrationId: string,
  deviceIds: readonly string[],
): Promise<string[]> {
  const settings = await findSettings(sql, integrationId);
  if (settings === undefined) return [];
  const now = Date.now();
  return (await findRenewalProgress(sql, deviceIds))
    .filter(({ deviceId, notBefore, notAfter, provenAt, actedAt }) => {
      const life = {
        notBeforeMs: notBefore.getTime(),
        notAfterMs: notAfter.getTime(),
        provenAtMs: provenAt.getTime(),
      };
      const dueMs = renewalTime(life, settings, deviceId);
      return now > dueMs + DAY_MS && (actedAt === null || actedAt.getTime() < dueMs);
    })
    .map(({ deviceId }) => deviceId);
}
