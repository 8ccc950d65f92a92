// The sweeps' outside effects: checks and rollouts of what was not verified lately, workflows of certificates that have none.
import type { Database, Sql } from '../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { appendAudit, recordRestored } from '../adapters/store/base/audit.ts';
import {
  findCertificateHolders,
  findDueDevices,
  findFailedRemovals,
} from '../adapters/store/library/scope.ts';
import { findStalledRenewals } from './stalled-renewals.ts';
import { findSettings } from '../adapters/store/fleet/sweeps.ts';
import { certificateWantedSignal, workflowIds } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { startChecks } from './device-checks.ts';
import { restartUnfinished } from './restart-unfinished.ts';
import { countEnded, findRunning } from './running-workflows.ts';

export interface SweepPage {
  /** The last device of the page; null at the first. */
  readonly after: string | null;
}
export interface SweptPage {
  readonly next: string | null;
  readonly started: number;
}

/** Its devices are woken, paced, while the activity runs. */
const PAGE_SIZE = 200;
const CERTIFICATE_PAGE_SIZE = 200;
const HOUR_MS = 60 * 60 * 1000;
/** A device that failed is tried once a day, whatever the integration's numbers say. */
const FAILED_PAUSE_MS = 24 * HOUR_MS;

export function sweepActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /** Asks devices that were well whether they still are, and starts a rollout for the others whose time it is. */
    async enforcePage(
      input: SweepPage & { readonly integrationId: string; readonly nowMs: number },
    ): Promise<SweptPage> {
      const settings = await findSettings(database, input.integrationId);
      if (settings === undefined) return { next: null, started: 0 };
      const failedBefore = new Date(input.nowMs - FAILED_PAUSE_MS);
      let started = 0;
      if (input.after === null) {
        await restartUnfinished(deps, input.integrationId);
        started += await tryRemovalsAgain(database, failedBefore);
      }
      const now = new Date(input.nowMs);
      const due = await findDueDevices(
        database,
        input.integrationId,
        { now, periodHours: settings.verifyAfterHours, failedBefore },
        input.after,
        PAGE_SIZE,
      );
      const { running, replaced } = await findRunning(
        deps.temporal,
        'rollOutDevice',
        due.map(({ id }) => workflowIds.rollout(id)),
      );
      // A rollout that runs sees to it.
      const idle = due.filter(({ id }) => !running.has(workflowIds.rollout(id)));
      await database.inTransaction(async (sql) => {
        if (replaced > 0) await recordRestored(sql, `integration:${input.integrationId}`, replaced);
        for (const { id, wasWell } of idle)
          if (!wasWell) await requestRollout(sql, id, 'its daily check was due');
      });
      await startChecks(
        deps,
        idle.filter(({ wasWell }) => wasWell).map(({ id }) => id),
        now,
      );
      return {
        next: due.length === PAGE_SIZE ? (due.at(-1)?.id ?? null) : null,
        started: started + idle.length,
      };
    },

    /** Starts the workflow of each certificate that has none. */
    async watchExpiryPage(input: SweepPage & { readonly integrationId: string }): Promise<SweptPage> {
      const { integrationId } = input;
      const ids = await findCertificateHolders(database, integrationId, input.after, CERTIFICATE_PAGE_SIZE);
      const { running, replaced } = await findRunning(
        deps.temporal,
        'keepCertificate',
        ids.map(workflowIds.certificate),
      );
      const orphans = ids.filter((id) => !running.has(workflowIds.certificate(id)));
      const lost = replaced + (await countEnded(deps.temporal, orphans.map(workflowIds.certificate)));
      // A workflow that runs and did nothing about a renewal that is due is told to look again.
      const late = await findStalledRenewals(database, integrationId, ids);
      const stalled = late.filter((id) => running.has(workflowIds.certificate(id)));
      await database.inTransaction(async (sql) => {
        if (lost > 0) await recordRestored(sql, `integration:${integrationId}`, lost);
        for (const deviceId of stalled)
          await appendAudit(sql, {
            actor: 'system',
            action: 'certificate.stalled',
            subject: `device:${deviceId}`,
          });
        for (const deviceId of [...orphans, ...stalled])
          await appendOutboxMessage(sql, deviceId, {
            kind: 'keepCertificate',
            deviceId,
            signal: certificateWantedSignal.name,
            body: { integrationId },
          });
      });
      const isLast = ids.length < CERTIFICATE_PAGE_SIZE;
      return { next: isLast ? null : (ids.at(-1) ?? null), started: orphans.length + stalled.length };
    },
  };
}

/** What was to be taken from a device that left the scope is tried once a day, too, as long as the device is enrolled. */
async function tryRemovalsAgain(database: Database, failedBefore: Date): Promise<number> {
  return database.inTransaction(async (sql) => {
    const ids = await findFailedRemovals(sql, failedBefore, PAGE_SIZE);
    for (const id of ids) await requestRollout(sql, id, 'its removal had failed');
    return ids.length;
  });
}

const requestRollout = (sql: Sql, deviceId: string, reason: string): Promise<void> =>
  appendOutboxMessage(sql, deviceId, { kind: 'rollOutDevice', deviceId, reason, ifNoneRuns: true });
