// What anybody who reaches the Temporal server can send: messages and starts in plain words, sealed payloads moved to another workflow
// or another message, activity tasks taken and answered. Refused, noted for people, and the workflow goes on.
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { payloadToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../harness/rollout-world.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { createMessageSealer } from '../../workers/codec.ts';
import { removeSweeps, setSweeps } from '../../workers/sweep-schedules.ts';
import { TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import { RECORDED, recordedKeys } from '../histories/test-codec.ts';

quietRuntime();
let world: RolloutWorld;
/** Without Odette's key. */
let stranger: Client;
let mac: FakeDevice;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  stranger = new Client({ connection: world.connection, namespace: world.namespace });
  mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  expect(await world.ended(mac.id)).toBe('COMPLETED');
  expect(mac.certificates).toHaveLength(1);
});
afterAll(() => world.close());
beforeEach(() => {
  world.refusals.length = 0;
});

const certificate = () => workflowIds.certificate(mac.id);
const until = (refusal: object) =>
  world.until(() => expect(world.refusals).toContainEqual(expect.objectContaining(refusal)));

/** The payload of the first event that has one, as it lies on the server. */
async function payloadOf(workflowId: string, find: 'input' | 'signal') {
  const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
  const payloads = events?.flatMap(
    (event) =>
      (find === 'input'
        ? event.workflowExecutionStartedEventAttributes?.input?.payloads
        : event.workflowExecutionSignaledEventAttributes?.input?.payloads) ?? [],
  );
  const [payload] = payloads ?? [];
  if (!payload) throw new Error(`no ${find}`);
  return payload;
}

const signalRaw = (workflowId: string, signalName: string, payloads: object[]) =>
  world.connection.workflowService.signalWorkflowExecution({
    namespace: world.namespace,
    workflowExecution: { workflowId },
    signalName,
    input: { payloads },
    requestId: randomUUID(),
  });

/** Answers what a message in order gets: the workflow is alive and took nothing of the attack. */
async function certificateIsKept(): Promise<void> {
  const { status } = await world.certificateWorkflow(mac.id).describe();
  expect(status.name).toBe('RUNNING');
  expect(mac.certificates).toHaveLength(1);
  expect(mac.carriedOut.filter((each) => each === 'RemoveProfile')).toEqual([]);
}

describe('a signal', () => {
  test('in plain words is ignored and noted', async () => {
    await stranger.workflow.getHandle(certificate()).signal('certificateNotNeeded', { eventId: 'invented' });
    await until({ kind: 'signal', name: 'certificateNotNeeded', workflowId: certificate() });
    await certificateIsKept();
  });

  test('without a body, with two, and with a body that is no JSON fails no workflow task', async () => {
    await signalRaw(certificate(), 'certificateNotNeeded', []);
    const known = await payloadOf(certificate(), 'signal');
    await signalRaw(certificate(), 'certificateWanted', [known, known]);
    await signalRaw(certificate(), 'renewNow', [
      { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') },
    ]);
    await until({ name: 'renewNow' });
    expect(world.refusals.map(({ name }) => name).sort()).toEqual([
      'certificateNotNeeded',
      'certificateWanted',
      'renewNow',
    ]);
    await certificateIsKept();
  });

  test("that was sealed for another device's workflow is ignored", async () => {
    const other = await world.newDevice('Mac');
    await world.rollOut(other.id);
    expect(await world.ended(other.id)).toBe('COMPLETED');
    await signalRaw(certificate(), 'certificateWanted', [
      await payloadOf(workflowIds.certificate(other.id), 'signal'),
    ]);
    await until({ kind: 'signal', name: 'certificateWanted', workflowId: certificate() });
    await certificateIsKept();
  });

  test('whose sealed body was made for another message of the same workflow is ignored', async () => {
    await signalRaw(certificate(), 'certificateNotNeeded', [await payloadOf(certificate(), 'signal')]);
    await until({ kind: 'signal', name: 'certificateNotNeeded' });
    await signalRaw(certificate(), 'renewNow', [await payloadOf(certificate(), 'input')]);
    await until({ kind: 'signal', name: 'renewNow' });
    await certificateIsKept();
  });

  test('of a batch over all workflows ends no certificate', async () => {
    await world.connection.workflowService.startBatchOperation({
      namespace: world.namespace,
      visibilityQuery: `ExecutionStatus = 'Running'`,
      jobId: randomUUID(),
      reason: 'attack',
      signalOperation: {
        signal: 'certificateNotNeeded',
        input: {
          payloads: [
            { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"eventId":"x"}') },
          ],
        },
      },
    });
    await until({ kind: 'signal', name: 'certificateNotNeeded', workflowId: certificate() });
    await certificateIsKept();
  });

  test('that an operator has sealed by hand is taken, as a payload and as JSON text', async () => {
    const seal = createMessageSealer(recordedKeys, RECORDED);
    const renewed = async (send: (payload: Payload) => object): Promise<void> => {
      const before = mac.certificates[0]?.serialNumber;
      const payload = seal(certificate(), 'renewNow', { eventId: randomUUID(), reason: 'by hand' });
      await signalRaw(certificate(), 'renewNow', [send(payload)]);
      await world.until(() => {
        expect(mac.certificates).toHaveLength(1);
        expect(mac.certificates[0]?.serialNumber).not.toBe(before);
      });
    };
    await renewed((payload) => payload);
    await renewed((payload) => ({
      metadata: { encoding: Buffer.from('json/plain') },
      data: Buffer.from(JSON.stringify(payloadToJSON(payload))),
    }));
    // The batch of the test before may still reach other workflows.
    expect(world.refusals.filter(({ workflowId }) => workflowId === certificate())).toEqual([]);
  });
});

describe('a start', () => {
  test('in plain words closes as failed before any activity, and is not tried again', async () => {
    const workflowId = workflowIds.rollout(randomUUID());
    const handle = await stranger.workflow.start('rollOutDevice', {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [{ deviceId: mac.id }],
    });
    await expect(world.client.workflow.getHandle(workflowId).result()).rejects.toMatchObject({
      cause: { type: 'temporal.unauthenticated', nonRetryable: true },
    });
    const { events } = await handle.fetchHistory();
    expect(
      events?.some(
        (event) => event.activityTaskScheduledEventAttributes ?? event.markerRecordedEventAttributes,
      ),
    ).toBe(false);
    expect(world.refusals).toContainEqual({ kind: 'start', name: 'rollOutDevice', workflowId });
  });

  test("with another workflow's sealed input closes as failed", async () => {
    const input = { payloads: [await payloadOf(workflowIds.rollout(mac.id), 'input')] };
    const workflowId = workflowIds.rollout(randomUUID());
    await world.connection.workflowService.startWorkflowExecution({
      namespace: world.namespace,
      workflowId,
      workflowType: { name: 'rollOutDevice' },
      taskQueue: { name: TASK_QUEUE },
      input,
      requestId: randomUUID(),
    });
    const handle = world.client.workflow.getHandle(workflowId);
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'temporal.unauthenticated' } });
  });
});

