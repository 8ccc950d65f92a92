// What devices are found by: the filter of their list, and of every action on all that it finds.
import { z } from 'zod';
import { DEVICE_FAMILIES } from '../../domain/device.ts';
import { ROLLOUT_PHASES } from '../../domain/rollout-action.ts';
import { TRUTHS } from '../../domain/trust.ts';
import { BUCKETS, OBSTACLES } from '../../domain/trust-bucket.ts';
import { platform } from './setups.ts';
import { failureCode, id, line } from './fields.ts';

export const bucket = z.enum(BUCKETS).meta({ id: 'TrustBucket' });
export const obstacle = z.enum(OBSTACLES).meta({ id: 'Obstacle' });
export const family = z.enum(DEVICE_FAMILIES).meta({ id: 'DeviceFamily' });
export const phase = z.enum(ROLLOUT_PHASES).meta({ id: 'RolloutPhase' });

/** Every filter may be given several times; several values of one filter widen it, several filters narrow it. */
export const deviceFilter = {
  bucket: z.array(bucket).max(5).optional(),
  platform: z.array(platform).max(2).optional(),
  family: z.array(family).max(3).optional(),
  blueprintId: z.array(id).max(50).optional(),
  integrationId: z.array(id).max(50).optional(),
  /** Id of a channel; built_in: Odette's own MDM server. */
  channel: z
    .array(z.union([z.literal('built_in'), id]))
    .max(50)
    .optional(),
  phase: z.array(phase).max(20).optional(),
  failureCode: z.array(failureCode).max(20).optional(),
  /** What stands in the way beside a failure, e.g. user_unknown. */
  obstacle: z.array(obstacle).max(OBSTACLES.length).optional(),
  /** A truth that is (or, with `lacks`, is not) held. */
  holds: z.array(z.enum(TRUTHS)).max(5).optional(),
  lacks: z.array(z.enum(TRUTHS)).max(5).optional(),
  certificateExpiresBefore: z.iso.datetime().optional(),
  /** The beginning of a serial number, a name or a user's login. */
  search: line(200).optional(),
};
