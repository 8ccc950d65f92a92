// What another MDM server tells of a device, recorded as if the device had said it to Odette. Its webhooks are lost, doubled and late:
// what is older than what was taken before changes nothing, and what is lost is asked again (activities/hand-over.ts).
import { refreshTrust } from '../../activities/refresh-trust.ts';
import type { Authenticate, DeviceMessage, Report } from '../../adapters/mdm/device-message.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { recordOffered, resolveCommandUuid } from '../../adapters/store/devices/channel-commands.ts';
import { findCommandOf } from '../../adapters/store/devices/commands.ts';
import {
  markEnrolled,
  recordEnrollmentBegun,
  recordNewerList,
  recordRelation,
  placeOf,
} from '../../adapters/store/devices/channel-relations.ts';
import { deleteAdoption, type ChannelRow } from '../../adapters/store/devices/channels.ts';
import { findDeviceForUpdate, recordContact, type DeviceRow } from '../../adapters/store/devices/devices.ts';
import { beginEnrollment, lockUdid } from '../../adapters/store/devices/enrollments.ts';
import { familyOf, platformOf, type DeviceFamily } from '../../domain/device.ts';
import { recordReport } from '../mdm/record-report.ts';
import { productOf, proveAgain, recordAuthenticated, recordEnrolled, recordLeft } from '../mdm/relation.ts';
import { readReport, type CompareConfiguration, type ReadReport } from '../mdm/response-reading.ts';
import { isUuid } from '../../domain/uuid.ts';

export interface Told {
  readonly channel: ChannelRow;
  /** By that server's clock, ISO 8601. */
  readonly at: string;
  readonly message: DeviceMessage;
  readonly body: Buffer;
  /** Since the device said it, milliseconds, where it is told later. */
  readonly ageMs?: number;
}

/** taken; ignored: old, told before, or not of this channel; unknown: Odette does not know the device yet. */
export type Outcome = 'taken' | 'ignored' | 'unknown';

export async function recordTold(
  dependencies: { readonly database: Database; readonly compareConfiguration: CompareConfiguration },
  told: Told,
): Promise<Outcome> {
  const { database, compareConfiguration } = dependencies;
  const { message } = told;
  switch (message.type) {
    case 'Authenticate':
      return database.inTransaction((sql) => authenticated(sql, told, message));
    case 'TokenUpdate':
      return database.inTransaction((sql) => ofKnown(sql, told, (device) => enrolled(sql, told, device)));
    case 'CheckOut':
      return database.inTransaction((sql) => ofKnown(sql, told, (device) => left(sql, told, device)));
    case 'Report': {
      const report = await named(database, message);
      const find = (uuid: string, udid: string) => findCommandOf(database, uuid, udid);
      const read = await readReport(find, compareConfiguration, report);
      return database.inTransaction((sql) =>
        ofKnown(sql, told, (device) => reported(sql, told, device, report, read)),
      );
    }
    default:
      return 'ignored';
  }
}

/** A command that was sent again has other names. */
async function named(sql: Sql, report: Report): Promise<Report> {
  const { commandUuid } = report;
  if (commandUuid === undefined || !isUuid(commandUuid)) return report;
  return { ...report, commandUuid: await resolveCommandUuid(sql, commandUuid) };
}

/** A device of this channel, locked. One that is enrolled elsewhere stays there: a webhook proves less than its own signature. */
async function ofKnown(
  sql: Sql,
  { channel, message }: Told,
  work: (device: DeviceRow) => Promise<Outcome>,
): Promise<Outcome> {
  // Of a user's channel nothing is taken: Odette does not deliver into login keychains here.
  if (message.userId !== undefined) return 'ignored';
  const device = (await findDeviceForUpdate(sql, message.udid)) ?? (await findNew(sql, message.udid));
  if (device === undefined) return 'unknown';
  if (device.channelId !== channel.id)
    return device.enrollmentStatus === 'checked_out' ? 'unknown' : 'ignored';
  return work(device);
}

/** Its Authenticate is told at the same time, and may be on its way into the tables. */
async function findNew(sql: Sql, udid: string): Promise<DeviceRow | undefined> {
  await lockUdid(sql, udid);
  return findDeviceForUpdate(sql, udid);
}

async function authenticated(sql: Sql, told: Told, message: Authenticate): Promise<Outcome> {
  const { channel, at } = told;
  if (message.userId !== undefined) return 'ignored';
  await lockUdid(sql, message.udid);
  const known = await findDeviceForUpdate(sql, message.udid);
  if (known && known.channelId !== channel.id && known.enrollmentStatus !== 'checked_out') {
    await appendAudit(sql, {
      actor: 'system',
      action: 'enrollment.refused',
      subject: `device:${known.id}`,
      detail: { reason: 'enrollment.takeover_refused', channel: channel.id },
    });
    return 'ignored';
  }
  const isOurs = known?.channelId === channel.id;
  const place = isOurs ? await placeOf(sql, known.id, at) : undefined;
  if (place?.isBeforeEnrollment) return 'ignored';
  // The CheckOut that ended this enrollment was told before its beginning.
  if (place?.isOvertaken && known?.enrollmentStatus === 'checked_out') return 'ignored';
  const hasEnrolled = place?.isOvertaken === true && place.isTokenKnown;
  const model = productOf(message);
  const family = familyOf(model);
  const deviceId = await begin(sql, told, {
    udid: message.udid,
    family,
    model,
    serialNumber: message.serialNumber,
    name: message.deviceName,
    osVersion: message.osVersion,
  });
  await recordEnrollmentBegun(sql, deviceId, at, { isAdopted: false, isTokenKnown: hasEnrolled });
  if (hasEnrolled) await finish(sql, deviceId, family);
  return 'taken';
}

