// Devices: the list, one device with its evidence, and what an operator may ask of it.
// Long, because it is one table of endpoints over one set of schemas.
import { z } from 'zod';
import { CERTIFICATE_USES } from '../../domain/certificate-use.ts';
import { CHANNEL_KINDS } from '../../domain/device-channel.ts';
import { FINDING_KINDS } from '../../domain/okta-finding.ts';
import { EVIDENCE_SOURCES } from '../../domain/evidence-time.ts';
import { TRUTHS } from '../../domain/trust.ts';
import { STEP_ACTIONS, STEP_OWNERS } from '../../domain/next-step.ts';
import { bucket, deviceFilter, family, obstacle, phase } from './device-filter.ts';
import { endpoint } from './endpoint.ts';
import { platform } from './setups.ts';
import {
  cursor,
  Failure,
  failureCode,
  fileText,
  id,
  idParams,
  instant,
  limit,
  line,
  list,
  page,
  portion,
} from './fields.ts';

const tag = 'devices';
const truthState = z.enum(['held', 'not_held', 'not_applicable', 'unknown']).meta({ id: 'TruthState' });
const enrollmentStatus = z
  .enum(['authenticated', 'enrolled', 'checked_out', 'unreachable'])
  .meta({ id: 'EnrollmentStatus' });

/** Who acts next, what is to be done in one sentence, and the one button for it. */
export const nextStep = {
  owner: z.enum(STEP_OWNERS),
  text: z.string(),
  /** Null: nothing helps but to wait, nothing is to be done, or it is done where the device is enrolled. */
  action: z.enum(STEP_ACTIONS).nullable(),
};
const NextStep = z.object(nextStep).meta({ id: 'NextStep' });

/** How Odette reaches it. */
const channel = z.object({ kind: z.enum(CHANNEL_KINDS), name: z.string() });

const deviceFields = {
  id,
  family,
  platform,
  name: z.string().nullable(),
  serialNumber: z.string().nullable(),
  udid: z.string(),
  /** Apple's identifier, e.g. Mac14,2. */
  model: z.string().nullable(),
  /** What Apple calls it; null: Odette does not know. */
  modelName: z.string().nullable(),
  osVersion: z.string().nullable(),
  isSupervised: z.boolean().nullable(),
  user: z.string().nullable(),
  blueprint: z.object({ id, name: z.string() }).nullable(),
  channel,
  /** Null: not in scope of a switched-on library item. */
  integrationId: id.nullable(),
  enrollmentStatus,
  /** It asked to enroll again and waits until an admin allows or refuses it. */
  returnAskedAt: instant.nullable(),
  lastContactAt: instant.nullable(),
  bucket,
  truths: z.object({
    delivered: z.boolean(),
    /** Null: does not apply, iPhones and iPads have none. */
    certificatePresent: z.boolean().nullable(),
    oktaVerifyManaged: z.boolean(),
    registered: z.boolean(),
    managed: z.boolean(),
  }),
  phase,
  /** What it waits for, in one sentence; null: for nothing. */
  waitsFor: z.string().nullable(),
  nextStep: NextStep,
  /** What stands in the way beside a failure; null: nothing. */
  obstacle: obstacle.nullable(),
  failureCode: failureCode.nullable(),
  certificateNotAfter: instant.nullable(),
  trustedAt: instant.nullable(),
  /** Another device has it, too: a replaced logic board, or a cloned virtual machine. */
  sharesSerialNumber: z.boolean(),
};
export const Device = z.object(deviceFields).meta({ id: 'Device' });

