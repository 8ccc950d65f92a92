// Whom Odette's own MDM server wakes, and what Apple's refusals mean: of a device, and of a Mac's user.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { findUserChannel, recordUserToken } from '../adapters/store/devices/user-channels.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { queueFor, startDeviceListener, type DeviceListener } from '../test/harness/device-listener.ts';
import { ProtocolDevice } from '../test/harness/protocol-device.ts';
import { channelOf } from './channel-of.ts';
import type { ActivityDependencies } from './dependencies.ts';

const USER = { userId: 'ADA', topic: 'user-topic', token: Buffer.alloc(32, 9), pushMagic: 'user' };
let listener: DeviceListener;
let deps: ActivityDependencies;
/** Push magic of each that was pushed. */
const pushed: string[] = [];
/** What Apple says to the next push. */
let refusal: FailureCode | undefined;

beforeAll(async () => {
  listener = await startDeviceListener();
  deps = {
    database: listener.database,
    apns: () =>
      Promise.resolve({
        push({ pushMagic }: { pushMagic: string }) {
          pushed.push(pushMagic);
          const code = refusal;
          refusal = undefined;
          return code === undefined ? Promise.resolve() : Promise.reject(new CataloguedError(code));
        },
      }),
  } as Partial<ActivityDependencies> as ActivityDependencies;
}, 60_000);
afterAll(() => listener?.stop());
beforeEach(() => {
  pushed.splice(0);
});

async function enrolled() {
  const { database } = listener;
  const device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const [row] = await database.query<{ id: string; enrollmentId: string }>(
    'select id, enrollment_id from devices where udid = $1',
    [device.udid],
  );
  const { id, enrollmentId } = row ?? { id: '', enrollmentId: '' };
  const look = async () => {
    const found = await findChannelDevice(database, id);
    if (found === undefined) throw new Error('it is there');
    return { its: channelOf(deps, found), found };
  };
  return {
    id,
    enrollmentId,
    device,
    look,
    wake: async (whom: 'device' | 'user' = 'device') => {
      const { its, found } = await look();
      return its.wake(found, whom);
    },
  };
}

test('a device is pushed unless it asks for its next command by itself', async () => {
  const { wake, id, enrollmentId, device } = await enrolled();
  expect(await wake()).toBeNull();
  expect(pushed).toEqual(['magic']);
  const uuid = await queueFor(listener, { id, enrollmentId });
  expect(await device.idle()).toBe(uuid);
  expect(await wake()).toBeNull();
  expect(pushed).toHaveLength(1);
});

test("Apple's failure is told, and changes nothing; a token that is gone makes the device unreachable until it names another", async () => {
  const { wake, device, look } = await enrolled();
  refusal = 'apns.unreachable';
  expect(await wake()).toBe('apns.unreachable');
  expect((await look()).found.enrollmentStatus).toBe('enrolled');
  refusal = 'apns.token_gone';
  expect(await wake()).toBe('apns.token_gone');
  expect((await look()).found.enrollmentStatus).toBe('unreachable');
  expect(await wake()).toBe('apns.token_gone');
  expect(pushed).toHaveLength(2);
  await device.updateToken({ Token: Buffer.alloc(32, 1) });
  expect(await wake()).toBeNull();
  expect(pushed).toHaveLength(3);
});

test('a token that is gone says nothing of the one that the device has named since', async () => {
  const { device, look } = await enrolled();
  const { its, found } = await look();
  await device.updateToken({ Token: Buffer.alloc(32, 2) });
  refusal = 'apns.token_gone';
  expect(await its.wake(found, 'device')).toBe('apns.token_gone');
  expect((await look()).found.enrollmentStatus).toBe('enrolled');
});

test("a Mac's user is pushed by a token of its own, which ends alone", async () => {
  const { wake, id, look } = await enrolled();
  expect(await wake('user')).toBeNull();
  expect(pushed).toEqual([]);
  await recordUserToken(listener.database, id, USER);
  expect(await wake('user')).toBeNull();
  expect(pushed).toEqual(['user']);
  refusal = 'apns.unreachable';
  expect(await wake('user')).toBe('apns.unreachable');
  expect(await findUserChannel(listener.database, id)).toBeDefined();
  refusal = 'apns.token_gone';
  expect(await wake('user')).toBe('apns.token_gone');
  expect(await findUserChannel(listener.database, id)).toBeUndefined();
  expect((await look()).found.enrollmentStatus).toBe('enrolled');
});

test('what the device was given is too late to take back, what waits is not', async () => {
  const { id, enrollmentId, device, look } = await enrolled();
  const { its } = await look();
  const [first, second] = [
    await queueFor(listener, { id, enrollmentId }),
    await queueFor(listener, { id, enrollmentId }),
  ];
  expect(await device.idle()).toBe(first);
  expect(await its.withdraw(first)).toBe('too_late');
  expect(await its.withdraw(second)).toBe('withdrawn');
  expect(await device.acknowledge(first)).toBeUndefined();
});
