// Devices as the MDM server knows them: who a message is from, when they last made contact, whether a request of it waits.
import type { DeviceFamily, EnrollmentStatus, Platform, PushProblem } from '../../../domain/device.ts';
import type { ChannelDevice } from '../../../domain/device-channel.ts';
import type { RolloutPhase } from '../../../domain/rollout-action.ts';
import type { Sql } from '../base/database.ts';
import { isHeldSql } from '../rollout/affected-devices.ts';
import { isInConversationSql } from './command-states.ts';

export interface DeviceRow {
  readonly id: string;
  readonly udid: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  readonly serialNumber: string | null;
  readonly name: string | null;
  readonly model: string | null;
  readonly osVersion: string | null;
  readonly isSupervised: boolean | null;
  readonly userName: string | null;
  readonly blueprintId: string | null;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrollmentId: string;
  readonly topic: string | null;
  readonly pushToken: Buffer | null;
  readonly pushMagic: string | null;
  readonly pushProblem: PushProblem | null;
  /** SHA-256 of the pinned identity certificate; null: another MDM server knows its identity. */
  readonly identityFingerprint: Buffer | null;
  /** null: Odette's own MDM server. */
  readonly channelId: string | null;
  readonly enrolledAt: Date | null;
  readonly lastContactAt: Date | null;
  /** It asked to enroll again and waits for an admin's word. */
  readonly returnAskedAt: Date | null;
  /** An admin allows it to enroll again until then. */
  readonly returnAllowedUntil: Date | null;
  readonly longPollUntil: Date | null;
}

const DEVICE_COLUMNS = `id, udid, family, platform, serial_number, name, model, os_version,
  is_supervised, user_name, blueprint_id, enrollment_status,
  enrollment_id, topic, push_token, push_magic, push_problem,
  identity_fingerprint, channel_id, enrolled_at, last_contact_at,
  return_asked_at, return_allowed_until,
  long_poll_until`;

export async function findDevice(sql: Sql, id: string): Promise<DeviceRow | undefined> {
  const [row] = await sql.query<DeviceRow>(`select ${DEVICE_COLUMNS} from devices where id = $1`, [id]);
  return row;
}

/** Seconds since its last contact in which a device is taken to listen. */
const RECENTLY = 60;

/** A device as its channel knows it. */
export async function findChannelDevice(sql: Sql, id: string): Promise<ChannelDevice | undefined> {
  const [row] = await sql.query<ChannelDevice>(
    `select device.id, udid, enrollment_status, enrollment_id, topic, push_token, push_magic, coalesce(channel.kind, 'built_in') as channel_kind, channel_id,
            coalesce(long_poll_until > now(), false) or coalesce(last_contact_at > now() - make_interval(secs => $2), false) as was_in_contact_now,
            ${isInConversationSql({ device: 'device', userId: 'null::text' })} as is_in_conversation
       from devices as device left join channels as channel on channel.id = device.channel_id where device.id = $1`,
    [id, RECENTLY],
  );
  return row;
}

/** The device whose pinned identity this is. */
export async function findDeviceByIdentity(sql: Sql, fingerprint: Buffer): Promise<DeviceRow | undefined> {
  const [row] = await sql.query<DeviceRow>(
    `select ${DEVICE_COLUMNS} from devices where identity_fingerprint = $1`,
    [fingerprint],
  );
  return row;
}

/**
 * Finds a device by its UDID and locks its row: every change of its enrollment and queue happens under this lock. "No key"
 * lets rows that merely refer to the device be written beside it, and their transaction lock the device afterwards.
 */
export async function findDeviceForUpdate(sql: Sql, udid: string): Promise<DeviceRow | undefined> {
  const [row] = await sql.query<DeviceRow>(
    `select ${DEVICE_COLUMNS} from devices where udid = $1 for no key update`,
    [udid],
  );
  return row;
}

export interface DeviceInContact extends DeviceRow {
  /** Until now it is shown as unreachable. */
  readonly wasUnreachable: boolean;
}

/**
 * The device that a message names, locked like findDeviceForUpdate; its contact is recorded. An older request of it that still waits
 * is given nothing any more.
 * @param agoMs told only now, milliseconds after it was
 */
export async function recordContact(sql: Sql, udid: string, agoMs = 0): Promise<DeviceInContact | undefined> {
  const [row] = await sql.query<DeviceInContact>(
    `update devices set last_contact_at = greatest(last_contact_at, now() - make_interval(secs => $2 / 1000.0)), long_poll_until = null
      where udid = $1
     returning ${DEVICE_COLUMNS},
               exists (select from device_trust where device_id = devices.id and bucket = 'unreachable') as was_unreachable`,
    [udid, agoMs],
  );
  return row;
}

