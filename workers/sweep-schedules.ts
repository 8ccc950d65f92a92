// The sweeps of an integration as Temporal Schedules: trust observation, enforcement, expiry watch.
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Sql } from '../adapters/store/base/database.ts';
import { type SweepIntervals, findSweepIntervals } from '../adapters/store/fleet/sweeps.ts';
import { TASK_QUEUE, searchAttributes } from '../workflows/messages.ts';

const SWEEPS = [
  { kind: 'trust', workflowType: 'observeTrust', minutes: (every: SweepIntervals) => every.trustMinutes },
  {
    kind: 'enforcement',
    workflowType: 'enforceDesiredState',
    minutes: (every: SweepIntervals) => every.enforcementMinutes,
  },
  { kind: 'expiry', workflowType: 'watchExpiry', minutes: (every: SweepIntervals) => every.expiryMinutes },
] as const;

export const sweepId = (kind: (typeof SWEEPS)[number]['kind'], integrationId: string): string =>
  `sweep/${kind}/${integrationId}`;

/** Creates the schedules, or changes them to the integration's present intervals. false: there is no such integration. */
export async function setSweeps(client: Client, sql: Sql, integrationId: string): Promise<boolean> {
  const intervals = await findSweepIntervals(sql, integrationId);
  if (!intervals) return false;
  for (const sweep of SWEEPS) {
    const everyMs = Math.round(sweep.minutes(intervals) * 60_000);
    const scheduleId = sweepId(sweep.kind, integrationId);
    const definition = {
      // The jitter keeps the sweeps of many integrations from running at the same moment.
      spec: { intervals: [{ every: everyMs }], jitter: Math.round(everyMs / 10) },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' as const },
      action: {
        type: 'startWorkflow' as const,
        workflowType: sweep.workflowType,
        workflowId: scheduleId,
        taskQueue: TASK_QUEUE,
        args: [{ integrationId }],
        typedSearchAttributes: [{ key: searchAttributes.integrationId, value: integrationId }],
      },
    };
    try {
      await client.schedule.create({ ...definition, scheduleId });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // An operator's pause stays.
      await client.schedule
        .getHandle(scheduleId)
        .update((previous) => ({ ...definition, state: previous.state }));
    }
  }
  return true;
}

export async function removeSweeps(client: Client, integrationId: string): Promise<void> {
  for (const { kind } of SWEEPS) {
    await client.schedule
      .getHandle(sweepId(kind, integrationId))
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
  }
}
