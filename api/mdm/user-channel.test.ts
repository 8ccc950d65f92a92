// Messages of a Mac's users over real HTTP: accepted from the Mac's own identity, without a command, and never in the device's way.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import {
  queueFor,
  startDeviceListener,
  TOPIC,
  type DeviceListener,
} from '../../test/harness/device-listener.ts';
import { ProtocolDevice } from '../../test/harness/protocol-device.ts';

let listener: DeviceListener;
let device: ProtocolDevice;
beforeAll(async () => {
  listener = await startDeviceListener();
  device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
});
afterAll(() => listener.stop());

const USER = { UserID: randomUUID().toUpperCase(), UserShortName: 'ada', UserLongName: 'Ada Lovelace' };
const say = async (message: PlistDict, from = device) => {
  const response = await from.send({ UDID: device.udid, ...USER, ...message });
  return [response.status, await response.text()];
};
const found = async () => {
  const row = await findDeviceForUpdate(listener.database, device.udid);
  if (!row) throw new Error('no such device');
  return row;
};

test('a directory user is declined', async () => {
  expect(await say({ MessageType: 'UserAuthenticate' })).toEqual([410, '']);
});

test('a user’s token and requests are accepted, and get no command of the device', async () => {
  const before = await found();
  await queueFor(listener, before);
  const token = {
    MessageType: 'TokenUpdate',
    Topic: TOPIC,
    Token: Buffer.alloc(32),
    PushMagic: 'of the user',
  };
  expect(await say(token)).toEqual([200, '']);
  expect(await say({ Status: 'Idle' })).toEqual([200, '']);
  expect(await say({ Status: 'Error', CommandUUID: randomUUID(), ErrorChain: [] })).toEqual([200, '']);
  const after = await found();
  expect([after.pushToken, after.pushMagic]).toEqual([before.pushToken, before.pushMagic]);
  expect(await device.idle()).toBeDefined();
});

test('a user’s request leaves the waiting request of the device alone', async () => {
  const until = new Date(Date.now() + 60_000);
  const { id } = await found();
  await listener.database.query('update devices set long_poll_until = $2 where id = $1', [id, until]);
  await say({ Status: 'Idle' });
  expect((await found()).longPollUntil).toEqual(until);
});

test('another device cannot speak for the users of this one', async () => {
  const other = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const [shared] = [new ProtocolDevice(listener.url, other.identity, device.udid)];
  const response = await say({ Status: 'Idle' }, shared);
  expect(response).toEqual([400, 'mdm.signature_refused\n']);
});