/** Of a row of `devices`: a contact ends no request to return and no silence. */
export const HAS_NOTHING_OPEN = `devices.return_asked_at is null
  and not exists (select from device_trust where device_id = devices.id and bucket = 'unreachable')`;

/** Of a row of `devices`: its contact changes nothing but the time of the contact. */
export const IS_AS_USUAL = `devices.enrollment_status = 'enrolled' and ${HAS_NOTHING_OPEN}`;

/** Of a row of `devices` that a statement locks: no message of the device was recorded since the statement began. */
export const isUnchangedSql = (isSeen: string): string =>
  `devices.last_contact_at is not distinct from (select last_contact_at from devices as seen where ${isSeen})`;

export interface DeviceDetails {
  readonly name?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly productName?: string | undefined;
  readonly isSupervised?: boolean | undefined;
  readonly serialNumber?: string | undefined;
}

/** What DeviceInformation says; a field that is absent keeps its value. */
export async function recordDeviceDetails(sql: Sql, deviceId: string, details: DeviceDetails): Promise<void> {
  await sql.query(
    `update devices set name = coalesce($2, name), os_version = coalesce($3, os_version), model = coalesce($4, model),
            is_supervised = coalesce($5, is_supervised), serial_number = coalesce($6, serial_number)
      where id = $1`,
    [
      deviceId,
      details.name ?? null,
      details.osVersion ?? null,
      details.productName ?? null,
      details.isSupervised ?? null,
      details.serialNumber ?? null,
    ],
  );
}

export interface DeviceScope {
  /** An item with Okta Device Trust switched on is assigned, its platform is configured, and it is enrolled. */
  readonly isInScope: boolean;
  /** The integration of that item, or the last one the device belonged to (whose payloads may have to go). */
  readonly integrationId: string | undefined;
  /** What people call the device. */
  readonly label: string;
  /** A fleet rollout, or the abort of one, keeps a change from it. */
  readonly isHeld: boolean;
}

/** Whether the device is to be rolled out, for which integration, and what it is called. undefined: no such device. */
export async function findDeviceScope(sql: Sql, deviceId: string): Promise<DeviceScope | undefined> {
  const [row] = await sql.query<Omit<DeviceScope, 'integrationId'> & { integrationId: string | null }>(
    `select scope.is_in_scope, ${isHeldSql('scope.device_id')} as is_held,
            coalesce(case when scope.is_switched_on then scope.integration_id end, trust.integration_id, scope.integration_id) as integration_id,
            coalesce(devices.name, devices.serial_number, devices.family) as label
       from device_scope as scope
       join devices on devices.id = scope.device_id
       left join device_trust as trust on trust.device_id = scope.device_id
      where scope.device_id = $1`,
    [deviceId],
  );
  return row && { ...row, integrationId: row.integrationId ?? undefined };
}

/**
 * Whether the device's next command is probably moments away: its rollout is in a phase that sends commands, or a workflow is
 * about to be told something of it, or was told within the last seconds.
 */
export async function isBusy(sql: Sql, deviceId: string): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(`select ${isBusySql('$1::uuid', '$2')} as yes`, [
    deviceId,
    SENDING,
  ]);
  return row?.yes ?? false;
}

export const isBusySql = (device: string, sending: string): string => `(
     exists (select from device_trust where device_id = ${device} and phase = any(${sending}))
  or exists (select from outbox where ordering_key = ${device}::text and delivered_at is null)
  or exists (select from outbox where ordering_key = ${device}::text and delivered_at > now() - interval '3 seconds'
              and outcome <> 'gone'))`;

export const SENDING: readonly RolloutPhase[] = [
  'asking_device',
  'certificate',
  'profiles',
  'waiting_for_license',
  'app',
  'app_configuration',
  'removing',
];

/** A rollout that failed because the device was silent starts again at its next contact, at most once a day. */
export async function wasSilent(sql: Sql, deviceId: string): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(`select ${wasSilentSql('$1::uuid')} as yes`, [deviceId]);
  return row?.yes ?? false;
}

export const wasSilentSql = (device: string): string => `exists (
  select from device_trust
   where device_id = ${device} and phase = 'failed' and failure_code = 'mdm.device_silent'
     and not exists (select from rollout_runs where device_id = ${device} and started_at > now() - interval '1 day')
     and not exists (select from outbox where ordering_key = ${device}::text and delivered_at is null))`;
