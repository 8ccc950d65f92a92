// Rollouts and renewals over the fleet: what runs, what failed and why, what is due.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { phase } from './device-filter.ts';
import { Device } from './devices.ts';
import { cursor, Failure, id, instant, limit, line, list, page } from './fields.ts';

const tag = 'rollouts';

const FailureGroup = z
  .object({
    failure: Failure,
    devices: z.number().int(),
    /** A few of them. */
    examples: z.array(z.object({ id, name: z.string().nullable(), serialNumber: z.string().nullable() })),
    newestAt: instant,
  })
  .meta({ id: 'FailureGroup' });

const Rollout = z
  .object({
    runId: z.string(),
    device: z.object({ id, name: z.string().nullable(), serialNumber: z.string().nullable() }),
    startedAt: instant,
    closedAt: instant.nullable(),
    outcome: z.enum(['completed', 'failed']).nullable(),
    /** Why an ended run failed. */
    failure: Failure.nullable(),
    /** What an open run is at, and what it waits for; null once it has ended. */
    phase: phase.nullable(),
    waitsFor: z.string().nullable(),
    temporalUrl: z.string().nullable(),
  })
  .meta({ id: 'Rollout' });

const Renewal = Device.extend({
  /** When Odette renews the certificate: from the device's own place in the window on, as soon as the device is awake. */
  renewal: z.object({
    windowOpensAt: instant,
    renewsFrom: instant,
    windowClosesAt: instant,
    urgency: z.enum(['none', 'due', 'late', 'expired']),
  }),
}).meta({ id: 'Renewal' });

const RequestedRenewal = z
  .object({
    id: z.string(),
    device: z.object({ id, name: z.string().nullable(), serialNumber: z.string().nullable() }),
    at: instant,
    /** The renewal window, no proven sign-in, or a request. */
    reason: z.enum(['window', 'unused', 'requested']),
    /** Of a request: person:NAME, token:NAME or system; null: no longer known. */
    requestedBy: z.string().nullable(),
    note: z.string().nullable(),
    /** `requested`: nothing was sent yet; `sent`: the device has not reported it yet. */
    outcome: z.enum(['requested', 'sent', 'installed', 'failed']),
    /** When the device listed the new certificate. */
    installedAt: instant.nullable(),
    notAfter: instant.nullable(),
    failureText: z.string().nullable(),
  })
  .meta({ id: 'RequestedRenewal' });

export const rollouts = {
  listRollouts: endpoint({
    tag,
    summary: 'Rollouts, newest first',
    method: 'get',
    path: '/api/rollouts',
    access: 'viewer',
    query: z.strictObject({
      /** `waiting`: open, but nothing goes on until a device, its user, a license or a delay lets it. */
      state: z.enum(['running', 'waiting', 'completed', 'failed']).optional(),
      after: cursor.optional(),
      limit,
    }),
    status: 200,
    response: page(Rollout),
  }),
  listFailures: endpoint({
    tag,
    summary: 'Devices whose rollout failed, grouped by cause',
    method: 'get',
    path: '/api/rollouts/failures',
    access: 'viewer',
    status: 200,
    response: list(FailureGroup),
  }),
  startRollouts: endpoint({
    tag,
    summary: 'Starts rollouts: of devices, or of a whole blueprint',
    method: 'post',
    path: '/api/rollouts',
    access: 'operator',
    body: z.strictObject({
      deviceIds: z.array(id).min(1).max(1_000).optional(),
      blueprintId: id.optional(),
      reason: line(500).optional(),
    }),
    status: 202,
    response: z.object({ devices: z.number().int() }).meta({ id: 'RolloutsStarted' }),
  }),
  renewalsByDay: endpoint({
    tag: 'renewals',
    summary: 'Certificates by the day on which they expire, and when their renewal is due',
    method: 'get',
    path: '/api/renewals/by-day',
    access: 'viewer',
    query: z.strictObject({
      from: z.iso.date().optional(),
      days: z.coerce.number().int().min(1).max(400).default(366),
    }),
    status: 200,
    response: list(
      z
        .object({ day: z.iso.date(), ending: z.number().int(), windowOpens: z.number().int() })
        .meta({ id: 'RenewalDay' }),
    ),
  }),
  listRenewals: endpoint({
    tag: 'renewals',
    summary:
      'Devices by the expiry of their certificate: next due, late, failed, or unused for so long that Okta would revoke it',
    method: 'get',
    path: '/api/renewals',
    access: 'viewer',
    query: z.strictObject({
      state: z.enum(['due', 'late', 'failed', 'unused']).default('due'),
      after: cursor.optional(),
      limit,
    }),
    status: 200,
    response: page(Renewal),
  }),
  listRenewalHistory: endpoint({
    tag: 'renewals',
    summary: 'Renewals, newest first: who requested each one, when, and its outcome',
    method: 'get',
    path: '/api/renewals/history',
    access: 'viewer',
    query: z.strictObject({ after: cursor.optional(), limit }),
    status: 200,
    response: page(RequestedRenewal),
  }),
};
