// What a Fleet server says of a host, recorded as if the device had said it to Odette: it enrolled there, enrolled anew, or left.
import type { FleetClient, FleetHost } from '../../adapters/fleet/fleet-client.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import {
  findEnrolledMark,
  recordEnrolledMark,
  recordEnrollmentBegun,
  recordRelation,
} from '../../adapters/store/devices/channel-relations.ts';
import { recordOffered } from '../../adapters/store/devices/channel-commands.ts';
import type { ChannelLabel, ChannelRow } from '../../adapters/store/devices/channels.ts';
import { findDeviceForUpdate, recordContact, type DeviceRow } from '../../adapters/store/devices/devices.ts';
import { lockUdid } from '../../adapters/store/devices/enrollments.ts';
import { familyOf, isEnrolled, type DeviceFamily } from '../../domain/device.ts';
import { proveAgain, recordLeft } from '../mdm/relation.ts';
import { begin, finish } from './told.ts';

/** Which hosts become devices of Odette. */
type Wanted =
  /** Those that one of the labels names, into its blueprint. */
  | { readonly by: 'label'; readonly labels: readonly ChannelLabel[] }
  /** This one: an operator named it. */
  | { readonly by: 'name' };

/** taken: it is a device now; known: it was; ignored: Odette does not want it, Fleet does not manage it, or another channel has it. */
type HostOutcome = 'taken' | 'known' | 'left' | 'ignored';

interface Said {
  readonly channel: ChannelRow;
  readonly host: FleetHost;
  /** When Fleet was asked, by the database's clock. */
  readonly at: Date;
  /** Since the device's last contact, milliseconds; undefined: not said. */
  readonly contactAgoMs?: number | undefined;
}

export const recordHost = (database: Database, said: Said, wanted: Wanted): Promise<HostOutcome> =>
  database.inTransaction(async (sql) => {
    const { channel, host } = said;
    await lockUdid(sql, host.udid);
    const device = await findDeviceForUpdate(sql, host.udid);
    const isHere = device?.channelId === channel.id;
    if (device !== undefined && isEnrolled(device.enrollmentStatus)) {
      // One that another channel has is that channel's: it leaves there first.
      if (!isHere) return 'ignored';
      return host.isManaged ? recordKnown(sql, said, device) : leave(sql, device, said.at);
    }
    if (!host.isManaged || familyOfHost(host) === 'Other') return 'ignored';
    // Who was here before comes back to where it was.
    const label = wanted.by === 'label' ? labelOf(host, wanted.labels) : undefined;
    if (wanted.by === 'label' && label === undefined && !isHere) return 'ignored';
    await enroll(sql, said, label?.blueprintId ?? channel.blueprintId);
    return 'taken';
  });

/**
 * Asks Fleet about one device of the channel, which comes, stays or leaves as it says.
 * @param at when Fleet is asked, by the database's clock
 */
export async function lookUp(
  database: Database,
  client: Pick<FleetClient, 'host'>,
  { channel, udid, at }: { readonly channel: ChannelRow; readonly udid: string; readonly at: Date },
): Promise<void> {
  const host = await client.host(udid);
  if (host === undefined) {
    await recordGone(database, { channel, udid, at });
    return;
  }
  const { atMs, checkedInAtMs } = host;
  const contactAgoMs = checkedInAtMs === undefined ? undefined : Math.max(0, atMs - checkedInAtMs);
  await recordHost(database, { channel, host, at, contactAgoMs }, { by: 'label', labels: [] });
}

/** Fleet has no such host any more. */
const recordGone = (
  database: Database,
  { channel, udid, at }: { readonly channel: ChannelRow; readonly udid: string; readonly at: Date },
): Promise<HostOutcome> =>
  database.inTransaction(async (sql) => {
    const device = await findDeviceForUpdate(sql, udid);
    const isHere = device?.channelId === channel.id && isEnrolled(device.enrollmentStatus);
    return isHere ? leave(sql, device, at) : 'ignored';
  });

async function recordKnown(sql: Sql, said: Said, device: DeviceRow): Promise<HostOutcome> {
  const { enrolledMark } = said.host;
  if (enrolledMark !== undefined) {
    const before = await findEnrolledMark(sql, device.id);
    if (before !== null && before !== enrolledMark) {
      await enroll(sql, said, null);
      return 'taken';
    }
    if (before === null) await recordEnrolledMark(sql, device.id, enrolledMark);
  }
  await takeContact(sql, said, device);
  return 'known';
}

async function takeContact(sql: Sql, { at, contactAgoMs }: Said, device: DeviceRow): Promise<void> {
  if (contactAgoMs === undefined) return;
  const isNews = at.getTime() - contactAgoMs > (device.lastContactAt?.getTime() ?? 0);
  if (!isNews) return;
  const contact = await recordContact(sql, device.udid, contactAgoMs);
  await recordOffered(sql, device.id, null, contactAgoMs);
  if (contact?.wasUnreachable) await proveAgain(sql, device.id);
}

async function enroll(sql: Sql, { channel, host, at }: Said, blueprintId: string | null): Promise<void> {
  const family = familyOfHost(host);
  const { udid, model, serialNumber, name, osVersion } = host;
  const device = { udid, family, model, serialNumber, name, osVersion };
  const deviceId = await begin(sql, { channel: { ...channel, blueprintId } }, device);
  const begun = { isAdopted: false, isTokenKnown: true };
  await recordEnrollmentBegun(sql, deviceId, at.toISOString(), begun);
  await recordEnrolledMark(sql, deviceId, host.enrolledMark ?? null);
  await finish(sql, deviceId, family);
}

async function leave(sql: Sql, device: DeviceRow, at: Date): Promise<HostOutcome> {
  await recordLeft(sql, device.id);
  await recordRelation(sql, device.id, at.toISOString(), false);
  return 'left';
}

const labelOf = (host: FleetHost, labels: readonly ChannelLabel[]): ChannelLabel | undefined =>
  labels.find(({ label }) => host.labels.includes(label));

/** Older versions do not know every model; what it is they know. */
const familyOfHost = ({ model, platform }: FleetHost): DeviceFamily =>
  model === '' ? PLATFORM_FAMILIES[platform] : familyOf(model);

const PLATFORM_FAMILIES = { darwin: 'Mac', ios: 'iPhone', ipados: 'iPad' } as const;
