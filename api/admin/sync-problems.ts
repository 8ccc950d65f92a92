// Integrations whose devices were not read from Okta for some time: since when, why, and whom it endangers.
import type { Sql } from '../../adapters/store/base/database.ts';
import { readTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import { listIntegrations } from '../../adapters/store/integration/integrations.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import { FAILURES, failureCodeOf } from '../../domain/failures.ts';
import { integrationSettingsOf } from '../../domain/integration-settings.ts';
import { lateAfterMs, lateSyncText } from '../../domain/okta-sync.ts';

export async function syncProblems(sql: Sql, now = new Date()) {
  const problems: { integrationId: string; text: string; since: Date }[] = [];
  const { byIntegration } = await readTotals(sql);
  for (const { id, name, settings, createdAt } of await listIntegrations(sql)) {
    const { sweptAt, failingSince, failureCode } = await findOktaReads(sql, id);
    const { trustSweepMinutes } = integrationSettingsOf(settings);
    if (now.getTime() - (sweptAt ?? createdAt).getTime() <= lateAfterMs(trustSweepMinutes)) continue;
    const totals = byIntegration.get(id);
    const text = lateSyncText({
      name,
      sweptAt,
      cause: failureCode === null ? null : FAILURES[failureCodeOf(failureCode)].title,
      managed: totals?.devices.managed ?? 0,
      waiting: totals?.buckets.needs_user ?? 0,
    });
    problems.push({ integrationId: id, text, since: failingSince ?? sweptAt ?? createdAt });
  }
  return problems;
}

/** What counts of Okta are as of: the oldest last whole sweep; null: one integration has not been read, or there is none. */
export async function syncedAt(sql: Sql): Promise<Date | null> {
  const integrations = await listIntegrations(sql);
  const swept = await Promise.all(integrations.map(async ({ id }) => (await findOktaReads(sql, id)).sweptAt));
  const known = swept.filter((each) => each !== null);
  if (known.length === 0 || known.length < swept.length) return null;
  return new Date(Math.min(...known.map((each) => each.getTime())));
}
