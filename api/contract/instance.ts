// This installation: status, totals, what real devices still need, Apple's push certificate, licenses, audit trail, events.
import { z } from 'zod';
import { BUCKETS } from '../../domain/trust-bucket.ts';
import { endpoint } from './endpoint.ts';
import {
  cursor,
  Failure,
  fileText,
  id,
  instant,
  limit,
  line,
  list,
  page,
  secretText,
  SecretSet,
} from './fields.ts';

const tag = 'instance';
const count = z.number().int();

export const Totals = z
  .object({
    /** Devices in scope of a switched-on item. */
    total: count,
    delivered: count,
    certificatePresent: count,
    oktaVerifyManaged: count,
    registered: count,
    managed: count,
  })
  .meta({ id: 'Totals' });
const Buckets = z
  .object(
    Object.fromEntries(BUCKETS.map((name) => [name, count])) as Record<
      (typeof BUCKETS)[number],
      typeof count
    >,
  )
  .meta({ id: 'Buckets' });

const Need = z
  .object({
    /** e.g. public_url, tls, push_certificate, apps_and_books */
    id: z.string(),
    text: z.string(),
    command: z.string(),
    /** Nothing works for real devices without it. */
    isRequired: z.boolean(),
  })
  .meta({ id: 'Need' });

/** What will break the whole fleet; cannot be dismissed. */
const Alarm = z
  .object({ failure: Failure, text: z.string(), since: instant.nullable() })
  .meta({ id: 'Alarm' });

export const Status = z
  .object({
    /** Database, Temporal and a worker answer. */
    ready: z.boolean(),
    parts: z.object({ database: z.boolean(), temporal: z.boolean(), worker: z.boolean() }),
    version: z.string(),
    devices: Totals,
    buckets: Buckets,
    needs: z.array(Need),
    alarms: z.array(Alarm),
    addresses: z.object({
      publicUrl: z.string().nullable(),
      enrollmentLink: z.string().nullable(),
      temporalUi: z.string().nullable(),
    }),
  })
  .meta({ id: 'Status' });

export const PushCertificate = z
  .object({
    topic: z.string(),
    notAfter: instant,
    daysLeft: count,
    setAt: instant,
    /** Apple refused it: no pushes until it is replaced. */
    refusedAt: instant.nullable(),
    key: SecretSet.nullable(),
    /** Of other topics, which enrolled devices keep until they enroll again. */
    others: z.array(
      z.object({
        topic: z.string(),
        notAfter: instant,
        daysLeft: count,
        refusedAt: instant.nullable(),
        /** Enrolled with this topic. */
        devices: count,
      }),
    ),
  })
  .meta({ id: 'PushCertificate' });

/** Without it a topic other than that of enrolled devices is refused. */
const confirmOtherTopic = z.boolean().optional();

export const AppsAndBooks = z
  .object({
    organization: z.string(),
    expiresAt: instant,
    daysLeft: count,
    setAt: instant,
    token: SecretSet.nullable(),
    /** Licenses of Okta Verify; null when Apple could not be asked. */
    licenses: z.object({ total: count, available: count }).nullable(),
    failure: Failure.nullable(),
  })
  .meta({ id: 'AppsAndBooks' });

export const AuditEntry = z
  .object({
    id,
    at: instant,
    actor: z.string(),
    action: z.string(),
    subject: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });

const auditFilter = {
  /** A whole actor, or a kind of them with its colon: `person:` */
  actor: line(200).optional(),
  /** A whole action, or the beginning of one: `secret.` */
  action: line(100).optional(),
  subject: line(200).optional(),
  from: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
};

const alive = z.object({ ok: z.boolean() }).meta({ id: 'Health' });

