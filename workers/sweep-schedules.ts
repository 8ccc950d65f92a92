// The sweeps of an integration as Temporal Schedules: trust observation, enforcement, expiry watch, the daily check.
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Sql } from '../adapters/store/base/database.ts';
import { recordRestored } from '../adapters/store/base/audit.ts';
import { type SweepIntervals, findSweepIntervals } from '../adapters/store/fleet/sweeps.ts';
import { workflowIds } from '../workflows/messages.ts';
import { SWEEPS, sweepStart, type Sweep } from '../workflows/starts.ts';

/** How often each runs, in minutes. */
const MINUTES: Readonly<Record<Sweep, (every: SweepIntervals) => number>> = {
  trust: (every) => every.trustMinutes,
  enforcement: (every) => every.enforcementMinutes,
  expiry: (every) => every.expiryMinutes,
  prerequisites: () => 24 * 60,
};

/**
 * Creates the schedules, or changes them to the integration's present intervals. One that is paused goes on, for whoever reaches Temporal can
 * pause it: how often a sweep runs is a setting of the integration. false: there is no such integration.
 */
export async function setSweeps(client: Client, sql: Sql, integrationId: string): Promise<boolean> {
  const intervals = await findSweepIntervals(sql, integrationId);
  if (!intervals) return false;
  for (const sweep of SWEEPS) {
    const everyMs = Math.round(MINUTES[sweep](intervals) * 60_000);
    const scheduleId = workflowIds.sweep(sweep, integrationId);
    const definition = {
      // The jitter keeps the sweeps of many integrations from running at the same moment.
      spec: { intervals: [{ every: everyMs }], jitter: Math.round(everyMs / 10) },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' as const },
      action: { type: 'startWorkflow' as const, ...sweepStart(sweep, integrationId) },
    };
    try {
      await client.schedule.create({ ...definition, scheduleId });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      let wasPaused = false;
      await client.schedule.getHandle(scheduleId).update((previous) => {
        wasPaused = previous.state.paused;
        return { ...definition, state: { ...previous.state, paused: false, note: undefined } };
      });
      if (wasPaused) await recordRestored(sql, `schedule:${scheduleId}`, 1);
    }
  }
  return true;
}

/** Checks at once: credentials or addresses were changed, and what was found before counts no more. */
export const checkNow = (client: Client, integrationId: string): Promise<void> =>
  client.schedule
    .getHandle(workflowIds.sweep('prerequisites', integrationId))
    .trigger(ScheduleOverlapPolicy.BUFFER_ONE);

export async function removeSweeps(client: Client, integrationId: string): Promise<void> {
  for (const sweep of SWEEPS) {
    await client.schedule
      .getHandle(workflowIds.sweep(sweep, integrationId))
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
  }
}
