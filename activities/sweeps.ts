// The sweeps' outside effects: rollouts of what was not verified lately, workflows of certificates that have none.
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { findCertificateHolders, findUnverifiedDevices } from '../adapters/store/library/scope.ts';
import { findSettings } from '../adapters/store/fleet/sweeps.ts';
import { certificateWantedSignal, workflowIds } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';

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
      const verifiedBefore = new Date(input.nowMs - settings.verifyAfterHours * HOUR_MS);
      const failedBefore = new Date(input.nowMs - FAILED_PAUSE_MS);
      return database.inTransaction(async (sql) => {
        const ids = await findUnverifiedDevices(
          sql,
          input.integrationId,
          { verifiedBefore, failedBefore },
          input.after,
          PAGE_SIZE,
        );
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
      const kept = await Promise.all(ids.map(isKept));
      const orphans = ids.filter((_, index) => kept[index] === false);
      await database.inTransaction(async (sql) => {
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

  async function isKept(deviceId: string): Promise<boolean> {
    try {
      const { status } = await deps.temporal.workflow.getHandle(workflowIds.certificate(deviceId)).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
      throw error;
    }
  }
}
