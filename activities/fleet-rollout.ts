// One step of a fleet rollout: writes down who has ended, decides (domain/fleet-waves.ts), and begins, halts or completes.
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import {
  beginMembers,
  completeFleetRollout,
  haltFleetRollout,
  readFleetProgress,
  settleMembers,
} from '../adapters/store/rollout/fleet-rollout-progress.ts';
import {
  findFleetRollout,
  lockFleetRollout,
  type FleetRolloutRow,
} from '../adapters/store/rollout/fleet-rollouts.ts';
import { fleetText, nextFleetAction, type FleetAction, type FleetStatus } from '../domain/fleet-waves.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface FleetStep {
  readonly status: FleetStatus;
  readonly integrationId: string | null;
  /** Where it is, for people. */
  readonly text: string;
  /** Until the next look; null: the workflow has nothing left to do. */
  readonly waitSeconds: number | null;
}

export function fleetRolloutActivities({ database }: Pick<ActivityDependencies, 'database'>) {
  return {
    /** Safe to repeat: each call decides from the tables. null: there is no such rollout (any more). */
    async advanceFleetRollout(input: {
      readonly fleetRolloutId: string;
      readonly nowMs: number;
    }): Promise<FleetStep | null> {
      const { fleetRolloutId: id, nowMs } = input;
      const now = new Date(nowMs);
      return database.inTransaction(async (sql) => {
        const rollout = await lockFleetRollout(sql, id);
        if (rollout === undefined) return null;
        await settleMembers(sql, id, now);
        const action = nextFleetAction(await readFleetProgress(sql, rollout), nowMs);
        const waitSeconds = await carryOut(sql, rollout, action, now);
        const after = (await findFleetRollout(sql, id)) ?? rollout;
        if (after.status !== rollout.status || after.wave !== rollout.wave)
          await appendEvent(sql, { kind: 'fleet_rollout.changed', subject: `fleet_rollout:${id}` });
        const { status, integrationId, halt } = after;
        return {
          status,
          integrationId,
          text: fleetText(await readFleetProgress(sql, after), halt),
          waitSeconds,
        };
      });
    },
  };
}

const SOON_SECONDS = 2;
/** Until a person steers it, which wakes the workflow. */
const HALTED_SECONDS = 10 * 60;

/** Returns in how many seconds to look again; null: never. */
async function carryOut(
  sql: Sql,
  rollout: FleetRolloutRow,
  action: FleetAction,
  now: Date,
): Promise<number | null> {
  const { id } = rollout;
  const subject = `fleet_rollout:${id}`;
  switch (action.do) {
    case 'begin':
      await beginMembers(sql, rollout, action.devices, now);
      return SOON_SECONDS;
    case 'halt':
      await haltFleetRollout(sql, id, action.halt);
      await appendAudit(sql, {
        actor: 'system',
        action: 'fleet_rollout.halted',
        subject,
        detail: action.halt,
      });
      return HALTED_SECONDS;
    case 'complete':
      await completeFleetRollout(sql, id, now);
      await appendAudit(sql, { actor: 'system', action: 'fleet_rollout.completed', subject });
      return null;
    case 'end':
      return null;
    case 'wait':
      return action.seconds;
  }
}
