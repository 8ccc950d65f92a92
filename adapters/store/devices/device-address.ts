// The address that enrolled devices know: kept at the first enrollment, for an enrolled device never learns another.
import type { Sql } from '../base/database.ts';
import {
  saveInstanceSettingOnce,
  readInstanceSetting,
  writeInstanceSetting,
} from '../base/instance-settings.ts';

/** The setting that holds it. */
export const DEVICE_ADDRESS = 'device_address';
interface DeviceAddress {
  readonly url: string;
}

export async function saveDeviceAddress(sql: Sql, url: string): Promise<void> {
  await saveInstanceSettingOnce<DeviceAddress>(sql, DEVICE_ADDRESS, { url });
}

/** Only when an admin says that devices shall be lost. */
export const replaceDeviceAddress = (sql: Sql, url: string): Promise<void> =>
  writeInstanceSetting(sql, DEVICE_ADDRESS, { url } satisfies DeviceAddress);

export const readDeviceAddress = async (sql: Sql): Promise<string | undefined> =>
  (await readInstanceSetting<DeviceAddress>(sql, DEVICE_ADDRESS))?.url;

/** A device knows the address as soon as it has the profile, which is before it is enrolled. */
export async function isAddressKnown(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ known: boolean }>(
    `select exists (select from devices where enrollment_status <> 'checked_out') as known`,
  );
  return row?.known ?? false;
}
