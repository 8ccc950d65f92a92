// What another MDM server with a queue of its own is given, and when again: refused, in doubt, lost by its webhooks, overtaken.
// Long, because all of it is asked of one server and one clock.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readCommand } from '../adapters/mdm/command.ts';
import { readDeviceMessage } from '../adapters/mdm/device-message.ts';
import { buildPlist, type PlistDict } from '../adapters/mdm/plist.ts';
import { storeSecret } from '../adapters/store/base/secrets.ts';
import { addChannel, findChannel, type ChannelRow } from '../adapters/store/devices/channels.ts';
import { recordTold } from '../api/channels/told.ts';
import type { Enqueued } from '../domain/device-channel.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import {
  queueFor,
  startDeviceListener,
  type CommandWish,
  type DeviceListener,
} from '../test/harness/device-listener.ts';
import { deviceCommandActivities } from './device-commands.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { requestOverdueResponses } from './overdue-responses.ts';
import { wakeDevice } from './wake-device.ts';

let listener: DeviceListener;
let channel: ChannelRow;
let deps: ActivityDependencies;
/** UUIDs under which the server was given a command. */
const given: string[] = [];
/** What the server says to the next command, once; else it takes it. */
let answers: (Enqueued | FailureCode)[] = [];

beforeAll(async () => {
  listener = await startDeviceListener();
  const { database, ring, blueprintId } = listener;
  const secret = (kind: 'channel_api_key' | 'channel_webhook_key') =>
    storeSecret(database, ring, { kind, value: 'k', by: 'test', address: 'https://nano.test:443' });
  const id = await addChannel(database, {
    kind: 'nanomdm',
    name: 'NanoMDM',
    url: 'https://nano.test',
    apiKeySecretId: (await secret('channel_api_key')).id,
    webhookKeySecretId: (await secret('channel_webhook_key')).id,
    blueprintId,
  });
  const found = await findChannel(database, id ?? '');
  if (found === undefined) throw new Error('the channel was added');
  channel = found;
  const client = {
    enqueue(_udid: string, plist: Uint8Array): Promise<Enqueued> {
      given.push(readCommand(Buffer.from(plist)).commandUuid);
      const answer = answers.shift() ?? { kind: 'queued' };
      return typeof answer === 'string'
        ? Promise.reject(new CataloguedError(answer))
        : Promise.resolve(answer);
    },
    push: () => Promise.resolve(null),
  };
  deps = {
    database,
    sealer: ring,
    nanoMdm: () => Promise.resolve(client),
  } as Partial<ActivityDependencies> as ActivityDependencies;
}, 60_000);
afterAll(() => listener?.stop());
beforeEach(() => {
  given.splice(0);
  answers = [];
});

let clock = Date.now() - 3_600_000;
const tell = (dict: PlistDict) => {
  const body = buildPlist(dict);
  const compareConfiguration = () => Promise.resolve(undefined);
  const at = new Date((clock += 1_000)).toISOString();
  const told = { channel, at, message: readDeviceMessage(body), body };
  return recordTold({ database: listener.database, compareConfiguration }, told);
};
async function enrolled() {
  const UDID = randomUUID().toUpperCase();
  await tell({ MessageType: 'Authenticate', Topic: 't', UDID, ProductName: 'Mac14,2' });
  await tell({ MessageType: 'TokenUpdate', Topic: 't', UDID, Token: Buffer.alloc(32), PushMagic: 'm' });
  const [row] = await listener.database.query<{ id: string; enrollmentId: string }>(
    'select id, enrollment_id from devices where udid = $1',
    [UDID],
  );
  const { id, enrollmentId } = row ?? { id: '', enrollmentId: '' };
  return {
    id,
    queue: (wish: CommandWish = {}) =>
      queueFor(listener, { id, enrollmentId }, { requestType: 'ProfileList', ...wish }),
    wake: () => wakeDevice(deps, id),
    idle: () => tell({ UDID, Status: 'Idle' }),
    says: (CommandUUID: string, Status = 'Acknowledged') => tell({ UDID, Status, CommandUUID }),
  };
}
/** As if all that happened before had happened so long ago. */
const pass = (seconds: number) =>
  listener.database.query(
    `update commands set handed_over_at = handed_over_at - make_interval(secs => $1), offered_at = offered_at - make_interval(secs => $1)`,
    [seconds],
  );
