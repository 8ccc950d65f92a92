// The sweeps' outside effects: rollouts of what was not verified lately, workflows of certificates that have none.
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { recordPutRight } from '../adapters/store/base/audit.ts';
import { findCertificateHolders, findUnverifiedDevices } from '../adapters/store/library/scope.ts';
import { listOpenFleetRollouts } from '../adapters/store/rollout/fleet-rollout-progress.ts';
import { findSettings } from '../adapters/store/fleet/sweeps.ts';
import { certificateWantedSignal, workflowIds } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { lookAtRun } from './look-at-run.ts';

export interface SweepPage {
  /** The last device of the page; null at the first. */
  readonly after: string | null;
}
export interface SweptPage {
  readonly next: string | null;
  readonly started: number;
}

const PAGE_SIZE = 500;
const CERTIFICATE_PAGE_SIZE = 200;
const HOUR_MS = 60 * 60 * 1000;
/** A device that failed is tried once a day, whatever the integration's numbers say. */
const FAILED_PAUSE_MS = 24 * HOUR_MS;

export function sweepActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /** Starts a rollout for devices that were not verified for so long. */
    async enforcePage(
      input: SweepPage & { readonly integrationId: string; readonly nowMs: number },
    ): Promise<SweptPage> {
      const settings = await findSettings(database, input.integrationId);
      if (settings === undefined) return { next: null, started: 0 };
      if (input.after === null) await restartFleetRollouts(deps, input.integrationId);
      const verifiedBefore = new Date(input.nowMs - settings.verifyAfterHours * HOUR_MS);
      const failedBefore = new Date(input.nowMs - FAILED_PAUSE_MS);
      const ids = await findUnverifiedDevices(
        database,
        input.integrationId,
        { verifiedBefore, failedBefore },
        input.after,
        PAGE_SIZE,
      );
      const runs = await Promise.all(
        ids.map((id) => lookAtRun(deps.temporal, workflowIds.rollout(id), 'rollOutDevice')),
      );
      const replaced = runs.filter((run) => run === 'replaced').length;
      return database.inTransaction(async (sql) => {
        if (replaced > 0) await recordPutRight(sql, `integration:${input.integrationId}`, replaced);
        for (const deviceId of ids)
          await appendOutboxMessage(sql, deviceId, {
            kind: 'rollOutDevice',
            deviceId,
            reason: 'it was not verified lately',
            ifNoneRuns: true,
          });
        return { next: ids.length === PAGE_SIZE ? (ids.at(-1) ?? null) : null, started: ids.length };
      });
    },

    /** Starts the workflow of each certificate that has none. */
    async watchExpiryPage(input: SweepPage & { readonly integrationId: string }): Promise<SweptPage> {
      const { integrationId } = input;
      const ids = await findCertificateHolders(database, integrationId, input.after, CERTIFICATE_PAGE_SIZE);
      const runs = await Promise.all(
        ids.map((id) => lookAtRun(deps.temporal, workflowIds.certificate(id), 'keepCertificate')),
      );
      const orphans = ids.filter((_, index) => runs[index] !== 'running');
      const lost = runs.filter((run) => run === 'ended' || run === 'replaced').length;
      await database.inTransaction(async (sql) => {
        if (lost > 0) await recordPutRight(sql, `integration:${integrationId}`, lost);
        for (const deviceId of orphans)
          await appendOutboxMessage(sql, deviceId, {
            kind: 'keepCertificate',
            deviceId,
            signal: certificateWantedSignal.name,
            body: { integrationId },
          });
      });
      const isLast = ids.length < CERTIFICATE_PAGE_SIZE;
      return { next: isLast ? null : (ids.at(-1) ?? null), started: orphans.length };
    },
  };
}

/** A fleet rollout whose workflow somebody ended in Temporal goes on. */
async function restartFleetRollouts(
  { database, temporal }: ActivityDependencies,
  integrationId: string,
): Promise<void> {
  for (const id of await listOpenFleetRollouts(database, integrationId)) {
    const run = await lookAtRun(temporal, workflowIds.fleet(id), 'rollOutFleet');
    if (run === 'running') continue;
    await database.inTransaction(async (sql) => {
      await recordPutRight(sql, `integration:${integrationId}`, 1);
      await appendOutboxMessage(sql, id, { kind: 'rollOutFleet', fleetRolloutId: id });
    });
  }
}
