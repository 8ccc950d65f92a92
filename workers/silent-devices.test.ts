// A device that has been silent for two weeks is not trusted, and one that calls again has everything to prove.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDeviceListener, type DeviceListener } from '../test/harness/device-listener.ts';
import { ProtocolDevice } from '../test/harness/protocol-device.ts';
import { recordSilentDevices } from './silent-devices.ts';

let listener: DeviceListener;
beforeAll(async () => {
  listener = await startDeviceListener();
});
afterAll(() => listener.stop());

async function trustedSince(days: number): Promise<ProtocolDevice> {
  const device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  await listener.database.query(
    `with device as (update devices set last_contact_at = now() - make_interval(days => $2) where udid = $1 returning id)
     insert into device_trust (device_id, bucket, phase, integration_id, delivered)
     select device.id, 'trusted', 'delivered', integrations.id, true from device, integrations`,
    [device.udid, days],
  );
  return device;
}
const standing = async (device: ProtocolDevice) =>
  (
    await listener.database.query<{ bucket: string; waitsFor: string | null }>(
      `select bucket, waits_for from device_trust join devices on devices.id = device_id where udid = $1`,
      [device.udid],
    )
  )[0];

test('silence of two weeks makes a trusted device unreachable; less does not', async () => {
  const [silent, quiet] = [await trustedSince(15), await trustedSince(13)];
  expect(await recordSilentDevices(listener.database)).toBe(1);
  expect(await standing(silent)).toMatchObject({
    bucket: 'unreachable',
    waitsFor: expect.stringContaining('has not checked in for more than 14 days') as string,
  });
  expect((await standing(quiet))?.bucket).toBe('trusted');
  expect(await recordSilentDevices(listener.database)).toBe(0);
});

test('a device that calls again has to prove everything anew, and is asked once', async () => {
  const device = await trustedSince(20);
  await recordSilentDevices(listener.database);
  await listener.database.query('delete from outbox');
  await device.idle();
  await device.idle();
  expect((await standing(device))?.bucket).toBe('in_progress');
  const rows = await listener.database.query<{ kind: string }>(
    `select message ->> 'kind' as kind from outbox`,
  );
  expect(rows).toEqual([{ kind: 'rollOutDevice' }]);
});

test('a device whose push token is gone stays unreachable until it brings a new one', async () => {
  const device = await trustedSince(0);
  await listener.database.query(
    `update device_trust set bucket = 'unreachable' from devices where devices.id = device_id and udid = $1`,
    [device.udid],
  );
  await listener.database.query(`update devices set enrollment_status = 'unreachable' where udid = $1`, [
    device.udid,
  ]);
  await device.idle();
  expect((await standing(device))?.bucket).toBe('unreachable');
  await device.updateToken();
  expect((await standing(device))?.bucket).toBe('in_progress');
});

test('a device that checked out has left, and is in no total', async () => {
  const total = async () =>
    (
      await listener.database.query<{ value: string }>(
        `select sum(value) as value from fleet_totals where name = 'total'`,
      )
    )[0]?.value;
  const device = await trustedSince(0);
  const before = Number(await total());
  await device.checkOut();
  expect((await standing(device))?.bucket).toBe('left');
  expect(Number(await total())).toBe(before - 1);
});
