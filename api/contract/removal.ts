// Devices that are to leave Okta Device Trust, and records of devices that have left Odette.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { WavesPreview } from './fleet-rollouts.ts';
import { id, idParams, line } from './fields.ts';

const tag = 'devices';

export const removal = {
  removeDevices: endpoint({
    tag,
    summary:
      'Removes devices from their blueprints; after the removal delay, Odette removes what it sent for them',
    method: 'post',
    path: '/api/devices/removals',
    access: 'operator',
    body: z.strictObject({
      ids: z.array(id).min(1).max(1_000),
      /** Kept in the audit trail. */
      reason: line(500).optional(),
      /** Only count. */
      preview: z.boolean().default(false),
    }),
    status: 202,
    response: z
      .object({
        devices: z.number().int(),
        /** When the removal begins; the longest delay of the integrations concerned. */
        startsInMinutes: z.number().int(),
        waves: WavesPreview,
        /** Of more than 20 devices; null of a preview, too. */
        fleetRolloutId: id.nullable(),
      })
      .meta({ id: 'Removal' }),
  }),
  deleteDevice: endpoint({
    tag,
    summary: 'Deletes the record of a device that is no longer enrolled, with its history',
    method: 'delete',
    path: '/api/devices/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
    problems: ['request.conflict'],
  }),
};
