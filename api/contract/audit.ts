// The audit trail: who did what, as entries and as sentences.
import { z } from 'zod';
import { AUDIT_KINDS, type AuditKind } from '../../domain/audit-kinds.ts';
import { endpoint } from './endpoint.ts';
import { cursor, id, instant, limit, line, list, page } from './fields.ts';

const tag = 'audit';

const AuditEntry = z
  .object({
    id,
    at: instant,
    actor: z.string(),
    /** What the actor is called: a person, an API token, a device, or Odette. */
    actorName: z.string(),
    action: z.string(),
    subject: z.string().nullable(),
    /** What the actor did, with names: `renamed the blueprint “Sales”`. */
    text: z.string(),
    /** Of a change: each field with its value before and after; null: none. */
    changes: z.array(
      z.object({ name: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
    ),
    detail: z.record(z.string(), z.unknown()),
    /** With `secretUses=folded`: uses of secrets between this entry and the next newer one. */
    secretUsesAfter: z.number().int(),
  })
  .meta({ id: 'AuditEntry' });

const filter = {
  /** A whole actor, or a kind of them with its colon: `person:` */
  actor: line(200).optional(),
  /** A whole action, or the beginning of one: `secret.` */
  action: line(100).optional(),
  kind: z.enum(Object.keys(AUDIT_KINDS) as AuditKind[]).optional(),
  subject: line(200).optional(),
  from: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** `folded` leaves each use of a secret out and counts them. */
  secretUses: z.enum(['folded', 'each']).default('each'),
};

export const audit = {
  listAudit: endpoint({
    tag,
    summary: 'Who did what, newest first',
    method: 'get',
    path: '/api/audit',
    access: 'viewer',
    query: z.strictObject({ ...filter, after: cursor.optional(), limit }),
    status: 200,
    response: page(AuditEntry),
  }),
  exportAudit: endpoint({
    tag,
    summary: 'The filtered audit trail as CSV',
    method: 'get',
    path: '/api/audit/export',
    access: 'viewer',
    query: z.strictObject(filter),
    status: 200,
    responseType: 'text/csv',
  }),
  listAuditActors: endpoint({
    tag,
    summary: 'People and API tokens, for the filter by actor',
    method: 'get',
    path: '/api/audit/actors',
    access: 'viewer',
    status: 200,
    response: list(z.object({ actor: z.string(), name: z.string() }).meta({ id: 'AuditActor' })),
  }),
};
