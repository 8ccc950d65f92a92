// Replays of failed rollouts: what one would send, its start, its progress, its stop.
import type { z } from 'zod';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import type { FleetFilter } from '../../adapters/store/fleet/fleet-filter.ts';
import { countLacking } from '../../adapters/store/fleet/fleet-totals.ts';
import {
  findReplay,
  listReplays,
  startReplay,
  stopReplay,
  type ReplayRow,
} from '../../adapters/store/rollout/replays.ts';
import type { replays } from '../contract/replays.ts';
import { listPortion } from './fleet-portions.ts';
import { codeOrNull } from './failure-view.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

const MAX_SHOWN = 10;

type ReplayBody = z.output<(typeof replays)['replayRollouts']['body']>;

const shown = (row: ReplayRow) => ({ ...row, failureCode: codeOrNull(row.failureCode) });

export function replayHandlers(): Handlers<typeof replays> {
  const find = async (sql: Sql, id: string): Promise<ReplayRow> => {
    const found = await findReplay(sql, id);
    if (found) return found;
    throw notFound('replay');
  };

  return {
    replayRollouts: async ({ sql, body, caller }) => {
      const { deviceIds, failureCode, filter, reason } = body;
      if (deviceIds === undefined && failureCode === undefined && filter === undefined)
        throw fieldProblem('request.invalid', 'deviceIds', {
          detail: 'Name devices, a failure code or a filter.',
        });
      const { ids, next } = await listPortion(sql, wantedOf(body), 'replay', body);
      const { devices, ...lacking } = await countLacking(sql, ids);
      if (body.preview) return { devices, lacking, replayId: null, next };
      if (ids.length === 0)
        throw new ProblemError('request.conflict', { detail: 'No rollout of these devices has failed.' });
      const replay = await startReplay(sql, { deviceIds: ids, reason, failureCode, by: caller.actor });
      const subject = ids.length === 1 ? `device:${ids[0] ?? ''}` : undefined;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'rollout.replayed',
        ...(subject !== undefined && { subject }),
        detail: {
          replay: replay.id,
          devices: replay.devices,
          failureCode,
          filter,
          reason,
          ...(ids.length <= 100 && { ids }),
        },
      });
      return { devices: replay.devices, lacking, replayId: replay.id, next };
    },

    listReplays: async ({ sql }) => ({ items: (await listReplays(sql, MAX_SHOWN)).map(shown) }),

    getReplay: async ({ sql, params }) => shown(await find(sql, params.id)),

    stopReplay: async ({ sql, params, caller }) => {
      const before = await find(sql, params.id);
      if (before.waiting === 0)
        throw new ProblemError('request.conflict', { detail: 'Every rollout of this replay has started.' });
      const withdrawn = await stopReplay(sql, params.id, caller.actor);
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'replay.stopped',
        detail: { replay: params.id, withdrawn },
      });
      return shown(await find(sql, params.id));
    },
  };
}

/** All that was given, as one filter: a cause that the filter leaves out finds nothing. */
function wantedOf({ deviceIds, failureCode, filter }: ReplayBody): FleetFilter {
  const causes = filter?.failureCode;
  return {
    ...filter,
    ...(deviceIds && { ids: deviceIds }),
    ...(failureCode && { failureCode: causes?.includes(failureCode) === false ? [] : [failureCode] }),
  };
}
