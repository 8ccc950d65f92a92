// Requests that wait for their next command: when they do, when not, and that nothing is lost on the way.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { isInConversation } from '../../adapters/store/devices/commands.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { recordRunEnd } from '../../adapters/store/rollout/rollout-runs.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { queueFor, startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { ProtocolDevice } from '../../test/harness/protocol-device.ts';
import { createDeviceApp } from './device-app.ts';

/** Longer than anything here takes on a busy machine: what comes sooner did not wait for its end. */
const LONG_POLL_MS = 30_000;
const SHORT_LONG_POLL_MS = 1000;

let listener: DeviceListener;
let brief: DeviceListener;
beforeAll(async () => {
  listener = await startDeviceListener({ longPoll: { milliseconds: LONG_POLL_MS, max: 3 } });
  brief = await startDeviceListener({ longPoll: { milliseconds: SHORT_LONG_POLL_MS, max: 3 } });
});
afterAll(() => Promise.all([listener.stop(), brief.stop()]));

async function enrolled(phase = 'profiles', at = listener) {
  const device = await ProtocolDevice.enroll(at.url, await at.newCode());
  const row = await findDeviceForUpdate(at.database, device.udid);
  if (!row) throw new Error('no device');
  await at.database.query('delete from outbox');
  await at.database.query(
    `insert into device_trust (device_id, phase) values ($1, $2) on conflict (device_id) do update set phase = excluded.phase`,
    [row.id, phase],
  );
  const queue = (requestType = 'ProfileList') => queueFor(at, row, { requestType });
  const isWaiting = async () => (await findDeviceForUpdate(at.database, device.udid))?.longPollUntil != null;
  return { device, deviceId: row.id, queue, isWaiting };
}

async function timed<Result>(work: Promise<Result>): Promise<[Result, number]> {
  const from = performance.now();
  return [await work, performance.now() - from];
}

describe('a request waits', () => {
  test('and gets the command that its workflow queues meanwhile, at once', async () => {
    const { device, deviceId, queue, isWaiting } = await enrolled();
    const response = timed(device.idle());
    await expect.poll(isWaiting).toBe(true);
    expect(await isInConversation(listener.database, deviceId)).toBe(true);
    const uuid = await queue();
    const [command, elapsed] = await response;
    expect(command).toBe(uuid);
    expect(elapsed).toBeLessThan(LONG_POLL_MS);
    expect(await isWaiting()).toBe(false);
    expect(await isInConversation(listener.database, deviceId)).toBe(true);
  });

  test('after a response, because its workflow is about to be told', async () => {
    const { device, queue, isWaiting } = await enrolled('delivered');
    const first = await queue();
    expect(await device.idle()).toBe(first);
    const response = device.acknowledge(first, { ProfileList: [] });
    await expect.poll(isWaiting).toBe(true);
    const second = await queue('CertificateList');
    expect(await response).toBe(second);
  });

  test('no longer than it may, and then a push is needed again', async () => {
    const { device, isWaiting } = await enrolled('profiles', brief);
    const [command, elapsed] = await timed(device.idle());
    expect(command).toBeUndefined();
    expect(elapsed).toBeGreaterThan(SHORT_LONG_POLL_MS * 0.9);
    expect(await isWaiting()).toBe(false);
  });

  test('no longer than its rollout runs, and then a push is needed again', async () => {
    const { device, deviceId, isWaiting, queue } = await enrolled();
    const runId = randomUUID();
    await listener.database.query(
      `insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ($1, $2, 'rollout', now())`,
      [runId, deviceId],
    );
    const response = timed(device.idle());
    await expect.poll(isWaiting).toBe(true);
    await recordRunEnd(listener.database, runId, 'completed', null, new Date());
    const [command, elapsed] = await response;
    expect(command).toBeUndefined();
    expect(elapsed).toBeLessThan(LONG_POLL_MS * 0.9);
    expect(await isInConversation(listener.database, deviceId)).toBe(false);
    const uuid = await queue();
    expect(await device.idle()).toBe(uuid);
  });

  test('beyond the end of its rollout, where a certificate is on its way to the device', async () => {
    const { device, deviceId, isWaiting, queue } = await enrolled();
    await listener.database.query(
      `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at)
       values ($1, $2, gen_random_uuid(), 'a', gen_random_uuid(), gen_random_uuid(), 'sent', now())`,
      [randomUUID(), deviceId],
    );
    const runId = randomUUID();
    await listener.database.query(
      `insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ($1, $2, 'rollout', now())`,
      [runId, deviceId],
    );
    const response = device.idle();
    await expect.poll(isWaiting).toBe(true);
    await recordRunEnd(listener.database, runId, 'completed', null, new Date());
    expect(await isInConversation(listener.database, deviceId)).toBe(true);
    const uuid = await queue();
    expect(await response).toBe(uuid);
  });

  test('not when nothing is expected: the rollout is done, or the device said NotNow', async () => {
    const { device, queue } = await enrolled('delivered');
    expect((await timed(device.idle()))[1]).toBeLessThan(LONG_POLL_MS / 2);
    const uuid = await queue();
    await device.idle();
    expect((await timed(device.notNow(uuid)))[1]).toBeLessThan(LONG_POLL_MS / 2);
  });

  test('not when no slot is free', async () => {
    const crowd = await Promise.all(Array.from({ length: 3 }, () => enrolled()));
    const waiting = crowd.map(({ device }) => device.idle());
    await expect.poll(() => listener.longPolls.waiting).toBe(3);
    const { device } = await enrolled();
    expect((await timed(device.idle()))[1]).toBeLessThan(LONG_POLL_MS / 2);
    const uuids = await Promise.all(crowd.map(({ queue }) => queue()));
    expect(await Promise.all(waiting)).toEqual(uuids);
  });
});