const TimelineEntry = z
  .object({
    id: z.number().int(),
    at: instant,
    kind: z.string(),
    text: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' });

export const DeviceDetail = z
  .object({
    ...deviceFields,
    /** And in one sentence what Odette cannot do there; null: nothing is missing. */
    channel: channel.extend({ cannot: z.string().nullable() }),
    enrolledAt: instant.nullable(),
    verifiedAt: instant.nullable(),
    evidence: z.array(
      z.object({
        truth: z.enum(TRUTHS),
        state: truthState,
        evidence: z.string(),
        /** Who said so. */
        source: z.enum(EVIDENCE_SOURCES).nullable(),
        /** When the device listed it, or Okta was asked: not when Odette looked at it again. */
        at: instant.nullable(),
        /** Of a truth that holds. */
        since: instant.nullable(),
      }),
    ),
    /** Other devices with its serial number; each is known by its UDID, and none is trusted by the record of another. */
    serialNumberTwins: z.array(
      z.object({
        id,
        name: z.string().nullable(),
        udid: z.string(),
        bucket,
        lastContactAt: instant.nullable(),
        /** It left or is unreachable: its record may be deleted. */
        mayBeRetired: z.boolean(),
      }),
    ),
    failure: Failure.nullable(),
    /** The command behind the failure, and what the device said; null: it was no error of the device. */
    deviceError: z
      .object({
        /** The profile or app: `SSO extension profile`. */
        subject: z.string(),
        requestType: z.string(),
        /** The deepest words: `SCEP server returned an invalid response (MDM-SCEP 15002)`. */
        text: z.string().nullable(),
        at: instant,
        /** As the device reported it, the outermost cause first. */
        errorChain: z.array(z.object({ code: z.number(), domain: z.string(), description: z.string() })),
      })
      .nullable(),
    /** The payload set as last sent, and whether the device lists it. */
    payloadSet: z.array(
      z.object({
        kind: z.string(),
        identifier: z.string(),
        revision: z.string().nullable(),
        payloadUuid: z.string(),
        sentAt: instant,
        onDevice: z.boolean(),
      }),
    ),
    certificates: z.array(
      z.object({
        deliveryId: z.string(),
        slot: z.enum(['a', 'b']),
        /** Apple's PayloadScope: the System keychain, or the login keychain of its user. */
        scope: z.enum(['System', 'User']),
        state: z.enum(['sent', 'proven', 'failed', 'superseded', 'removed']),
        serialNumber: z.string().nullable(),
        issuer: z.string().nullable(),
        notBefore: instant.nullable(),
        notAfter: instant.nullable(),
        sentAt: instant,
        provenAt: instant.nullable(),
        removedAt: instant.nullable(),
        /** Whether a sign-in has used it: Okta revokes on day 91 what none used. */
        use: z.enum(CERTIFICATE_USES),
        useEvidence: z.string().nullable(),
      }),
    ),
    license: z
      .object({
        state: z.enum(['associating', 'associated', 'failed', 'returning']),
        failureCode: failureCode.nullable(),
        changedAt: instant,
      })
      .nullable(),
    oktaVerify: z
      .object({
        status: z.string().nullable(),
        version: z.string().nullable(),
        isAppStore: z.boolean().nullable(),
      })
      .nullable(),
    /** It has been handed the iOS secret key of now of this integration; null: it has not. */
    iosKeyRead: z.object({ integrationId: id, at: instant }).nullable(),
    /** What Okta says of the device and what it means; null: out of scope. */
    oktaFinding: z
      .object({
        kind: z.enum(FINDING_KINDS),
        owner: z.enum(['nobody', 'user', 'admin', 'okta_admin']),
        evidence: z.string(),
        remedy: z.string().nullable(),
        /** The login that Okta names. */
        user: z.string().nullable(),
      })
      .nullable(),
    oktaRecords: z.array(
      z.object({
        oktaId: z.string(),
        status: z.string(),
        registered: z.boolean(),
        users: z.array(z.object({ login: z.string(), managementStatus: z.string() })),
        match: z.enum(['serial_number', 'user_and_model', 'likely', 'ambiguous']).nullable(),
        lastUpdatedAt: instant,
        observedAt: instant,
        adminUrl: z.string(),
      }),
    ),
    rollouts: z.array(
      z.object({
        runId: z.string(),
        startedAt: instant,
        closedAt: instant.nullable(),
        outcome: z.enum(['completed', 'failed']).nullable(),
        failure: Failure.nullable(),
        temporalUrl: z.string().nullable(),
      }),
    ),
    workflowId: z.string(),
    temporalUrl: z.string().nullable(),
  })
  .meta({ id: 'DeviceDetail' });

export const DEVICE_SORTS = [
  'name',
  'serialNumber',
  'user',
  'lastContact',
  'certificateNotAfter',
  'changed',
] as const;

const accepted = z.object({ devices: z.number().int() }).meta({ id: 'DevicesAsked' });

export const devices = {
  listDevices: endpoint({
    tag,
    summary: 'A page of devices, by cursor',
    method: 'get',
    path: '/api/devices',
    access: 'viewer',
    query: z.strictObject({
      ...deviceFilter,
      sort: z.enum(DEVICE_SORTS).default('name'),
      order: z.enum(['asc', 'desc']).default('asc'),
      after: cursor.optional(),
      limit,
    }),
    status: 200,
    response: page(Device),
  }),
  exportDevices: endpoint({
    tag,
    summary: 'The filtered devices as CSV',
    method: 'get',
    path: '/api/devices/export',
    access: 'viewer',
    query: z.strictObject(deviceFilter),
    status: 200,
    responseType: 'text/csv',
  }),
  getDevice: endpoint({
    tag,
    summary:
      'A device: five truths with time and evidence, payload set, certificates, and what it is waiting for',
    method: 'get',
    path: '/api/devices/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: DeviceDetail,
  }),
  getDeviceProfiles: endpoint({
    tag,
    summary: 'The profiles and the app configuration that the device should have, secrets masked',
    method: 'get',
    path: '/api/devices/{id}/profiles',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: list(
      z
        .object({
          kind: z.string(),
          identifier: z.string().nullable(),
          displayName: z.string(),
          revision: z.string().nullable(),
          onDevice: z.boolean(),
          /** A configuration profile or an app configuration, as XML. */
          xml: z.string(),
        })
        .meta({ id: 'DeviceProfile' }),
    ),
  }),
  getUnreadableResponses: endpoint({
    tag,
    summary: 'The last responses of a device that Odette could not read, newest first',
    method: 'get',
    path: '/api/devices/{id}/unreadable-responses',
    access: 'admin',
    params: idParams,
    status: 200,
    response: list(
      z
        .object({
          id: z.uuid(),
          at: instant,
          reason: z.string(),
          /** Base64 of its first 64 KiB; empty where it may hold a secret. */
          body: z.string(),
        })
        .meta({ id: 'UnreadableResponse' }),
    ),
  }),
  getDeviceTimeline: endpoint({
    tag,
    summary: 'What happened to a device, newest first',
    method: 'get',
    path: '/api/devices/{id}/timeline',
    access: 'viewer',
    params: idParams,
    query: z.strictObject({ after: cursor.optional(), limit }),
    status: 200,
    response: page(TimelineEntry),
  }),
  updateDevice: endpoint({
    tag,
    summary: 'Moves a device to another blueprint, or sets its user',
    method: 'patch',
    path: '/api/devices/{id}',
    access: 'operator',
    params: idParams,
    body: z.strictObject({ blueprintId: id.nullable().optional(), user: line(200).nullable().optional() }),
    status: 200,
    response: Device,
  }),
  setDeviceUsers: endpoint({
    tag,
    summary:
      'Sets the users of many devices from CSV: a column `id`, `udid` or `serialNumber`, and a column `user`; all lines or none',
    method: 'post',
    path: '/api/devices/users',
    access: 'operator',
    body: z.strictObject({
      /** With a line of column names, as `/api/devices/export` writes it; other columns are passed over. A line without user changes nothing. */
      csv: fileText(200 * 1024),
      /** Only check and count. */
      preview: z.boolean().default(false),
    }),
    status: 200,
    response: z
      .object({
        /** Whose user changes. */
        changed: z.number().int(),
        unchanged: z.number().int(),
      })
      .meta({ id: 'DeviceUsersSet' }),
    problems: ['devices.users_unreadable'],
  }),
  requestFromDevices: endpoint({
    tag,
    summary:
      'Checks devices now, renews their certificates now, or moves them: by id, or all that a filter finds',
    method: 'post',
    path: '/api/devices/requests',
    access: 'operator',
    body: z.strictObject({
      action: z.enum(['check', 'renew', 'move']),
      ids: z.array(id).min(1).max(1_000).optional(),
      filter: z.strictObject(deviceFilter).optional(),
      ...portion,
      /** Of `move`. */
      blueprintId: id.optional(),
      /** Kept in the audit trail. */
      reason: line(500).optional(),
      /** Only count. */
      preview: z.boolean().default(false),
    }),
    status: 202,
    response: z
      .object({
        /** To which the action does something: enrolled ones, of a renewal Macs in scope, of a move those elsewhere. */
        devices: z.number().int(),
        next: z.string().nullable(),
      })
      .meta({ id: 'DevicesAskedInPortions' }),
  }),
  checkDevice: endpoint({
    tag,
    summary: 'Checks now what the device has, and sends what is missing',
    method: 'post',
    path: '/api/devices/{id}/check',
    access: 'operator',
    params: idParams,
    status: 202,
    response: accepted,
  }),
  askOkta: endpoint({
    tag,
    summary:
      'Asks Okta now, and a few times in the next five minutes, whether the device is managed; does not contact the device',
    method: 'post',
    path: '/api/devices/{id}/ask-okta',
    access: 'operator',
    params: idParams,
    status: 202,
    response: accepted,
    problems: ['request.conflict'],
  }),
  decideReturn: endpoint({
    tag,
    summary:
      'Allows a device to enroll again within a day although its earlier enrollment has not ended, or refuses it',
    method: 'post',
    path: '/api/devices/{id}/return',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ decision: z.enum(['allow', 'refuse']), reason: line(500).optional() }),
    status: 200,
    response: Device,
    problems: ['request.conflict'],
  }),
  renewDevice: endpoint({
    tag,
    summary: 'Renews the certificate of the device now',
    method: 'post',
    path: '/api/devices/{id}/renew',
    access: 'operator',
    params: idParams,
    body: z.strictObject({ reason: line(500).optional() }).default({}),
    status: 202,
    response: accepted,
    problems: ['request.conflict'],
  }),
};
