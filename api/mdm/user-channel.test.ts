// Messages of a Mac's users over real HTTP: commands of their own from the Mac's own identity, and never in the device's way.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { findCommand } from '../../adapters/store/devices/commands.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { closeUserChannel, findUserChannel } from '../../adapters/store/devices/user-channels.ts';
import { readDeviceState } from '../../adapters/store/rollout/rollout-state.ts';
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

const listing = (key: string, value: unknown) => ({ Status: 'Acknowledged', [key]: value }) as PlistDict;

test('a user gets the commands of their channel and no other; what it lists is kept apart from the device’s', async () => {
  const mac = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const row = await findDeviceForUpdate(listener.database, mac.udid);
  if (!row) throw new Error('no such device');
  const ofUser = (message: PlistDict) => mac.report({ ...USER, ...message });
  const token = { MessageType: 'TokenUpdate', Topic: TOPIC, Token: Buffer.alloc(32, 7), PushMagic: 'theirs' };
  await ofUser(token);
  expect(await findUserChannel(listener.database, row.id)).toMatchObject({
    userId: USER.UserID,
    shortName: 'ada',
    pushMagic: 'theirs',
  });
  const theirs = await queueFor(listener, row, { requestType: 'ProfileList', userId: USER.UserID });
  const ours = await queueFor(listener, row, { requestType: 'ProfileList' });

  expect(await mac.idle()).toBe(ours);
  expect(await ofUser({ Status: 'Idle' })).toBe(theirs);
  // The device cannot answer for its user.
  const profile = { PayloadIdentifier: 'of.the.device', PayloadUUID: randomUUID(), PayloadContent: [] };
  await mac.report({ CommandUUID: theirs, ...listing('ProfileList', [profile]) });
  expect(await ofUser({ Status: 'NotNow', CommandUUID: theirs })).toBeUndefined();
  expect(await ofUser({ Status: 'Idle' })).toBe(theirs);
  await ofUser({
    CommandUUID: theirs,
    ...listing('ProfileList', [{ ...profile, PayloadIdentifier: 'of.ada' }]),
  });
  await mac.report({ CommandUUID: ours, ...listing('ProfileList', [profile]) });
  const state = await readDeviceState(listener.database, row.id);
  const names = (list: readonly { identifier: string }[] | null | undefined) =>
    list?.map(({ identifier }) => identifier);
  expect([names(state?.profiles), names(state?.userProfiles)]).toEqual([['of.the.device'], ['of.ada']]);
  expect(state?.hasUserChannel).toBe(true);

  await mac.checkOut();
  expect(await findUserChannel(listener.database, row.id)).toBeUndefined();
});

test('one user of a Mac answers nothing for another, nor gets what is for them', async () => {
  const mac = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const row = await findDeviceForUpdate(listener.database, mac.udid);
  if (!row) throw new Error('no such device');
  const [ada, eve] = [
    { UserID: 'ada', UserShortName: 'ada' },
    { UserID: 'eve', UserShortName: 'eve' },
  ];
  for (const [index, user] of [ada, eve].entries())
    await mac.report({
      ...user,
      MessageType: 'TokenUpdate',
      Topic: TOPIC,
      Token: Buffer.alloc(32, index + 1),
      PushMagic: 'm',
    });
  const theirs = await queueFor(listener, row, { requestType: 'ProfileList', userId: 'ada' });
  expect(await mac.report({ ...eve, Status: 'Idle' })).toBeUndefined();
  const lie = { PayloadIdentifier: 'of.eve', PayloadUUID: randomUUID(), PayloadContent: [] };
  await mac.report({ ...eve, CommandUUID: theirs, ...listing('ProfileList', [lie]) });
  await mac.report({ ...eve, CommandUUID: theirs, Status: 'NotNow' });
  await mac.report({ ...eve, CommandUUID: theirs, Status: 'Error', ErrorChain: [] });
  expect((await readDeviceState(listener.database, row.id))?.userProfiles ?? []).toEqual([]);
  expect(await mac.report({ ...ada, Status: 'Idle' })).toBe(theirs);
});

test('of several users the first counts, and one that Apple no longer delivers to makes room', async () => {
  const mac = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const { database } = listener;
  const row = await findDeviceForUpdate(database, mac.udid);
  if (!row) throw new Error('no such device');
  for (let count = 0; count < 12; count += 1)
    await mac.report({
      MessageType: 'TokenUpdate',
      Topic: TOPIC,
      UserID: `user ${count}`,
      Token: Buffer.alloc(32, count),
      PushMagic: 'm',
    });
  expect((await findUserChannel(database, row.id))?.userId).toBe('user 0');
  expect(await database.query('select from user_channels where device_id = $1', [row.id])).toHaveLength(10);
  const waits = await queueFor(listener, row, { userId: 'user 0' });
  await database.inTransaction((sql) => closeUserChannel(sql, row.id, Buffer.alloc(32, 0)));
  expect((await findUserChannel(database, row.id))?.userId).toBe('user 1');
  expect((await findCommand(database, waits))?.state).toBe('withdrawn');
});

test('another device cannot speak for the users of this one', async () => {
  const other = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const [shared] = [new ProtocolDevice(listener.url, other.identity, device.udid)];
  const response = await say({ Status: 'Idle' }, shared);
  expect(response).toEqual([400, 'mdm.signature_refused\n']);
});
