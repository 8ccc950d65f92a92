// A device's MDM relation: enrollment codes, Authenticate, TokenUpdate, CheckOut.
import { createHash, randomInt } from 'node:crypto';
import type { DeviceFamily, Platform, PushProblem } from '../../../domain/device.ts';
import type { ChannelKind } from '../../../domain/device-channel.ts';
import { obstacleText } from '../../../domain/trust-text.ts';
import type { Sql } from '../base/database.ts';
import { deleteBootstrapToken } from './bootstrap-tokens.ts';
import { withdrawOutstanding } from './commands.ts';
import { endUserChannels } from './user-channels.ts';
import type { DeviceRow } from './devices.ts';

// Crockford's base 32: no I, L, O, U, so that a code can be read out and typed on a phone.
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A code of 60 bits, e.g. 7KQ2-M0XR-9B4T. Only its hash is stored. */
export function newEnrollmentCode(): string {
  const letters = Array.from({ length: 12 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('');
  return [letters.slice(0, 4), letters.slice(4, 8), letters.slice(8)].join('-');
}

/** `enrollment_codes.code_hash`: SHA-256 of the code without blanks and dashes, in capitals, look-alikes made one. */
export function enrollmentCodeHash(code: string): Buffer {
  const canonical = code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return createHash('sha256').update(canonical).digest();
}

/**
 * Uses a code once, in one statement. A profile that was downloaded and never installed gives its use back: when its challenge has
 * expired, or when the same browser asks for another one.
 * @param replaced the identity whose profile that browser got before
 * @returns undefined: wrong, used up, revoked or expired (nobody is told which)
 */
export async function redeemEnrollmentCode(
  sql: Sql,
  code: string,
  replaced?: string,
): Promise<{ readonly id: string } | undefined> {
  const [row] = await sql.query<{ id: string }>(
    `with code as (select id from enrollment_codes where code_hash = $1 for update),
     given_back as (
       delete from identity_certificates as identity using code
        where identity.enrollment_code_id = code.id and certificate is null and used_at is null
          and (challenge_expires_at <= now() or identity.id = $2) returning 1),
     freed as (select count(*)::int as uses from given_back)
     update enrollment_codes set uses = greatest(enrollment_codes.uses - freed.uses, 0) + 1 from code, freed
      where enrollment_codes.id = code.id and revoked_at is null and expires_at > now() and enrollment_codes.uses - freed.uses < max_uses
      returning enrollment_codes.id`,
    [enrollmentCodeHash(code), replaced ?? null],
  );
  return row;
}

export interface AuthenticatedDevice {
  readonly udid: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  /** null: another MDM server wakes it. */
  readonly topic: string | null;
  readonly pushProblem: PushProblem | null;
  /** null: another MDM server knows its identity. */
  readonly identityFingerprint: Buffer | null;
  /** Absent: Odette's own MDM server. */
  readonly channelId?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly name?: string | undefined;
  readonly model?: string | undefined;
  readonly osVersion?: string | undefined;
  /** From the enrollment code; absent: the device keeps its blueprint and user. A code that names no user keeps it too. */
  readonly belongsTo?: { readonly blueprintId: string; readonly userName: string | null } | undefined;
  /** Nothing of an earlier enrollment counts: the device is enrolled for the first time, or again after it was over or lost. */
  readonly isNew: boolean;
}

/** Locks a UDID that may not have a row yet, so that two Authenticates of one new device do not race. */
export async function lockUdid(sql: Sql, udid: string): Promise<void> {
  await sql.query(`select ${lockingUdid('$1')}`, [udid]);
}

export const lockingUdid = (udid: string): string =>
  `pg_advisory_xact_lock(hashtextextended('odette:udid:' || ${udid}, 0))`;

/**
 * Authenticate: a new enrollment begins, pinned to the identity that signed it; the device is enrolled only at its first
 * TokenUpdate. Everything outstanding is withdrawn and all truths are reset. Returns the device's id.
 */
export async function beginEnrollment(sql: Sql, device: AuthenticatedDevice): Promise<string> {
  const [row] = await sql.query<{ id: string }>(
    `insert into devices (udid, family, platform, topic, identity_fingerprint, serial_number, name, model, os_version,
                          blueprint_id, user_name, enrollment_status, enrollment_id, last_contact_at, push_problem, channel_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'authenticated', gen_random_uuid(), now(), $14, $15)
     on conflict (udid) do update set
       family = excluded.family, platform = excluded.platform, topic = excluded.topic, channel_id = excluded.channel_id,
       identity_fingerprint = excluded.identity_fingerprint, serial_number = coalesce(excluded.serial_number, devices.serial_number),
       name = coalesce(excluded.name, devices.name), model = coalesce(excluded.model, devices.model),
       os_version = coalesce(excluded.os_version, devices.os_version),
       blueprint_id = case when $12 then excluded.blueprint_id else devices.blueprint_id end,
       user_name = case when $12 then coalesce(excluded.user_name, devices.user_name) else devices.user_name end,
       return_asked_at = null, return_allowed_until = null, return_allowed_by = null,
       enrollment_status = 'authenticated', enrollment_id = gen_random_uuid(), push_token = null, push_magic = null,
       push_problem = excluded.push_problem, enrolled_at = case when $13 then null else devices.enrolled_at end, long_poll_until = null, last_contact_at = now()
     returning id`,
    [
      device.udid,
      device.family,
      device.platform,
      device.topic,
      device.identityFingerprint,
      device.serialNumber ?? null,
      device.name ?? null,
      device.model ?? null,
      device.osVersion ?? null,
      device.belongsTo?.blueprintId ?? null,
      device.belongsTo?.userName ?? null,
      device.belongsTo !== undefined,
      device.isNew,
      device.pushProblem,
      device.channelId ?? null,
    ],
  );
  if (!row) throw new Error('an upsert returns its row');
  await withdrawOutstanding(sql, row.id);
  // A device that renews its identity keeps them; one that was erased or was away escrows another token, and its users begin anew.
  if (device.isNew) {
    await deleteBootstrapToken(sql, row.id);
    await endUserChannels(sql, row.id);
  }
  await resetTruths(sql, row.id, 'in_progress', 'The device must finish its enrollment.');
  return row.id;
}

/** Nothing that was shown about the device holds any more. What is known of its certificate's end is kept. */
async function resetTruths(
  sql: Sql,
  deviceId: string,
  bucket: 'in_progress' | 'left',
  waitsFor: string,
): Promise<void> {
  await sql.query('delete from device_truths where device_id = $1', [deviceId]);
  await sql.query('delete from reported_inventory where device_id = $1', [deviceId]);
  await sql.query(
    `update device_trust set bucket = case when $3 = 'in_progress' and integration_id is null then 'out_of_scope' else $3 end,
            delivered = false, certificate_present = case when certificate_present is not null then false end, okta_verify_managed = false, registered = false, managed = false,
            phase = 'not_enrolled', waits_for = $2, obstacle = case when $3 = 'left' then 'left' end, failure_code = null, verified_at = null, trusted_at = null, changed_at = now()
      where device_id = $1`,
    [deviceId, waitsFor, bucket],
  );
}

/** It calls again: not unreachable any more, and nothing is proven yet. false: it was not unreachable. */
export async function endUnreachable(sql: Sql, deviceId: string): Promise<boolean> {
  const rows = await sql.query(
    `update device_trust set bucket = 'in_progress', waits_for = null, obstacle = null, verified_at = null, changed_at = now()
      where device_id = $1 and bucket = 'unreachable' returning 1`,
    [deviceId],
  );
  return rows.length > 0;
}

/** Devices that have not called for so many days and are still shown as if they had. */
export async function findSilentDevices(sql: Sql, days: number, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select list.device_id as id from fleet_list as list
      where list.contact_at < now() - make_interval(days => $1) - interval '1 minute' and list.contact_at > '-infinity'
        and list.segment in (select id from fleet_segments where bucket not in ('unreachable', 'left', 'out_of_scope'))
      order by list.contact_at limit $2`,
    [days, limit],
  );
  return rows.map(({ id }) => id);
}

export interface PushDetails {
  readonly topic: string;
  readonly token: Buffer;
  readonly pushMagic: string;
}

/** TokenUpdate; with a problem the device cannot be woken, until it sends another. true: the first of this enrollment, so the device is enrolled now. A checked-out device stays out. */
export async function recordTokenUpdate(
  sql: Sql,
  device: DeviceRow,
  push: PushDetails,
  problem: PushProblem | null,
): Promise<boolean> {
  const isFirst = device.enrollmentStatus === 'authenticated';
  await sql.query(
    `update devices set topic = $2, push_token = $3, push_magic = $4, enrollment_status = case when $6::text is null then 'enrolled' else 'unreachable' end,
            push_problem = $6, last_contact_at = now(), enrolled_at = case when $5 then now() else enrolled_at end
      where id = $1 and enrollment_status <> 'checked_out'`,
    [device.id, push.topic, push.token, push.pushMagic, isFirst, problem],
  );
  return isFirst;
}

/** CheckOut: the MDM relation is over; what the profiles brought goes with it. */
export async function endEnrollment(sql: Sql, deviceId: string): Promise<void> {
  const [left] = await sql.query<{ family: DeviceFamily; channelKind: ChannelKind }>(
    `update devices set enrollment_status = 'checked_out', push_token = null, push_magic = null, long_poll_until = null,
            last_contact_at = now()
      where id = $1 returning family, coalesce((select kind from channels where id = channel_id), 'built_in') as channel_kind`,
    [deviceId],
  );
  if (!left) return;
  await withdrawOutstanding(sql, deviceId);
  await deleteBootstrapToken(sql, deviceId);
  await endUserChannels(sql, deviceId);
  // It may leave before anything was derived of it.
  await sql.query(
    `insert into device_trust (device_id, bucket) values ($1, 'left') on conflict (device_id) do nothing`,
    [deviceId],
  );
  await resetTruths(sql, deviceId, 'left', obstacleText('left', left.family, left.channelKind));
}
