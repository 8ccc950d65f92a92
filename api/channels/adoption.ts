// Devices that were enrolled in another MDM server before Odette knew them: asked who they are, and known once they respond. That server's
// API lists nothing, so an admin names their UDIDs, or they are found when they check in.
import { buildCommand } from '../../adapters/mdm/command.ts';
import { readResponse } from '../../adapters/mdm/response.ts';
import type { NanoMdmClient } from '../../adapters/nanomdm/nanomdm-client.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { recordEnrollmentBegun } from '../../adapters/store/devices/channel-relations.ts';
import {
  beginAdoption,
  dropAdoption,
  endAdoption,
  type ChannelRow,
} from '../../adapters/store/devices/channels.ts';
import { findDeviceForUpdate, recordDeviceDetails } from '../../adapters/store/devices/devices.ts';
import { lockUdid } from '../../adapters/store/devices/enrollments.ts';
import { familyOf } from '../../domain/device.ts';
import { begin, finish, type Told } from './told.ts';

export type ChannelClient = Pick<NanoMdmClient, 'enqueue' | 'push'>;

/**
 * Asks the device who it is, at most once a minute: `known` says that it was. `refused`: the other server does not have it.
 * @throws CataloguedError `channel.*` where the server could not be asked
 */
export async function requestDetails(
  database: Database,
  client: ChannelClient,
  channel: ChannelRow,
  udid: string,
): Promise<'asked' | 'known' | 'refused'> {
  const uuid = await database.inTransaction(async (sql) => {
    // Its Authenticate, told at the same time, may have made it known meanwhile.
    await lockUdid(sql, udid);
    const device = await findDeviceForUpdate(sql, udid);
    return device === undefined || device.enrollmentStatus === 'checked_out'
      ? beginAdoption(sql, channel.id, udid)
      : undefined;
  });
  if (uuid === undefined) return 'known';
  try {
    const taken = await client.enqueue(udid, buildCommand(uuid, { requestType: 'DeviceInformation' }));
    if (taken.kind === 'refused') {
      await dropAdoption(database, channel.id, uuid);
      return 'refused';
    }
  } catch (error) {
    await dropAdoption(database, channel.id, uuid);
    throw error;
  }
  // It responds when it checks in by itself, too.
  await client.push(udid).catch(() => undefined);
  return 'asked';
}

/** true: it was the response, and the device is known now. */
export async function adopt(database: Database, told: Told): Promise<boolean> {
  const { message, channel, at } = told;
  const uuid = message.type === 'Report' ? message.commandUuid : undefined;
  if (message.type !== 'Report' || message.status !== 'Acknowledged' || uuid === undefined) return false;
  const response = await readResponse('DeviceInformation', message);
  if (response.kind !== 'deviceInformation' || response.productName === undefined) return false;
  const { productName: model, ...details } = response;
  return database.inTransaction(async (sql: Sql) => {
    await lockUdid(sql, message.udid);
    if (!(await endAdoption(sql, channel.id, message.udid, uuid))) return false;
    const known = await findDeviceForUpdate(sql, message.udid);
    if (known && known.enrollmentStatus !== 'checked_out') return false;
    const family = familyOf(model);
    const { name, serialNumber, osVersion } = details;
    const deviceId = await begin(sql, told, {
      udid: message.udid,
      family,
      model,
      name,
      serialNumber,
      osVersion,
    });
    await recordDeviceDetails(sql, deviceId, response);
    await recordEnrollmentBegun(sql, deviceId, at, { isAdopted: true, isTokenKnown: true });
    await finish(sql, deviceId, family);
    return true;
  });
}
