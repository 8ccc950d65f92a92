// Enforcement readiness: who would be locked out if a policy in Okta demanded a managed device now.
import { z } from 'zod';
import { bucket } from './device-filter.ts';
import { endpoint } from './endpoint.ts';
import { cursor, id, idParams, instant, limit, page } from './fields.ts';

const tag = 'readiness';

const counts = {
  users: z.number().int(),
  /** With at least one device that Okta counts as managed for them. */
  ready: z.number().int(),
  /** Without one. */
  lockedOut: z.number().int(),
};

const Readiness = z
  .object({
    integration: z.object({ id, name: z.string() }),
    /** When the last whole sweep of Okta's devices began; null: there was none yet, and nothing here counts. */
    asOf: instant.nullable(),
    ...counts,
    /** Enrolled devices whose user nobody knows: name their users, or they are missing from these numbers. */
    devicesWithoutUser: z.number().int(),
    byBlueprint: z.array(
      z.object({
        /** Null: users of devices that are in no blueprint, or not in Odette. */
        blueprint: z.object({ id, name: z.string() }).nullable(),
        ...counts,
      }),
    ),
    /** Of each of the last 90 days with a whole sweep, the oldest first. */
    trend: z.array(z.object({ day: z.iso.date(), ...counts })),
  })
  .meta({ id: 'Readiness' });

const ReadinessUser = z
  .object({
    login: z.string(),
    isReady: z.boolean(),
    devices: z.array(z.object({ id, name: z.string(), bucket })),
    /** Why the user would be locked out; null: would not. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'ReadinessUser' });

const filter = {
  state: z.enum(['locked_out', 'ready']).default('locked_out'),
  blueprintId: id.optional(),
};

export const readiness = {
  getEnforcementReadiness: endpoint({
    tag,
    summary:
      'How many users have a managed device and how many would be locked out, by blueprint and over time',
    method: 'get',
    path: '/api/integrations/{id}/readiness',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Readiness,
  }),
  listReadinessUsers: endpoint({
    tag,
    summary: 'Users who would be locked out, or those who would not, by login',
    method: 'get',
    path: '/api/integrations/{id}/readiness/users',
    access: 'viewer',
    params: idParams,
    query: z.strictObject({ ...filter, after: cursor.optional(), limit }),
    status: 200,
    response: page(ReadinessUser),
  }),
  exportReadiness: endpoint({
    tag,
    summary: 'The same users as CSV',
    method: 'get',
    path: '/api/integrations/{id}/readiness/export',
    access: 'viewer',
    params: idParams,
    query: z.strictObject(filter),
    status: 200,
    responseType: 'text/csv',
  }),
};
