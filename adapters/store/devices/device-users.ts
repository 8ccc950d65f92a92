// Who uses which device: the login that Okta knows the user by.
import type { Sql } from '../base/database.ts';

/** False when there is no such device. */
export async function nameDeviceUser(sql: Sql, deviceId: string, user: string | null): Promise<boolean> {
  const rows = await sql.query('update devices set user_name = $2 where id = $1 returning 1', [
    deviceId,
    user,
  ]);
  return rows.length > 0;
}

/** By what a list of users names a device. */
export type DeviceKey = 'id' | 'udid' | 'serialNumber';

export interface NamedDevice {
  /** As it was asked for, in lower case. */
  readonly key: string;
  readonly id: string;
  readonly user: string | null;
  readonly integrationId: string | null;
}

const COLUMNS: Readonly<Record<DeviceKey, string>> = {
  id: 'device.id::text',
  udid: 'lower(device.udid)',
  serialNumber: 'lower(device.serial_number)',
};

/** Of one key several, where two devices have one serial number. Locked, so that nobody renames them meanwhile. */
export const findNamedDevices = (sql: Sql, by: DeviceKey, keys: readonly string[]): Promise<NamedDevice[]> =>
  sql.query<NamedDevice>(
    `select ${COLUMNS[by]} as key, device.id, device.user_name as "user", trust.integration_id
       from devices as device left join device_trust as trust on trust.device_id = device.id
      where ${COLUMNS[by]} = any ($1) order by device.id for no key update of device`,
    [keys],
  );
