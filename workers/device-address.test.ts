import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { saveDeviceAddress, readDeviceAddress } from '../adapters/store/devices/device-address.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { ConfigError } from './config.ts';
import { proveDeviceAddress } from './device-address.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());
beforeEach(() => own.database.query('delete from instance_settings'));

const OLD = 'https://mdm.example.com';
const NEW = 'https://other.example.com';
const start = (publicUrl?: string, publicUrlWas?: string) =>
  proveDeviceAddress(own.database, { publicUrl, publicUrlWas });
const kept = () => readDeviceAddress(own.database);

describe('ODETTE_PUBLIC_URL', () => {
  test('may be anything until a device is enrolled', async () => {
    await start(OLD);
    await start(NEW);
    await start();
    expect(await kept()).toBeUndefined();
  });

  test('is refused when it is not what enrolled devices know: the message says what it was and what to do', async () => {
    await saveDeviceAddress(own.database, OLD);
    await start(OLD);
    await start('https://MDM.example.com:443');
    for (const [wrong, said] of [
      [NEW, NEW],
      [undefined, 'not set'],
    ] as const) {
      const refused = await start(wrong).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ConfigError);
      expect(String(refused)).toContain(`enrolled with ${OLD}, but ODETTE_PUBLIC_URL is ${said}`);
      expect(String(refused)).toContain(`Set ODETTE_PUBLIC_URL=${OLD}`);
      expect(String(refused)).toContain(`ODETTE_PUBLIC_URL_WAS=${OLD}`);
    }
    expect(await kept()).toBe(OLD);
  });

  test('is changed by who names what it was, and then refused as before', async () => {
    await saveDeviceAddress(own.database, OLD);
    await expect(start(NEW, 'https://third.example.com')).rejects.toThrow(ConfigError);
    await start(NEW, OLD);
    await start(NEW, OLD);
    await start(NEW);
    await expect(start(OLD)).rejects.toThrow(ConfigError);
    const noted = await own.database.query<{ detail: object }>(
      `select detail from audit_entries where action = 'device_address.changed'`,
    );
    expect(noted).toEqual([{ detail: { changes: [{ name: 'address', before: OLD, after: NEW }] } }]);
  });

  test('is kept for devices that enrolled before it was', async () => {
    await own.database.query(
      `insert into devices (family, platform, udid, enrollment_status, enrollment_id, identity_fingerprint)
       values ('Mac', 'macOS', 'udid-1', 'enrolled', gen_random_uuid(), '\\x01')`,
    );
    await start(OLD);
    await expect(start(NEW)).rejects.toThrow(ConfigError);
  });
});
