// Fleet rollouts: shown with their progress, steered by people. An order is judged under the lock that the next wave takes, too.
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { readFleetProgress } from '../../adapters/store/rollout/fleet-rollout-progress.ts';
import {
  countMembers,
  findFleetRollout,
  listFleetRollouts,
  listMembers,
  lockFleetRollout,
  steerFleetRollout,
  type FleetRolloutRow,
} from '../../adapters/store/rollout/fleet-rollouts.ts';
import { fleetText, haltedText, isOrderAllowed, ordersAllowed, wavesOf } from '../../domain/fleet-waves.ts';
import { workflowIds } from '../../workflows/messages.ts';
import type { fleetRollouts } from '../contract/fleet-rollouts.ts';
import { numberCursor, pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { temporalLink } from './device-view.ts';
import { rolloutFailureOrNull } from './failure-view.ts';

const MAX_SHOWN = 50;

export function fleetRolloutHandlers(dependencies: AdminDependencies): Handlers<typeof fleetRollouts> {
  const show = async (sql: Sql, row: FleetRolloutRow) => {
    const { settleMinutes: _, waveBegunAt: __, judgedFrom: ___, canary, halt, ...shown } = row;
    return {
      ...shown,
      text: fleetText(await readFleetProgress(sql, row), halt),
      waves: row.pace === 'full' ? [] : wavesOf(row.devices, canary),
      halt: halt && { ...halt, text: haltedText(halt) },
      counts: await countMembers(sql, row.id),
      orders: ordersAllowed(row.status),
      temporalUrl: temporalLink(dependencies, workflowIds.fleet(row.id)),
    };
  };
  const existing = (row: FleetRolloutRow | undefined): FleetRolloutRow => {
    if (row) return row;
    throw notFound('fleet rollout');
  };

  return {
    listFleetRollouts: async ({ sql }) => {
      const rows = await listFleetRollouts(sql, MAX_SHOWN);
      return { items: await Promise.all(rows.map((row) => show(sql, row))) };
    },

    getFleetRollout: async ({ sql, params }) => show(sql, existing(await findFleetRollout(sql, params.id))),

    listFleetRolloutDevices: async ({ sql, params, query }) => {
      existing(await findFleetRollout(sql, params.id));
      const [after = 0] = readCursor(numberCursor, query.after) ?? [];
      const rows = await listMembers(sql, params.id, { state: query.state, after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, ({ place }) => writeCursor([place]));
      const items = shown.map(({ deviceId, name, serialNumber, state, wave, failureCode }) => ({
        device: { id: deviceId, name, serialNumber },
        state,
        wave,
        failure: rolloutFailureOrNull(failureCode),
      }));
      return { items, next };
    },

    steerFleetRollout: async ({ sql, params, body, caller }) => {
      const { order, reason } = body;
      const { id, status } = existing(await lockFleetRollout(sql, params.id));
      if (!isOrderAllowed(order, status))
        throw new ProblemError('request.conflict', { detail: `The change is ${status}.` });
      await steerFleetRollout(sql, id, order, { actor: caller.actor, reason });
      const subject = `fleet_rollout:${id}`;
      const detail = { order, reason, ...(await countMembers(sql, id)) };
      await appendAudit(sql, { actor: caller.actor, action: 'fleet_rollout.steered', subject, detail });
      await appendEvent(sql, { kind: 'fleet_rollout.changed', subject });
      await appendOutboxMessage(sql, id, { kind: 'rollOutFleet', fleetRolloutId: id });
      return show(sql, existing(await findFleetRollout(sql, id)));
    },
  };
}
