// Changes that reach many devices in waves: how far each is, which device has which state, and what a person may order.
import { z } from 'zod';
import {
  FLEET_CHANGES,
  FLEET_ORDERS,
  FLEET_STATUSES,
  HALTS,
  MEMBER_STATES,
} from '../../domain/fleet-waves.ts';
import { endpoint } from './endpoint.ts';
import { cursor, Failure, id, idParams, instant, limit, line, list, page } from './fields.ts';

const tag = 'rollouts';

/** What a change of so many devices is, before it is made. */
export const WavesPreview = z
  .object({
    devices: z.number().int(),
    /** At least: a device that does not respond is pushed again. */
    pushes: z.number().int(),
    /** Its devices are the canary; null: those that called last. */
    canaryBlueprint: z.string().nullable(),
    /** Devices of each wave, the canary first; one number: all of them at once. */
    waves: z.array(z.number().int()),
    /** Where devices are awake. */
    minutes: z.number().int(),
  })
  .meta({ id: 'WavesPreview' });

const order = z.enum(FLEET_ORDERS);
const state = z.enum(MEMBER_STATES);

const FleetRollout = z
  .object({
    id,
    integrationId: id.nullable(),
    kind: z.enum(FLEET_CHANGES),
    /** e.g. library_item:ID */
    subject: z.string().nullable(),
    reason: z.string(),
    status: z.enum(FLEET_STATUSES),
    /** Where it is, in one sentence. */
    text: z.string(),
    /** `full`: no canary and no waves, nor any halt by itself. */
    pace: z.enum(['waves', 'full']),
    /** 0: none has begun; 1: the canary. */
    wave: z.number().int(),
    /** Devices of each wave, as planned. */
    waves: z.array(z.number().int()),
    canaryBlueprint: z.string().nullable(),
    halt: z
      .object({ reason: z.enum(HALTS), text: z.string(), devices: z.number().int(), of: z.number().int() })
      .nullable(),
    devices: z.number().int(),
    /** Devices in each state. waiting: held back. left: as they were, after an abort. overtaken: by a later change. */
    counts: z.object({
      waiting: z.number().int(),
      begun: z.number().int(),
      completed: z.number().int(),
      failed: z.number().int(),
      left: z.number().int(),
      overtaken: z.number().int(),
    }),
    /** What may be ordered now. */
    orders: z.array(order),
    startedAt: instant,
    startedBy: z.string(),
    steeredAt: instant.nullable(),
    steeredBy: z.string().nullable(),
    steeringReason: z.string().nullable(),
    endedAt: instant.nullable(),
    temporalUrl: z.string().nullable(),
  })
  .meta({ id: 'FleetRollout' });

export const fleetRollouts = {
  listFleetRollouts: endpoint({
    tag,
    summary: 'Changes that reach more than 20 devices: those under way, then those of the last 30 days',
    method: 'get',
    path: '/api/fleet-rollouts',
    access: 'viewer',
    status: 200,
    response: list(FleetRollout),
  }),
  getFleetRollout: endpoint({
    tag,
    summary: 'The progress of a change',
    method: 'get',
    path: '/api/fleet-rollouts/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: FleetRollout,
  }),
  listFleetRolloutDevices: endpoint({
    tag,
    summary: 'The devices of a change with their state, in the order of their turn',
    method: 'get',
    path: '/api/fleet-rollouts/{id}/devices',
    access: 'viewer',
    params: idParams,
    query: z.strictObject({ state: state.optional(), after: cursor.optional(), limit }),
    status: 200,
    response: page(
      z
        .object({
          device: z.object({ id, name: z.string().nullable(), serialNumber: z.string().nullable() }),
          state,
          /** null: it has not begun. */
          wave: z.number().int().nullable(),
          failure: Failure.nullable(),
        })
        .meta({ id: 'FleetRolloutDevice' }),
    ),
  }),
  steerFleetRollout: endpoint({
    tag,
    summary:
      'Pauses a change, resumes it, sends it to all at once (without waves), or aborts it; an abort leaves devices that have not started unchanged',
    method: 'post',
    path: '/api/fleet-rollouts/{id}/orders',
    access: 'operator',
    params: idParams,
    body: z.strictObject({
      order,
      /** Kept in the audit trail. */
      reason: line(500).optional(),
    }),
    status: 200,
    response: FleetRollout,
    problems: ['request.conflict'],
  }),
};
