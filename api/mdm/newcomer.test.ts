// Enrollments at once that want the same: the usual way is one statement, and who loses goes the long way and is judged there.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { challengeFor, identityFor, ProtocolDevice } from '../../test/harness/protocol-device.ts';

let listener: DeviceListener;
beforeAll(async () => {
  listener = await startDeviceListener();
});
afterAll(() => listener.stop());

const ROUNDS = 5;
const identity = async () =>
  identityFor(listener.url, await challengeFor(listener.url, await listener.newCode()));
const statusesOf = async (devices: readonly ProtocolDevice[]) =>
  (await Promise.all(devices.map((device) => device.authenticate()))).map(({ status }) => status);
const enrolled = (udids: readonly string[]) =>
  listener.database.query<{ udid: string; fingerprint: Buffer; audited: number; told: number }>(
    `select udid, identity_fingerprint as fingerprint,
            (select count(*)::int from audit_entries where subject = 'device:' || devices.id and action = 'enrollment.new') as audited,
            (select count(*)::int from device_timeline where device_id = devices.id and kind = 'authenticated') as told
       from devices where udid = any($1)`,
    [udids],
  );

test('of devices that say Authenticate at once with one identity only one enrolls', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const shared = await identity();
    const devices = Array.from({ length: 4 }, () => new ProtocolDevice(listener.url, shared));
    const statuses = await statusesOf(devices);
    const admitted = devices.filter((_, place) => statuses[place] === 200).map(({ udid }) => udid);
    expect(admitted).toHaveLength(1);
    const rows = await enrolled(devices.map(({ udid }) => udid));
    expect(rows).toMatchObject([{ udid: admitted[0], audited: 1, told: 1 }]);
  }
});

test('of identities that claim one new device at once each is judged after the one before, and the device has the last that was admitted', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { udid } = new ProtocolDevice(listener.url, await identity());
    const devices: ProtocolDevice[] = [];
    for (let one = 0; one < 3; one += 1)
      devices.push(new ProtocolDevice(listener.url, await identity(), udid));
    const statuses = await statusesOf(devices);
    const admitted = devices.filter((_, place) => statuses[place] === 200);
    const rows = await enrolled([udid]);
    expect(rows).toMatchObject([{ udid, audited: admitted.length, told: admitted.length }]);
    // Only a newer identity takes the place of an older one.
    expect(rows[0]?.fingerprint).toEqual(admitted.at(-1)?.identity.certificate.fingerprint);
  }
});

test('a TokenUpdate that comes twice at once enrolls once', async () => {
  const device = new ProtocolDevice(listener.url, await identity());
  await device.authenticate();
  await listener.database.query('delete from outbox');
  const responses = await Promise.all([device.updateToken(), device.updateToken(), device.updateToken()]);
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
  const told = await listener.database.query<{ signal: string }>(
    `select message ->> 'signal' as signal from outbox order by position`,
  );
  expect(told.map(({ signal }) => signal)).toEqual(['deviceEnrolled', 'deviceEnrolled']);
  const [row] = await listener.database.query<{ entries: number }>(
    `select count(*)::int as entries from device_timeline join devices on devices.id = device_id where udid = $1 and kind = 'enrolled'`,
    [device.udid],
  );
  expect(row).toEqual({ entries: 1 });
});
