// The natural gesture in the Temporal UI: a signal, an update or a query by hand, with nothing in it, the wrong thing, or far too much. Every
// message that Odette has reaches every workflow that Odette has, sealed and in plain words; none of it may fail a workflow task.
// Long, because each workflow is brought to where it takes messages.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alarmsOf } from '../../api/admin/status.ts';
import { newSetup } from '../../domain/setup-wizard.ts';
import { MESSAGE_BODIES, wrongFields } from '../../workflows/message-bodies.ts';
import * as messages from '../../workflows/messages.ts';
import { fleetStart, removalStart, rotationStart, setupStart } from '../../workflows/starts.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../harness/rollout-world.ts';

quietRuntime();

interface Message {
  readonly type: 'signal' | 'update' | 'query';
  readonly name: string;
}
const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'type' in value && 'name' in value && !('key' in value);
const all = Object.values<unknown>(messages)
  .filter(isMessage)
  .filter(({ type }) => ['signal', 'update', 'query'].includes(type));
const named = (...types: readonly Message['type'][]) => all.filter(({ type }) => types.includes(type));

/** A body that the message has. */
const right: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  commandsResponded: {
    eventId: '1',
    responses: [{ commandUuid: '2', step: 'rollout.ProfileList', status: 'Acknowledged' }],
  },
  desiredStateChanged: { eventId: '1', reason: 'by hand' },
  deviceAuthenticated: { eventId: '1' },
  deviceEnrolled: { eventId: '1' },
  deviceCheckedOut: { eventId: '1' },
  certificateWanted: { eventId: '1', integrationId: '2' },
  certificateNotNeeded: { eventId: '1' },
  renewNow: { eventId: '1', reason: 'by hand' },
  certificateProven: { eventId: '1', deliveryId: '2', notAfter: '2027-01-01T00:00:00.000Z' },
  certificateFailed: { eventId: '1', failureCode: 'mdm.device_silent' },
  certificateRemoved: { eventId: '1' },
  fleetRolloutSteered: { eventId: '1' },
  rotationSteered: { eventId: '1' },
  oktaLooksWanted: { eventId: '1' },
  removalChanged: { eventId: '1' },
  answerStep: { answer: { step: 'get_started' } },
};

const HUGE = 'x'.repeat(100_000);
const WRONG = [undefined, null, 7, '', 'x'.repeat(4_001), {}, []];
const WRONG_ANSWERS = [
  {},
  { step: 'constructor' },
  { step: 'okta_domain' },
  { step: 'okta_domain', domain: 7 },
  { step: 'go_to', target: 'nowhere' },
  { step: 'connect', confirmed: 'all' },
  { step: 'platforms', platforms: ['Windows'] },
];

/** Everything of these kinds that is no body of the message: nothing, the wrong thing, and a right body with one wrong field. */
const wrongBodies = (name: string): readonly unknown[] =>
  [
    ...WRONG,
    ...Object.keys(right[name] ?? {}).flatMap((field) =>
      WRONG.map((value) => ({ ...right[name], [field]: value })),
    ),
    ...(name === 'answerStep' ? WRONG_ANSWERS.map((answer) => ({ answer })) : []),
  ].filter((body) => wrongFields(name, body).length > 0);

let world: RolloutWorld;
/** Without Odette's key. */
let stranger: Client;
let asleep: FakeDevice;
let mac: FakeDevice;
/** Runs that go on until somebody ends them, by the name of their workflow. */
let running: Readonly<Record<string, string>>;
const SWEEPS = ['observeTrust', 'enforceDesiredState', 'watchExpiry', 'checkIntegration'];

beforeAll(async () => {
  // The first look comes soon: before it there is no code that could fail.
  world = await openRolloutWorld({ trustLookupSeconds: [1, 3_600] });
  stranger = new Client({ connection: world.connection, namespace: world.namespace });
  mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  expect(await world.ended(mac.id)).toBe('COMPLETED');
  asleep = await world.newDevice('Mac');
  asleep.isAsleep = true;
  await world.rollOut(asleep.id);
  await world.until(() => expect(asleep.pushes).toBeGreaterThan(0));
  const { type, options } = setupStart({ state: newSetup(randomUUID()), takesOneAnswer: false });
  const setup = await world.client.workflow.start(type, options);
  const [fleetRollout] = await world.database.query<{ id: string }>(
    `insert into fleet_rollouts (kind, reason, status, pace, devices, canary, settle_minutes, started_by)
     values ('library_item', 'by hand', 'paused', 'waves', 1, 5, 30, 'person:ada') returning id`,
  );
  const fleetRolloutId = fleetRollout?.id ?? '';
  await world.database.query(
    'insert into fleet_rollout_devices (fleet_rollout_id, device_id, place, failed_before) values ($1, $2, 1, false)',
    [fleetRolloutId, asleep.id],
  );
  const fleet = fleetStart({ fleetRolloutId });
  await world.client.workflow.start(fleet.type, fleet.options);
  const [prepared] = await world.database.query<{ id: string }>(
    `insert into secret_rotations (integration_id, kind, status, started_by) values ($1, 'ios_secret_key', 'prepared', 'person:ada') returning id`,
    [world.fleet.integrationId],
  );
  const rotation = rotationStart({ rotationId: prepared?.id ?? '' });
  await world.client.workflow.start(rotation.type, rotation.options);
  const removalId = randomUUID();
  await world.database.query(
    `insert into platform_removals (id, integration_id, integration_name, okta_host, status, users_losing_trust, asked_by, starts_at)
     values ($1, $2, 'acme', 'acme.okta.com', 'waiting', 0, 'person:ada', now() + interval '1 year')`,
    [removalId, world.fleet.integrationId],
  );
  const removal = removalStart({ removalId }, world.fleet.integrationId, 'acme');
  await world.client.workflow.start(removal.type, removal.options);
  running = {
    removePlatform: removal.options.workflowId,
    rotateSecret: rotation.options.workflowId,
    rollOutFleet: messages.workflowIds.fleet(fleetRolloutId),
    rollOutDevice: messages.workflowIds.rollout(asleep.id),
    keepCertificate: messages.workflowIds.certificate(mac.id),
    pollOktaTrust: messages.workflowIds.trust(world.fleet.integrationId),
    setUpIntegration: setup.workflowId,
  };
  await world.until(() => Promise.all(Object.values(running).map(taken)));
});
afterAll(() => world.close());

