// Replays of failed rollouts: what one would send, how far it is, and its stop.
import { z } from 'zod';
import { deviceFilter } from './device-filter.ts';
import { endpoint } from './endpoint.ts';
import { failureCode, id, idParams, instant, line, list, portion } from './fields.ts';

const tag = 'rollouts';

const Replay = z
  .object({
    id,
    startedAt: instant,
    startedBy: z.string(),
    reason: z.string().nullable(),
    /** The cause whose whole group is replayed. */
    failureCode: failureCode.nullable(),
    stoppedAt: instant.nullable(),
    stoppedBy: z.string().nullable(),
    /** All of it: the five counts below add up to it. */
    devices: z.number().int(),
    /** Not begun yet: a stop leaves these as they are. */
    waiting: z.number().int(),
    running: z.number().int(),
    completed: z.number().int(),
    failed: z.number().int(),
    /** Skipped by a stop. */
    withdrawn: z.number().int(),
  })
  .meta({ id: 'Replay' });

export const replays = {
  replayRollouts: endpoint({
    tag,
    summary:
      'Replays failed rollouts: one, several, all that failed for one cause, or all that a filter finds',
    method: 'post',
    path: '/api/rollouts/replay',
    access: 'operator',
    /** Of devices, cause and filter several narrow it; of what they find only failed rollouts are replayed. */
    body: z.strictObject({
      deviceIds: z.array(id).min(1).max(1_000).optional(),
      failureCode: failureCode.optional(),
      filter: z.strictObject(deviceFilter).optional(),
      ...portion,
      /** Kept in the audit trail. */
      reason: line(500).optional(),
      /** Only say what would be sent again. */
      preview: z.boolean().default(false),
    }),
    status: 202,
    response: z
      .object({
        devices: z.number().int(),
        /** What each device still lacks, counted: these are sent again. */
        lacking: z.object({
          delivered: z.number(),
          certificatePresent: z.number(),
          oktaVerifyManaged: z.number(),
        }),
        /** Where its progress is; null of a preview. */
        replayId: id.nullable(),
        next: z.string().nullable(),
      })
      .meta({ id: 'ReplayStarted' }),
  }),
  listReplays: endpoint({
    tag,
    summary: 'Replays of the last seven days with their progress, newest first',
    method: 'get',
    path: '/api/replays',
    access: 'viewer',
    status: 200,
    response: list(Replay),
  }),
  getReplay: endpoint({
    tag,
    summary: 'The progress of a replay',
    method: 'get',
    path: '/api/replays/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Replay,
  }),
  stopReplay: endpoint({
    tag,
    summary: 'Stops a replay: rollouts that have not started stay failed, rollouts under way continue',
    method: 'post',
    path: '/api/replays/{id}/stop',
    access: 'operator',
    params: idParams,
    status: 200,
    response: Replay,
  }),
};
