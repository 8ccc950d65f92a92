// What nearly all enrollments are, in one statement for each message: an unknown device begins with an identity that nobody has used, and says how
// it is woken.
import type { DeviceFamily, Platform } from '../../../domain/device.ts';
import { LANES } from '../../../domain/lanes.ts';
import type { Database, Sql } from '../base/database.ts';
import { EVENTS_CHANNEL } from '../base/events.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';
import { hasSqlState } from '../base/sql-state.ts';
import { DEVICE_ADDRESS } from './device-address.ts';
import type { TimelineEntry } from './device-timeline.ts';
import { HAS_NOTHING_OPEN, isUnchangedSql } from './devices.ts';
import { lockingUdid, type PushDetails } from './enrollments.ts';
import { IDENTITY_COLUMNS, type IssuedIdentity } from './identity-certificates.ts';

interface NewcomerSender {
  readonly udid: string;
  readonly fingerprint: Buffer;
  readonly topic: string;
}

/** The identity of a device that Odette has never seen. undefined: it has, or the identity is not Odette's or held by a device, or it cannot be woken. */
export async function findNewcomer(
  sql: Sql,
  { udid, fingerprint, topic }: NewcomerSender,
): Promise<IssuedIdentity | undefined> {
  const [row] = await sql.query<IssuedIdentity>(
    `select ${IDENTITY_COLUMNS}
       from identity_certificates left join enrollment_codes on enrollment_codes.id = enrollment_code_id
      where certificate is not null and sha256(certificate) = $2
        and not exists (select from devices where udid = $1) and not exists (select from devices where identity_fingerprint = $2)
        and exists (select from push_certificates where topic = $3)`,
    [udid, fingerprint, topic],
  );
  return row;
}

export interface Newcomer extends NewcomerSender {
  readonly family: DeviceFamily;
  readonly platform: Platform;
  readonly serialNumber: string | undefined;
  readonly name: string | undefined;
  readonly model: string;
  readonly osVersion: string | undefined;
  readonly blueprintId: string | null;
  readonly userName: string | null;
  /** Of its certificate. */
  readonly certificate: string;
  readonly told: TimelineEntry;
  /** That it knows from now on. */
  readonly publicUrl: string | undefined;
}

const RECORD_NEWCOMER = `
  with lock as materialized (select ${lockingUdid('$1')}),
  identity as (
    update identity_certificates set used_at = now() from lock
     where certificate is not null and sha256(certificate) = $2 and used_at is null returning 1),
  device as (
    insert into devices (udid, identity_fingerprint, topic, family, platform, serial_number, name, model, os_version, blueprint_id, user_name,
                         enrollment_status, enrollment_id, last_contact_at)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'authenticated', gen_random_uuid(), now() from identity
    returning id, 'device:' || id as subject),
  audited as (
    insert into audit_entries (actor, action, subject, detail)
    select subject, 'enrollment.new', subject, jsonb_build_object('certificate', $12::text) from device),
  told as (insert into device_timeline (device_id, kind, text) select id, $13, $14 from device),
  happened as (insert into events (kind, subject) select 'device.authenticated', subject from device),
  known as (
    insert into instance_settings (name, value) select '${DEVICE_ADDRESS}', jsonb_build_object('url', $15::text) from device where $15 is not null
    on conflict (name) do nothing)
  select from device`;

/**
 * Authenticate of a device that `findNewcomer` found: as beginEnrollment and all around it. No workflow is told, for none can run of a device that
 * was not there. false: somebody was first, and nothing was written.
 */
export async function recordNewcomer(database: Database, newcomer: Newcomer): Promise<boolean> {
  const { udid, fingerprint, topic, told } = newcomer;
  const rows = await database
    .query(RECORD_NEWCOMER, [
      udid,
      fingerprint,
      topic,
      newcomer.family,
      newcomer.platform,
      newcomer.serialNumber ?? null,
      newcomer.name ?? null,
      newcomer.model,
      newcomer.osVersion ?? null,
      newcomer.blueprintId,
      newcomer.userName,
      newcomer.certificate,
      told.kind,
      told.text,
      newcomer.publicUrl ?? null,
    ])
    .catch((error: unknown) => {
      // Another Authenticate of the UDID, or with this identity, was first.
      if (hasSqlState(error, 'unique_violation')) return [];
      throw error;
    });
  if (rows.length === 0) return false;
  database.announce(EVENTS_CHANNEL, '');
  return true;
}

/** In the place of the device's id in `messages`, which is known only to the statement. */
export const DEVICE_ID = '{deviceId}';

export interface TokenAtOnce extends PushDetails {
  readonly udid: string;
  readonly fingerprint: Buffer;
  /** If it is the first of this enrollment. */
  readonly told: TimelineEntry;
  /** For the outbox, in this order, if it is the first. */
  readonly messages: readonly object[];
}

const RECORD_TOKEN = `
  with device as materialized (
    select id, enrollment_status = 'authenticated' as is_first from devices
     where udid = $1 and identity_fingerprint = $2 and enrollment_status in ('authenticated', 'enrolled') and family <> 'Other'
       and push_problem is null and ${HAS_NOTHING_OPEN} and exists (select from push_certificates where topic = $3)
       and ${isUnchangedSql('seen.udid = $1')} for no key update skip locked),
  updated as (
    update devices set topic = $3, push_token = $4, push_magic = $5, enrollment_status = 'enrolled', long_poll_until = null,
           last_contact_at = greatest(last_contact_at, now()), enrolled_at = case when is_first then now() else enrolled_at end
      from device where devices.id = device.id),
  told as (insert into device_timeline (device_id, kind, text) select id, $6, $7 from device where is_first),
  happened as (insert into events (kind, subject) select 'device.enrolled', 'device:' || id from device where is_first),
  waiting as (
    insert into outbox (ordering_key, lane, message)
    select id::text, ${LANES.device}, replace(message, '${DEVICE_ID}', id::text)::jsonb
      from device cross join unnest($8::text[]) with ordinality as given (message, place) where is_first order by place)
  select id, is_first from device`;

/**
 * TokenUpdate of a device of which nothing else has to be looked into: as recordTokenUpdate and all around it. false: something has, or another
 * message of the device is being served or was just now (response-at-once.ts); nothing was written.
 */
export async function recordTokenAtOnce(database: Database, update: TokenAtOnce): Promise<boolean> {
  const [row] = await database.query<{ id: string; isFirst: boolean }>(RECORD_TOKEN, [
    update.udid,
    update.fingerprint,
    update.topic,
    update.token,
    update.pushMagic,
    update.told.kind,
    update.told.text,
    update.messages.map((message) => JSON.stringify(message)),
  ]);
  if (row?.isFirst === true) {
    database.announce(EVENTS_CHANNEL, '');
    database.announce(OUTBOX_CHANNEL, row.id);
  }
  return row !== undefined;
}