test('what a schedule of Odette starts is taken, also when an operator triggers it', async () => {
  const { integrationId } = world.fleet;
  expect(await setSweeps(world.client, world.database, integrationId)).toBe(true);
  await stranger.schedule.getHandle(workflowIds.sweep('expiry', integrationId)).trigger();
  const query = `WorkflowType = 'watchExpiry' AND ExecutionStatus = 'Completed'`;
  await world.until(async () => expect((await world.client.workflow.count(query)).count).toBe(1));
  await removeSweeps(world.client, integrationId);
  expect(world.refusals).toEqual([]);
});

describe('a program that takes the tasks of the worker', () => {
  test('cannot have an activity run with an input of its own', async () => {
    const workflowId = `invented/${randomUUID()}`;
    const taskQueue = `stranger-${randomUUID()}`;
    const { workflowService } = world.connection;
    await workflowService.startWorkflowExecution({
      namespace: world.namespace,
      workflowId,
      workflowType: { name: 'rollOutDevice' },
      taskQueue: { name: taskQueue },
      requestId: randomUUID(),
    });
    const { taskToken } = await world.connection.withDeadline(Date.now() + 20_000, () =>
      workflowService.pollWorkflowTaskQueue({
        namespace: world.namespace,
        taskQueue: { name: taskQueue },
        identity: 'stranger',
      }),
    );
    const input = { deviceId: mac.id, commands: [], enrollmentId: randomUUID(), workflowId, firstRunId: '1' };
    await workflowService.respondWorkflowTaskCompleted({
      namespace: world.namespace,
      taskToken,
      commands: [
        {
          commandType: 1, // COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
          scheduleActivityTaskCommandAttributes: {
            activityId: '1',
            activityType: { name: 'queueCommands' },
            taskQueue: { name: TASK_QUEUE },
            input: {
              payloads: [
                {
                  metadata: { encoding: Buffer.from('json/plain') },
                  data: Buffer.from(JSON.stringify(input)),
                },
              ],
            },
            startToCloseTimeout: { seconds: 10 as never },
            scheduleToCloseTimeout: { seconds: 60 as never },
          },
        },
      ],
    });
    await until({ kind: 'activity', name: 'queueCommands', workflowId });
    await world.until(async () => {
      const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
      const failed = events?.find((event) => event.activityTaskFailedEventAttributes);
      expect(failed?.activityTaskFailedEventAttributes?.failure?.applicationFailureInfo).toMatchObject({
        type: 'temporal.unauthenticated',
        nonRetryable: true,
      });
    });
    await world.client.workflow.getHandle(workflowId).terminate('test');
  });
});
