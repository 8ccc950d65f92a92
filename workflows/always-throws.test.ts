// A step that always throws, by a bug or by a row that nobody expected: the device it is about is told of, and the others go on.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { fastForward } from '../test/harness/time-skipping.ts';
import { workflowIds } from './messages.ts';

quietRuntime();
/** The tries take a quarter of it. */
const HOUR = 60 * 60_000;

let world: RolloutWorld;
/** By device: the statements about it that throw. */
const poison = new Map<string, RegExp>();
/** By device: how often one threw. */
const thrown = new Map<string, number>();
/** The next tries wait with timers, which can be skipped. */
const TRIES_IN_ONE_TASK = 6;
const STATE = /select device\.id, device\.family/;
const STATE_AND_END = /select device\.id, device\.family|update commands set state = 'withdrawn'/;

beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  const query = world.database.query.bind(world.database);
  vi.spyOn(world.database, 'query').mockImplementation((text, values) => {
    const [id = '', broken] = [...poison].find(([each]) => values?.includes(each)) ?? [];
    if (broken?.test(text) !== true) return query(text, values);
    thrown.set(id, (thrown.get(id) ?? 0) + 1);
    return Promise.reject(new TypeError('a row that nobody expected'));
  });
});
afterAll(() => world.close());

/** It may end on the way. */
async function skipTries(mac: FakeDevice, workflowId: string): Promise<void> {
  await world.until(() => expect(thrown.get(mac.id)).toBeGreaterThanOrEqual(TRIES_IN_ONE_TASK));
  void fastForward(world.connection, world.namespace, workflowId, HOUR).catch(() => undefined);
}

/** Until it has ended. */
async function failed(mac: FakeDevice): Promise<void> {
  await skipTries(mac, workflowIds.rollout(mac.id));
  expect(await world.ended(mac.id, 60_000)).toBe('FAILED');
}

const delivered = (mac: FakeDevice): Promise<void> =>
  world.until(async () =>
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
  );

async function heals(mac: FakeDevice): Promise<void> {
  poison.delete(mac.id);
  await world.rollOut(mac.id);
  await delivered(mac);
}

test('a rollout whose plan always throws ends within the hour, says so, and heals with the next one; other devices go on', async () => {
  const mac = await world.newDevice('Mac');
  poison.set(mac.id, STATE);
  await world.rollOut(mac.id);
  const other = await world.newDevice('Mac');
  await world.rollOut(other.id);
  await delivered(other);
  await failed(mac);
  expect(await world.trust(mac.id)).toMatchObject({ phase: 'failed', failureCode: 'server.failed' });

  await heals(mac);
}, 120_000);

test('a rollout that cannot even record its end ends all the same, with its code and words', async () => {
  const mac = await world.newDevice('Mac');
  poison.set(mac.id, STATE_AND_END);
  await world.rollOut(mac.id);
  await failed(mac);
  await expect(world.rollout(mac.id).result()).rejects.toMatchObject({
    cause: { type: 'server.failed', message: expect.stringMatching(/^Internal error\. /) as string },
  });

  await heals(mac);
}, 120_000);

test('a certificate workflow whose plan always throws never ends: it tells people, rests, and goes on', async () => {
  const mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  await delivered(mac);
  const before = mac.certificates[0]?.serialNumber;
  poison.set(mac.id, STATE);
  await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID(), reason: 'by hand' });
  const workflowId = workflowIds.certificate(mac.id);
  const told = async () => {
    const rows = await world.database.query<{ text: string }>(
      `select text from device_timeline where device_id = $1 and kind = 'certificate_failed'`,
      [mac.id],
    );
    return rows.map(({ text }) => text);
  };
  await skipTries(mac, workflowId);
  await world.until(
    async () => expect(await told()).toEqual([expect.stringContaining('Internal error.')]),
    60_000,
  );

  poison.delete(mac.id);
  await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID(), reason: 'by hand' });
  await world.until(() => {
    expect(mac.certificates).toHaveLength(1);
    expect(mac.certificates[0]?.serialNumber).not.toBe(before);
  });
  expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('RUNNING');
}, 150_000);
