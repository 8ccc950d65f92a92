// When the TLS certificate of the device listener ends: told by the device process, shown by the API.
import type { Sql } from '../base/database.ts';
import { readInstanceSetting, takeInstanceSetting, writeInstanceSetting } from '../base/instance-settings.ts';

const NAME = 'device_tls';

export const saveDeviceTls = (sql: Sql, notAfter: Date): Promise<void> =>
  writeInstanceSetting(sql, NAME, { notAfter: notAfter.toISOString() });

/** TLS ends elsewhere. */
export async function deleteDeviceTls(sql: Sql): Promise<void> {
  await takeInstanceSetting(sql, NAME, {});
}

export async function readDeviceTlsEnd(sql: Sql): Promise<Date | undefined> {
  const read = await readInstanceSetting<{ readonly notAfter: string }>(sql, NAME);
  return read && new Date(read.notAfter);
}