export const instance = {
  getStatus: endpoint({
    tag,
    summary: 'Ready or not, totals of the fleet, and what real devices still need',
    method: 'get',
    path: '/api/status',
    access: 'viewer',
    status: 200,
    response: Status,
  }),
  getTotals: endpoint({
    tag,
    summary: 'Totals and buckets, for each integration',
    method: 'get',
    path: '/api/totals',
    access: 'viewer',
    status: 200,
    response: list(
      z.object({ integrationId: id, devices: Totals, buckets: Buckets }).meta({ id: 'IntegrationTotals' }),
    ),
  }),
  listCatalogue: endpoint({
    tag,
    summary: 'Everything that can go wrong, and what to do then',
    method: 'get',
    path: '/api/failures',
    access: 'viewer',
    status: 200,
    response: list(Failure),
  }),
  getPushCertificate: endpoint({
    tag,
    summary: "Apple's push certificate",
    method: 'get',
    path: '/api/push-certificate',
    access: 'viewer',
    status: 200,
    response: PushCertificate,
    problems: ['apns.certificate_missing'],
  }),
  setPushCertificate: endpoint({
    tag,
    summary: 'Sets the push certificate: certificate and key as PEM, or PKCS#12 in base64 with its password',
    method: 'put',
    path: '/api/push-certificate',
    access: 'admin',
    body: z.union([
      z.strictObject({ pem: fileText(64 * 1024).meta({ format: 'password' }), confirmOtherTopic }),
      z.strictObject({
        pkcs12: z
          .base64()
          .max(128 * 1024)
          .meta({ format: 'password' }),
        password: secretText(1_024, 0),
        confirmOtherTopic,
      }),
    ]),
    status: 200,
    response: PushCertificate,
    problems: ['apns.certificate_invalid', 'apns.other_topic'],
  }),
  getAppsAndBooks: endpoint({
    tag,
    summary: 'The Apps and Books token, and the licenses left',
    method: 'get',
    path: '/api/apps-and-books',
    access: 'viewer',
    status: 200,
    response: AppsAndBooks,
    problems: ['apps_and_books.token_missing'],
  }),
  setAppsAndBooks: endpoint({
    tag,
    summary: 'Sets the Apps and Books token: the content of the server token file',
    method: 'put',
    path: '/api/apps-and-books',
    access: 'admin',
    body: z.strictObject({ token: fileText(64 * 1024).meta({ format: 'password' }) }),
    status: 200,
    response: AppsAndBooks,
    problems: ['apps_and_books.token_invalid'],
  }),
  listAudit: endpoint({
    tag,
    summary: 'Who did what, the newest first',
    method: 'get',
    path: '/api/audit',
    access: 'viewer',
    query: z.strictObject({ ...auditFilter, after: cursor.optional(), limit }),
    status: 200,
    response: page(AuditEntry),
  }),
  exportAudit: endpoint({
    tag,
    summary: 'The filtered audit trail as CSV',
    method: 'get',
    path: '/api/audit/export',
    access: 'viewer',
    query: z.strictObject(auditFilter),
    status: 200,
    responseType: 'text/csv',
  }),
  streamEvents: endpoint({
    tag,
    summary: 'Server-sent events: what changes, from `Last-Event-ID` on',
    method: 'get',
    path: '/api/events',
    access: 'viewer',
    query: z.strictObject({
      subject: z.array(line(200)).max(50).optional(),
      lastEventId: line(40).optional(),
    }),
    status: 200,
    responseType: 'text/event-stream',
  }),
  getHealth: endpoint({
    tag,
    summary: 'The process answers',
    method: 'get',
    path: '/healthz',
    access: 'public',
    status: 200,
    response: alive,
  }),
  getReadiness: endpoint({
    tag,
    summary: 'It can do its work: the database answers',
    method: 'get',
    path: '/readyz',
    access: 'public',
    status: 200,
    response: alive,
    problems: ['store.unavailable'],
  }),
  getMetrics: endpoint({
    tag,
    summary: 'Metrics in the text format of Prometheus',
    method: 'get',
    path: '/metrics',
    access: 'public',
    status: 200,
    responseType: 'text/plain',
  }),
};
