// Proves at start that devices still find Odette where it was when the first of them enrolled.
import { changesBetween } from '../domain/audit-change.ts';
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Database } from '../adapters/store/base/database.ts';
import {
  isAddressKnown,
  saveDeviceAddress,
  readDeviceAddress,
  replaceDeviceAddress,
} from '../adapters/store/devices/device-address.ts';
import { ConfigError, type Config } from './config.ts';

/** @throws ConfigError ODETTE_PUBLIC_URL is not what enrolled devices know, and nobody said that this is meant */
export async function proveDeviceAddress(
  database: Database,
  { publicUrl, publicUrlWas }: Pick<Config, 'publicUrl' | 'publicUrlWas'>,
): Promise<void> {
  const known = await readDeviceAddress(database);
  if (known === undefined) {
    // Enrolled before the address was kept.
    if (publicUrl !== undefined && (await isAddressKnown(database)))
      await saveDeviceAddress(database, publicUrl);
    return;
  }
  if (publicUrl !== undefined && isSame(known, publicUrl)) return;
  if (publicUrl === undefined || publicUrlWas === undefined || !isSame(known, publicUrlWas))
    throw new ConfigError(
      [
        `Devices are enrolled with ${known}, but ODETTE_PUBLIC_URL is ${publicUrl ?? 'not set'}.`,
        'An enrolled device never learns another address, so Odette would lose it.',
        `Set ODETTE_PUBLIC_URL=${known} and start again.`,
        `To change it anyway, also set ODETTE_PUBLIC_URL_WAS=${known}: every device must then enroll again.`,
      ].join('\n  '),
    );
  await database.inTransaction(async (sql) => {
    await replaceDeviceAddress(sql, publicUrl);
    const detail = { changes: changesBetween({ address: known }, { address: publicUrl }) };
    await appendAudit(sql, { actor: 'system', action: 'device_address.changed', detail });
  });
}

/** `https://MDM.example.com:443` is where `https://mdm.example.com` is. */
const isSame = (one: string, other: string): boolean => new URL(one).href === new URL(other).href;