export interface ToldDevice {
  readonly udid: string;
  readonly family: DeviceFamily;
  readonly model?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly name?: string | undefined;
  readonly osVersion?: string | undefined;
}

/** A device keeps the blueprint in which it was; a new one goes where the channel's devices go. */
export async function begin(
  sql: Sql,
  { channel }: Pick<Told, 'channel'>,
  device: ToldDevice,
): Promise<string> {
  const known = await findDeviceForUpdate(sql, device.udid);
  const { blueprintId } = channel;
  const deviceId = await beginEnrollment(sql, {
    ...device,
    platform: platformOf(device.family),
    topic: null,
    pushProblem: null,
    identityFingerprint: null,
    channelId: channel.id,
    belongsTo: known === undefined && blueprintId !== null ? { blueprintId, userName: null } : undefined,
    isNew: true,
  });
  await deleteAdoption(sql, channel.id, device.udid);
  await appendAudit(sql, {
    actor: `device:${deviceId}`,
    action: 'enrollment.new',
    subject: `device:${deviceId}`,
    detail: { channel: channel.id },
  });
  await recordAuthenticated(sql, deviceId, `The device enrolled in “${channel.name}”.`);
  return deviceId;
}

/** The enrollment that has begun is complete: the device takes commands. */
export async function finish(sql: Sql, deviceId: string, family: DeviceFamily): Promise<void> {
  await markEnrolled(sql, deviceId);
  if (family === 'Other') await refreshTrust(sql, deviceId, { now: new Date() });
  await recordEnrolled(sql, deviceId);
}

/** A TokenUpdate; or a report, which only an enrolled device sends: the TokenUpdate before it was lost, or is late. */
async function enrolled(sql: Sql, told: Told, device: DeviceRow): Promise<Outcome> {
  const { at } = told;
  const place = await placeOf(sql, device.id, at);
  if (place.isBeforeEnrollment) return 'ignored';
  if (device.enrollmentStatus === 'checked_out') {
    if (place.isOvertaken) return 'ignored';
    await beginAgain(sql, told, device);
  } else if (device.enrollmentStatus === 'authenticated') await finish(sql, device.id, device.family);
  const contact = await recordContact(sql, device.udid, told.ageMs);
  if (contact?.wasUnreachable) await proveAgain(sql, device.id);
  if (told.message.type === 'TokenUpdate' || !place.isTokenKnown)
    await recordRelation(sql, device.id, at, true);
  return 'taken';
}

/** It is back, and its Authenticate was lost: of what it was nothing counts. */
async function beginAgain(sql: Sql, told: Told, device: DeviceRow): Promise<void> {
  const { udid, family } = device;
  await begin(sql, told, { udid, family });
  await recordEnrollmentBegun(sql, device.id, told.at, { isAdopted: true, isTokenKnown: true });
  await finish(sql, device.id, family);
}

async function left(sql: Sql, { at }: Told, device: DeviceRow): Promise<Outcome> {
  const place = await placeOf(sql, device.id, at);
  if (place.isBeforeEnrollment || place.isOvertaken || device.enrollmentStatus === 'checked_out')
    return 'ignored';
  await recordLeft(sql, device.id);
  await recordRelation(sql, device.id, at, false);
  return 'taken';
}

async function reported(
  sql: Sql,
  told: Told,
  device: DeviceRow,
  report: Report,
  read: ReadReport | undefined,
): Promise<Outcome> {
  if ((await enrolled(sql, told, device)) !== 'taken') return 'ignored';
  await recordOffered(sql, device.id, read?.command.uuid ?? null, told.ageMs);
  await recordReport(sql, device.id, report, await inOrder(sql, told, device, read), told.body, {
    queue: 'theirs',
  });
  return 'taken';
}

/** A list that is older than the one before it says less of the device than what is known: its command is done, and it is left out. */
async function inOrder(
  sql: Sql,
  { at }: Told,
  device: DeviceRow,
  read: ReadReport | undefined,
): Promise<ReadReport | undefined> {
  if (read === undefined || read.response.kind === 'none') return read;
  const { requestType, state } = read.command;
  if (state === 'responded' || (await recordNewerList(sql, device.id, requestType, at))) return read;
  return { ...read, response: { kind: 'none' } };
}