describe('nothing is lost', () => {
  test('when the device gives up waiting: the command goes to its next request', async () => {
    const { device, queue, isWaiting } = await enrolled();
    const gaveUp = new AbortController();
    const body = buildPlist({ Status: 'Idle', UDID: device.udid });
    const signature = signDetached(body, device.identity, 'no-attributes-sha1').toString('base64');
    const request = fetch(`${listener.url}/mdm`, {
      method: 'PUT',
      body: Buffer.from(body),
      headers: { 'Mdm-Signature': signature },
      signal: gaveUp.signal,
    });
    await expect.poll(isWaiting).toBe(true);
    gaveUp.abort();
    await expect(request).rejects.toThrow();
    await expect.poll(isWaiting).toBe(false);
    const uuid = await queue();
    const [row] = await listener.database.query('select hand_overs from commands where uuid = $1', [uuid]);
    expect(row).toEqual({ handOvers: 0 });
    expect(await device.idle()).toBe(uuid);
  });

  test('when the device asks again while an older request waits: only the newer one gets the command', async () => {
    const { device, queue, isWaiting } = await enrolled();
    const older = timed(device.idle());
    await expect.poll(isWaiting).toBe(true);
    const newer = device.idle();
    const [command, elapsed] = await older;
    expect(command).toBeUndefined();
    expect(elapsed).toBeLessThan(LONG_POLL_MS);
    await pause(50);
    const uuid = await queue();
    expect(await newer).toBe(uuid);
  });

  test('when the listener stops: waiting requests get their response first', async () => {
    const other = await startDeviceListener({ longPoll: { milliseconds: LONG_POLL_MS, max: 3 } });
    const device = await ProtocolDevice.enroll(other.url, await other.newCode());
    await other.database.query(`insert into device_trust (device_id, phase) select id, 'app' from devices`);
    const response = timed(device.idle());
    await expect.poll(() => other.longPolls.waiting).toBe(1);
    await other.longPolls.stop();
    const [command, elapsed] = await response;
    expect(command).toBeUndefined();
    expect(elapsed).toBeLessThan(LONG_POLL_MS / 2);
    await other.stop();
  });
});

test('while the database is away every device gets 503 and may try again, never an empty 200', async () => {
  const away = () => Promise.reject(new CataloguedError('store.unavailable'));
  let isAway = false;
  const other = await startDeviceListener();
  const database = {
    ...other.database,
    query: (...query: Parameters<typeof other.database.query>) =>
      isAway ? away() : other.database.query(...query),
    inTransaction: (work: never) => (isAway ? away() : other.database.inTransaction(work)),
  } as typeof other.database;
  const server = createServer(
    createDeviceApp({
      ...other,
      database,
      sealer: other.ring,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      compareConfiguration: () => Promise.resolve(undefined),
      publicUrl: 'https://x.example',
      trustedProxy: undefined,
      trustsClientCert: false,
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const device = await ProtocolDevice.enroll(url, await other.newCode());
  isAway = true;
  const responses = await Promise.all([
    device.send({ Status: 'Idle', UDID: device.udid }),
    device.send({ Status: 'Acknowledged', CommandUUID: randomUUID(), UDID: device.udid }),
    device.authenticate(),
    device.updateToken(),
    device.checkOut(),
    device.sendBytes(Buffer.from('unreadable')),
    fetch(`${url}/healthz`),
  ]);
  expect(responses.map(({ status }) => status)).toEqual(Array(7).fill(503));
  expect(responses[0]?.headers.get('retry-after')).toBe('15');
  isAway = false;
  expect(await device.idle()).toBeUndefined();
  server.closeAllConnections();
  server.close();
  await other.stop();
});