const commandOf = async (uuid: string) => {
  const [row] = await listener.database.query(
    'select state, status, hand_overs from commands where uuid = $1',
    [uuid],
  );
  return row;
};
const toldOf = async (id: string) =>
  listener.database.query<{ status: string }>(
    `select message #>> '{body,responses,0,status}' as status from outbox
      where ordering_key = $1 and message ->> 'signal' = 'commandsResponded'`,
    [id],
  );

const look = () => requestOverdueResponses(deps, new AbortController().signal);
/** Nothing of the tests before is overdue. */
const withdrawOffers = () =>
  listener.database.query("update commands set state = 'withdrawn' where state = 'handed_over'");

test('a response that a webhook lost is asked for again, however often the device calls meanwhile', async () => {
  const device = await enrolled();
  const uuid = await device.queue();
  await device.wake();
  for (let call = 0; call < 5; call += 1) {
    await device.idle();
    await pass(10);
    expect(await device.wake()).toBeNull();
  }
  expect(given).toHaveLength(2);
  expect(given[1]).not.toBe(uuid);
  expect(await commandOf(uuid)).toMatchObject({ state: 'handed_over', handOvers: 2 });
  await device.says(given[1] ?? '');
  expect(await commandOf(uuid)).toMatchObject({ state: 'responded', status: 'Acknowledged' });
});

test('a device that was not in contact since keeps its command half an hour, then longer', async () => {
  const device = await enrolled();
  await device.idle();
  await device.queue();
  await device.wake();
  await pass(29 * 60);
  await device.wake();
  expect(given).toHaveLength(1);
  await pass(60);
  await device.wake();
  expect(given).toHaveLength(2);
  await pass(31 * 60);
  await device.wake();
  expect(given).toHaveLength(2);
});

test('what waits behind a command that takes long is not overdue before its turn comes', async () => {
  const device = await enrolled();
  const [first, second] = [await device.queue(), await device.queue()];
  await device.wake();
  await device.idle();
  await pass(50);
  await device.says(first);
  await device.wake();
  expect(given).toEqual([first, second]);
  await pass(50);
  await device.wake();
  expect(given).toHaveLength(3);
});

test('a command that the next one has overtaken is overdue by its own time', async () => {
  const device = await enrolled();
  const first = await device.queue();
  await device.wake();
  await device.idle();
  await pass(30);
  const second = await device.queue();
  await device.wake();
  await device.says(second);
  await pass(20);
  await device.wake();
  expect(given).toEqual([first, second, expect.any(String)]);
});

test('what was asked again is given once under the new name, also where the server did not answer the first time', async () => {
  const device = await enrolled();
  const uuid = await device.queue();
  await device.wake();
  await device.idle();
  await pass(50);
  answers = ['channel.unreachable'];
  expect(await device.wake()).toBe('channel.unreachable');
  expect(await device.wake()).toBeNull();
  expect(await device.wake()).toBeNull();
  expect(given).toHaveLength(3);
  expect(given[1]).toBe(given[2]);
  expect(await commandOf(uuid)).toMatchObject({ handOvers: 2 });
});

test.each<Enqueued | FailureCode>([
  { kind: 'refused', failureCode: 'channel.command_refused' },
  'channel.unreachable',
  'channel.unexpected_response',
  'channel.key_refused',
  'channel.rate_limited',
])('what the server did not take (%o) is said, and given again under the same UUID', async (answer) => {
  const device = await enrolled();
  const [first, second] = [await device.queue(), await device.queue()];
  answers = [answer];
  expect(await device.wake()).toBe(typeof answer === 'string' ? answer : 'channel.command_refused');
  expect(await commandOf(first)).toMatchObject({ state: 'queued', handOvers: 0 });
  answers = [{ kind: 'known' }];
  expect(await device.wake()).toBeNull();
  expect(given).toEqual([first, first, second]);
  expect(await commandOf(first)).toMatchObject({ state: 'handed_over', handOvers: 1 });
});

test('a challenge of which nobody knows whether the server has it is never given again, and ends as unknown', async () => {
  const device = await enrolled();
  const uuid = await device.queue({ requestType: 'InstallProfile', handsOverOnce: true, isSealed: true });
  answers = ['channel.unreachable'];
  expect(await device.wake()).toBe('channel.unreachable');
  expect(await commandOf(uuid)).toMatchObject({ state: 'handed_over', handOvers: 1 });
  await device.idle();
  await pass(50);
  expect(await device.wake()).toBeNull();
  expect(given).toEqual([uuid]);
  expect(await commandOf(uuid)).toMatchObject({ state: 'withdrawn', status: 'Unknown' });
  expect(await toldOf(device.id)).toEqual([{ status: 'Unknown' }]);
});