/** Alive, and no workflow task of any of its runs has failed. */
async function isHealthy(workflowId: string): Promise<void> {
  const described = await world.client.workflow.getHandle(workflowId).describe();
  expect(described.status.name, workflowId).toBe('RUNNING');
  expect(described.raw.pendingWorkflowTask?.attempt ?? 1, workflowId).toBe(1);
  const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
  expect(events?.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
}

/** All of it was taken: a query runs behind what came before it. */
const taken = (workflowId: string) =>
  world.client.workflow.getHandle(workflowId).query<string>('__stack_trace');

test('every workflow is attacked, and every message that has a body', async () => {
  const entry = await readFile(new URL('../../workflows/index.ts', import.meta.url), 'utf8');
  const workflows = [...(/export \{([^}]+)\}/.exec(entry)?.[1]?.match(/\w+/g) ?? [])];
  expect([...Object.keys(running), ...SWEEPS].sort()).toEqual(workflows.sort());
  const bodied = named('signal', 'update').map(({ name }) => name);
  expect(bodied.length).toBeGreaterThan(10);
  expect(Object.keys(MESSAGE_BODIES).sort()).toEqual(bodied.sort());
  for (const name of bodied) {
    expect(wrongFields(name, right[name]), name).toEqual([]);
    expect(
      Object.keys(MESSAGE_BODIES[name] ?? {}).filter((field) => !(field in (right[name] ?? {}))),
    ).toEqual(name === 'desiredStateChanged' ? ['asksUserAgain'] : []);
  }
});

test('of what a device responded each response is looked at', () => {
  const response = { commandUuid: '2', step: 'rollout.ProfileList', status: 'Error', failureCode: 'x' };
  const wrong = (responses: unknown) => wrongFields('commandsResponded', { eventId: '1', responses });
  expect(wrong([response, response])).toEqual([]);
  for (const other of [null, 'text', {}, { ...response, status: 'Maybe' }, { ...response, failureCode: 7 }])
    expect(wrong([response, other]), JSON.stringify(other)).toEqual(['responses']);
  for (const all of [undefined, {}, Array.from({ length: 101 }, () => response)])
    expect(wrong(all)).toEqual(['responses']);
});

