// Devices that another MDM server manages, as Okta shows them: the two truths that Okta holds, and what would help.
import { z } from 'zod';
import { OBSERVED_STATES } from '../../domain/observed-device.ts';
import { endpoint } from './endpoint.ts';
import { cursor, idParams, instant, limit, line, page } from './fields.ts';
import { platform } from './setups.ts';

const tag = 'observed devices';
const state = z.enum(OBSERVED_STATES).meta({ id: 'ObservedState' });
const truth = z.enum(['held', 'not_held']);

const ObservedDevice = z
  .object({
    /** Okta's id of the record. */
    oktaId: z.string(),
    name: z.string(),
    platform,
    serialNumber: z.string().nullable(),
    /** Apple's identifier, e.g. Mac14,2. */
    model: z.string().nullable(),
    /** What Apple calls it; null: Odette does not know. */
    modelName: z.string().nullable(),
    osVersion: z.string().nullable(),
    users: z.array(z.object({ login: z.string(), managementStatus: z.string() })),
    state,
    /** Okta lists it as registered. */
    registered: truth,
    /** Okta counts it as managed. */
    managed: truth,
    /** In Okta's own words. */
    evidence: z.string(),
    owner: z.enum(['nobody', 'user', 'admin', 'okta_admin']),
    /** Null: nothing to do. */
    remedy: z.string().nullable(),
    /** Of a Mac, where the System Log may be read (okta.logs.read). Okta shows when a certificate was first used, and not when it ends. */
    certificate: z.object({ firstUsedAt: instant, serialNumber: z.string().nullable() }).nullable(),
    changedInOktaAt: instant,
    /** When Odette last read the record. */
    observedAt: instant,
  })
  .meta({ id: 'ObservedDevice' });

const ObservedTotals = z
  .object({
    /** When the last whole sweep of Okta's devices began; null: there was none yet, and nothing here counts. */
    asOf: instant.nullable(),
    devices: z.number().int(),
    states: z.record(state, z.number().int()),
  })
  .meta({ id: 'ObservedTotals' });

export const observedDevices = {
  listObservedDevices: endpoint({
    tag,
    summary: "Okta's records of Macs, iPhones and iPads that match no device in Odette, by name",
    method: 'get',
    path: '/api/integrations/{id}/observed-devices',
    access: 'viewer',
    params: idParams,
    query: z.strictObject({
      state: state.optional(),
      /** Part of a name, a serial number or a login. */
      search: line(100).optional(),
      after: cursor.optional(),
      limit,
    }),
    status: 200,
    response: page(ObservedDevice),
  }),
  getObservedTotals: endpoint({
    tag,
    summary: 'How many observed devices Okta counts as managed, and how many it does not',
    method: 'get',
    path: '/api/integrations/{id}/observed-devices/totals',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: ObservedTotals,
  }),
};
