// This installation: status, totals, what real devices still need, events.
import { z } from 'zod';
import { CHANNEL_KINDS } from '../../domain/device-channel.ts';
import { ROTATED_SECRETS } from '../../domain/secret-rotation.ts';
import { BUCKETS } from '../../domain/trust-bucket.ts';
import { bucket, obstacle } from './device-filter.ts';
import { nextStep } from './devices.ts';
import { endpoint } from './endpoint.ts';
import { Failure, failureCode, id, instant, line, list } from './fields.ts';

const tag = 'instance';
const count = z.number().int();

const Totals = z
  .object({
    /** Devices in scope of a switched-on item. */
    total: count,
    delivered: count,
    certificatePresent: count,
    /** Of `total`: iPhones and iPads have no certificate. */
    certificateApplies: count,
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

const ONBOARDING = [
  'public_url',
  'tls',
  'push_certificate',
  'apps_and_books',
  'channel',
  'integration',
  'library_item',
  'enrollment_code',
  'first_device',
  'first_trusted',
] as const;

const Need = z
  .object({
    /** e.g. public_url, tls, push_certificate, apps_and_books, channel */
    id: z.string(),
    text: z.string(),
    command: z.string(),
    /** Nothing works for real devices without it. */
    isRequired: z.boolean(),
  })
  .meta({ id: 'Need' });

/** What will break the whole fleet; cannot be dismissed. */
const Alarm = z
  .object({
    failure: Failure,
    text: z.string(),
    since: instant.nullable(),
    rotation: z
      .object({ integrationId: id, host: z.string(), secret: z.enum(ROTATED_SECRETS) })
      .nullable()
      .describe('The secret that was probably replaced in Okta: its rotation ends the alarm'),
  })
  .meta({ id: 'Alarm' });

/** What an operator may send to Temporal by hand. */
const SEALED_BY_HAND = [
  'commandsResponded',
  'desiredStateChanged',
  'deviceAuthenticated',
  'deviceEnrolled',
  'deviceCheckedOut',
  'certificateWanted',
  'certificateNotNeeded',
  'renewNow',
  'oktaLooksWanted',
  'rollOutDevice',
  'keepCertificate',
  'observeTrust',
  'enforceDesiredState',
  'watchExpiry',
  'checkIntegration',
] as const;
/** As Temporal's JSON has payloads: bytes in base64. */
const SealedPayload = z
  .object({ metadata: z.record(z.string(), z.string()), data: z.string() })
  .meta({ id: 'SealedPayload' });

/** What somebody is to do, of the installation or of all devices that share a cause. */
const Step = z
  .object({
    /** The same as long as its cause is, e.g. `alarm:apns.certificate_refused`, `devices:needs_you:mdm.profile_refused`. */
    id: z.string(),
    ...nextStep,
    /** How many devices; null: the installation. */
    devices: count.nullable(),
    since: instant.nullable(),
    /** The page of the console where it is done. */
    place: z.enum(['settings', 'integrations', 'setup', 'devices', 'doctor']),
    /** Of the setup. */
    setupId: id.nullable(),
    /** Which devices. */
    filter: z
      .object({ bucket, failureCode: failureCode.nullable(), obstacle: obstacle.nullable() })
      .nullable(),
  })
  .meta({ id: 'Step' });

/** What a new installation needs until its first device is trusted, in order. */
const OnboardingStep = z
  .object({
    id: z.enum(ONBOARDING),
    text: z.string(),
    isDone: z.boolean(),
    /** Null: it is done in the console only. */
    command: z.string().nullable(),
  })
  .meta({ id: 'OnboardingStep' });

const Status = z
  .object({
    /** Database, Temporal and a worker answer. */
    ready: z.boolean(),
    parts: z.object({ database: z.boolean(), temporal: z.boolean(), worker: z.boolean() }),
    version: z.string(),
    devices: Totals,
    buckets: Buckets,
    /** When all devices were last read from Okta, of the integration that was read longest ago; null: one never was. */
    asOf: instant.nullable(),
    needs: z.array(Need),
    /** How this installation reaches devices, or is about to; without `built_in` it needs no push certificate. */
    channels: z.array(z.enum(CHANNEL_KINDS)),
    /** Of each integration: the newest check of its tenant. */
    checks: z.array(
      z.object({
        integration: z.object({ id, name: z.string() }),
        /** Null: not checked yet. */
        at: instant.nullable(),
        /** Titles of the prerequisites that are not met. */
        failed: z.array(z.string()),
      }),
    ),
    alarms: z.array(Alarm),
    /** Who acts next, those who need an admin or operator first. */
    steps: z.array(Step),
    /** Empty once a device is trusted and nothing is missing. */
    onboarding: z.array(OnboardingStep),
    addresses: z.object({
      console: z.string(),
      /** The description of the API. */
      api: z.string(),
      publicUrl: z.string().nullable(),
      enrollmentLink: z.string().nullable(),
      temporalUi: z.string().nullable(),
      /** host:port, as `temporal --address` takes it. */
      temporal: z.string(),
      temporalNamespace: z.string(),
    }),
  })
  .meta({ id: 'Status' });

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
      z
        .object({ integrationId: id, devices: Totals, buckets: Buckets, asOf: instant.nullable() })
        .meta({ id: 'IntegrationTotals' }),
    ),
  }),
  trustedByDay: endpoint({
    tag,
    summary: 'Devices in scope and trusted devices for each day, over all integrations',
    method: 'get',
    path: '/api/totals/by-day',
    access: 'viewer',
    query: z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) }),
    status: 200,
    response: list(
      z.object({ day: z.iso.date(), devices: count, trusted: count }).meta({ id: 'TrustedDay' }),
    ),
  }),
  listCatalogue: endpoint({
    tag,
    summary: 'The failure catalog, with a remedy for each failure',
    method: 'get',
    path: '/api/failures',
    access: 'viewer',
    status: 200,
    response: list(Failure),
  }),
  sealMessage: endpoint({
    tag,
    summary:
      'Encrypts a message or an input for one workflow, so that an operator can send it by hand; sends nothing',
    method: 'post',
    path: '/api/temporal/seal',
    access: 'admin',
    body: z.strictObject({
      workflowId: line(200),
      /** Of a signal, an update or a workflow type. */
      name: z.enum(SEALED_BY_HAND),
      body: z.record(z.string(), z.unknown()),
    }),
    status: 200,
    response: z.object({ payload: SealedPayload }),
  }),
  streamEvents: endpoint({
    tag,
    summary: 'Server-sent events for each change after `Last-Event-ID`',
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
    summary: 'The process responds',
    method: 'get',
    path: '/healthz',
    access: 'public',
    status: 200,
    response: alive,
  }),
  getReadiness: endpoint({
    tag,
    summary: 'The process is ready: the database responds',
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