describe('no workflow task fails of', () => {
  test.each(named('signal').map(({ name }) => name))('a wrong %s', async (name) => {
    const bodies = wrongBodies(name);
    expect(bodies.length).toBeGreaterThan(8);
    const attack = async (workflowId: string) => {
      const sealed = world.client.workflow.getHandle(workflowId);
      const plain = stranger.workflow.getHandle(workflowId);
      await Promise.all([
        ...bodies.map((body) => sealed.signal(name, body)),
        sealed.signal(name, { ...right[name], eventId: HUGE }),
        plain.signal(name),
        plain.signal(name, right[name]),
        plain.signal(name, HUGE),
      ]);
      await taken(workflowId);
      await isHealthy(workflowId);
    };
    await Promise.all(Object.values(running).map(attack));
    const received = world.refusals.filter((refusal) => refusal.name === name).map(({ kind }) => kind);
    expect(received).toContain('signal');
    expect(received.filter((kind) => kind === 'signal_body').length).toBeGreaterThanOrEqual(bodies.length);
  });

  test.each(named('update').map(({ name }) => name))('a wrong %s, which is rejected', async (name) => {
    const attack = async (workflowId: string) => {
      const sealed = world.client.workflow.getHandle(workflowId);
      for (const body of wrongBodies(name))
        await expect(sealed.executeUpdate(name, { args: [body] })).rejects.toThrow(WorkflowUpdateFailedError);
      // Who has no key cannot read the refusal.
      const plain = stranger.workflow.getHandle(workflowId);
      await expect(plain.executeUpdate(name)).rejects.toThrow();
      await expect(plain.executeUpdate(name, { args: [right[name]] })).rejects.toThrow();
      await expect(plain.executeUpdate(name, { args: [HUGE] })).rejects.toThrow();
      await isHealthy(workflowId);
    };
    await Promise.all(Object.values(running).map(attack));
    expect(world.refusals.filter((refusal) => refusal.name === name).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['update', 'update_body']),
    );
  });

  test.each([...named('query').map(({ name }) => name), 'nothing', '__stack_trace'])(
    'the query %s with what nobody expects',
    async (name) => {
      const ask = (client: Client, workflowId: string, args: readonly unknown[]) =>
        client.workflow
          .getHandle(workflowId)
          .query(name, ...args)
          .catch(() => undefined);
      const attack = async (workflowId: string) => {
        for (const client of [world.client, stranger])
          await Promise.all([[], [null], [HUGE], [{}, {}]].map((args) => ask(client, workflowId, args)));
        await isHealthy(workflowId);
      };
      await Promise.all(Object.values(running).map(attack));
    },
  );

  test('what a workflow without handlers is sent', async () => {
    const attack = async (name: string, sweep: string) => {
      const handle = await world.client.workflow.signalWithStart(sweep, {
        workflowId: `${sweep}/${randomUUID()}`,
        taskQueue: messages.TASK_QUEUE,
        // A check of a tenant asks Okta, which nobody plays here: of one that is gone it ends at once.
        args: [{ integrationId: sweep === 'checkIntegration' ? randomUUID() : world.fleet.integrationId }],
        signal: name,
        signalArgs: [null],
      });
      await stranger.workflow
        .getHandle(handle.workflowId)
        .signal(name)
        .catch((error: unknown) => expect(error).toBeInstanceOf(WorkflowNotFoundError));
      await handle.result();
    };
    const signals = named('signal');
    await Promise.all(SWEEPS.flatMap((sweep) => signals.map(({ name }) => attack(name, sweep))));
  }, 60_000);

  test('a right body with what nobody knows: a code of a newer release, a command and a tenant that are not there', async () => {
    const unknown = { eventId: randomUUID(), failureCode: 'made.up' };
    const responses = [{ commandUuid: 'made-up', failureCode: 'made.up', step: 'made.up', status: 'Error' }];
    const rollout = world.client.workflow.getHandle(running['rollOutDevice'] ?? '');
    await rollout.signal('certificateFailed', unknown);
    await rollout.signal('commandsResponded', { ...unknown, responses });
    await taken(rollout.workflowId);
    await isHealthy(rollout.workflowId);
    const certificate = world.client.workflow.getHandle(running['keepCertificate'] ?? '');
    await certificate.signal('commandsResponded', { ...unknown, responses });
    await certificate.signal('certificateWanted', { eventId: randomUUID(), integrationId: randomUUID() });
    await taken(certificate.workflowId);
    await isHealthy(certificate.workflowId);
  });
});

test('a workflow whose task fails again and again is an alarm that names it and the cure, until it is fixed', async () => {
  const stuck = async () =>
    (await alarmsOf(world.database, undefined, world.client))
      .filter(({ failure }) => failure.code === 'temporal.workflow_stuck')
      .map(({ text }) => text);
  expect(await stuck()).toEqual([]);
  // What a newer release began, and a worker of this one meets.
  const workflowId = `newer/${randomUUID()}`;
  const newer = await world.client.workflow.start('ofANewerRelease', {
    workflowId,
    taskQueue: messages.TASK_QUEUE,
    args: [{}],
  });
  await world.until(async () => expect(await stuck()).toEqual([expect.stringContaining(workflowId)]));
  expect((await newer.describe()).status.name).toBe('RUNNING');
  expect((await stuck())[0]).toContain(`temporal workflow reset -w ${workflowId} --type LastWorkflowTask`);
  await newer.terminate();
  await world.until(async () => expect(await stuck()).toEqual([]));
}, 60_000);

test('after all of it each workflow does its work', async () => {
  asleep.isAsleep = false;
  await asleep.wake();
  expect(await world.ended(asleep.id)).toBe('COMPLETED');

  const { integrationId } = world.fleet;
  const certificate = world.client.workflow.getHandle(running['keepCertificate'] ?? '');
  await certificate.signal('certificateWanted', { eventId: randomUUID(), integrationId });
  const before = mac.certificates[0]?.serialNumber;
  await certificate.signal('renewNow', { eventId: randomUUID(), reason: 'by hand' });
  await world.until(() => {
    expect(mac.certificates).toHaveLength(1);
    expect(mac.certificates[0]?.serialNumber).not.toBe(before);
  });

  const setup = world.client.workflow.getHandle(running['setUpIntegration'] ?? '');
  expect(await setup.query('setupState')).toMatchObject({ status: 'open', step: 'get_started', answers: {} });
  await setup.cancel();
  await setup.result();
}, 60_000);