test.each<[FailureCode]>([['channel.key_refused'], ['channel.role_refused'], ['channel.host_not_allowed']])(
  'a challenge that the server surely does not have (%s) is given again',
  async (code) => {
    const device = await enrolled();
    const uuid = await device.queue({ requestType: 'InstallProfile', handsOverOnce: true, isSealed: true });
    answers = [code];
    expect(await device.wake()).toBe(code);
    expect(await device.wake()).toBeNull();
    expect(given).toEqual([uuid, uuid]);
    expect(await commandOf(uuid)).toMatchObject({ state: 'handed_over', handOvers: 1 });
  },
);

test('an installation that is not answered is not asked for again: what the device has is looked up', async () => {
  const device = await enrolled();
  const uuid = await device.queue({ requestType: 'InstallApplication' });
  await device.wake();
  await device.idle();
  await pass(50);
  await device.wake();
  expect(given).toEqual([uuid]);
  expect(await commandOf(uuid)).toMatchObject({ state: 'withdrawn', status: 'Unknown' });
});

test('after NotNow a command stays with the server: a challenge while it lives, others half an hour', async () => {
  const device = await enrolled();
  const challenge = await device.queue({
    requestType: 'InstallProfile',
    handsOverOnce: true,
    isSealed: true,
  });
  const list = await device.queue();
  await device.wake();
  for (const uuid of [challenge, list]) await device.says(uuid, 'NotNow');
  await device.idle();
  await pass(20 * 60);
  await device.wake();
  expect(given).toHaveLength(2);
  await pass(15 * 60);
  await device.wake();
  expect(given).toHaveLength(3);
  expect(await commandOf(challenge)).toMatchObject({ state: 'handed_over' });
  await pass(20 * 60);
  await device.wake();
  expect(await commandOf(challenge)).toMatchObject({ state: 'withdrawn', status: 'Unknown' });
});

test('a command that the server has cannot be taken back, one that it was not given can, and nobody else knows of one', async () => {
  const device = await enrolled();
  const { withdrawCommand } = deviceCommandActivities(deps);
  const taken = await device.queue();
  await device.wake();
  const kept = await device.queue();
  expect(await withdrawCommand({ commandUuid: taken })).toBe(false);
  expect(await withdrawCommand({ commandUuid: kept })).toBe(true);
  expect(await withdrawCommand({ commandUuid: randomUUID() })).toBe(false);
  await device.wake();
  expect(given).toEqual([taken]);
});

test('what is overdue is asked for without anybody who waits, at growing intervals; what is not, and NotNow, is left alone', async () => {
  await withdrawOffers();
  const [device, busy, asleep] = [await enrolled(), await enrolled(), await enrolled()];
  for (const each of [device, busy, asleep]) await each.queue();
  for (const each of [device, busy, asleep]) await each.wake();
  const [lost, later] = given;
  await device.idle();
  await busy.idle();
  await busy.says(later ?? '', 'NotNow');
  await pass(40);
  await look();
  expect(given).toHaveLength(3);
  await pass(10);
  await Promise.all([look(), look()]);
  expect(new Set(given).size).toBe(4);
  expect(await commandOf(lost ?? '')).toMatchObject({ handOvers: 2 });
  await device.idle();
  await pass(50);
  const before = given.length;
  await look();
  expect(given).toHaveLength(before);
  await pass(50);
  await look();
  expect(given).toHaveLength(before + 1);
});

test('a server that does not answer is asked for one of its devices, one that refuses for all, once', async () => {
  await withdrawOffers();
  const devices = [await enrolled(), await enrolled(), await enrolled()];
  for (const device of devices) await device.queue();
  for (const device of devices) await device.wake();
  for (const device of devices) await device.idle();
  await pass(50);
  answers = ['channel.unreachable'];
  await look();
  expect(given).toHaveLength(4);
  answers = [{ kind: 'refused', failureCode: 'channel.command_refused' }];
  await look();
  expect(given).toHaveLength(7);
  await look();
  expect(given).toHaveLength(7);
});
