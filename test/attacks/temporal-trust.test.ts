// What a workflow is told counts for little: activities act on what the tables say. A message that was sealed, in order and is old,
// removes nothing from a device in scope; a setup that is over takes no answer; a cancellation abandons nothing.
// Long, because each attack is tried against one installation and its Temporal.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deviceCommandActivities } from '../../activities/device-commands.ts';
import { sweepActivities } from '../../activities/sweeps.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { addRotation } from '../../adapters/store/integration/secret-rotations.ts';
import {
  addPlatformRemoval,
  findPlatformRemoval,
  removalMessage,
} from '../../adapters/store/rollout/platform-removals.ts';
import { setSweeps } from '../../workers/sweep-schedules.ts';
import { alarmsOf } from '../../api/admin/status.ts';
import { TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { oktaRecordOf } from '../harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../harness/rollout-world.ts';
import { openWizardWorld, type WizardWorld } from '../harness/wizard.ts';

quietRuntime();
let world: RolloutWorld;
let wizard: WizardWorld;
let mac: FakeDevice;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  wizard = await openWizardWorld();
  mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  expect(await world.ended(mac.id)).toBe('COMPLETED');
});
afterAll(async () => {
  await world.close();
  await wizard.close();
});

test('an old certificateNotNeeded, sealed by Odette itself, takes no certificate from a device in scope', async () => {
  const before = mac.certificates[0]?.serialNumber;
  const asked = () => mac.carriedOut.filter((each) => each === 'CertificateList').length;
  const asksBefore = asked();
  await world.certificateWorkflow(mac.id).signal('certificateNotNeeded', { eventId: randomUUID() });
  // It looks at the device, and leaves it as it is.
  await world.until(() => expect(asked()).toBeGreaterThan(asksBefore));
  await world.until(async () => {
    const { events } = await world.certificateWorkflow(mac.id).fetchHistory();
    expect(events?.at(-1)?.timerStartedEventAttributes).toBeTruthy();
  });
  expect(mac.certificates[0]?.serialNumber).toBe(before);
  expect(mac.carriedOut).not.toContain('RemoveProfile');
  expect(world.refusals).toEqual([]);
});

test('no profile of a device in scope is removed by an activity that is asked to', async () => {
  const commands = deviceCommandActivities(world.deps);
  const [device] = await world.database.query<{ enrollmentId: string }>(
    'select enrollment_id from devices where id = $1',
    [mac.id],
  );
  const identifiers = [...mac.profiles.keys()].filter((id) => id.startsWith('odette.'));
  expect(identifiers.length).toBeGreaterThanOrEqual(2);
  const { commands: queued } = await commands.queueCommands({
    deviceId: mac.id,
    enrollmentId: device?.enrollmentId ?? '',
    workflowId: workflowIds.certificate(mac.id),
    firstRunId: randomUUID(),
    runId: randomUUID(),
    scope: '',
    commands: [
      ...identifiers.map((identifier) => ({
        step: `remove.${identifier}`,
        request: { type: 'RemoveProfile' as const, identifier },
        attempt: 1,
      })),
      { step: 'remove.app', request: { type: 'RemoveApplication' as const }, attempt: 1 },
    ],
  });
  expect(queued.map(({ status }) => status)).toEqual(queued.map(() => 'Withdrawn'));
});

test('a certificate that goes while its device is in scope ends trusted at the next look; many of them are an alarm', async () => {
  world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
  await world.client.workflow.execute('observeTrust', {
    workflowId: `observeTrust/${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });
  expect((await world.trust(mac.id))?.bucket).toBe('trusted');
  // Nothing gives it a new one meanwhile.
  world.challenges.state.status = 503;
  mac.certificates = [];
  for (const identifier of mac.profiles.keys())
    if (identifier.includes('.certificate.')) mac.profiles.delete(identifier);
  await world.rollOut(mac.id);
  await world.until(async () => expect((await world.truths(mac.id))['certificatePresent']).toBe('not_held'));
  expect((await world.trust(mac.id))?.bucket).not.toBe('trusted');

  const alarms = async () => (await alarmsOf(world.database)).map(({ failure }) => failure.code);
  expect(await alarms()).not.toContain('certificate.gone_from_many');
  for (let count = 1; count < 10; count += 1) {
    const { id } = await world.newDevice('Mac');
    await world.database.query(
      `insert into device_truths (device_id, truth, state, evidence, since)
         values ($1, 'certificatePresent', 'not_held', 'gone', now())`,
      [id],
    );
    await world.database.query(
      `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at, proven_at)
         values ($1::text, $1::uuid, $2, 'a', gen_random_uuid(), gen_random_uuid(), 'removed', now(), now())`,
      [id, world.fleet.integrationId],
    );
  }
  expect(await alarms()).toContain('certificate.gone_from_many');
  world.challenges.state.status = 200;
});

test('a setup whose workflow a stranger cancels or terminates is open still, and goes on from the tables', async () => {
  const { api, client } = wizard;
  const { id } = (await api.call('POST', '/api/setups', {})).body as { id: string };
  const answers = `/api/setups/${id}/answers`;
  await api.call('POST', answers, { step: 'get_started' });
  const workflow = client.workflow.getHandle(workflowIds.setup(id));
  await workflow.cancel();
  await workflow.result();
  expect((await api.call('GET', `/api/setups/${id}`)).body).toMatchObject({
    status: 'open',
    step: 'okta_domain',
  });
  const given = await api.call('POST', answers, { step: 'okta_domain', domain: wizard.okta.host });
  expect(given.body).toMatchObject({ status: 'open', step: 'credentials_kind' });
  await workflow.terminate();
  const kind = { step: 'credentials_kind', credentialsKind: 'api_service_integration' };
  expect((await api.call('POST', answers, kind)).body).toMatchObject({ status: 'open', step: 'okta_tasks' });

  const audit = await api.database.query<{ actor: string }>(
    `select distinct actor from audit_entries where action = 'setup.answered' and subject = $1`,
    [`setup:${id}`],
  );
  expect(audit).toEqual([{ actor: 'token:this machine' }]);
});

test('a setup that is over takes no answer, however its workflow was started', async () => {
  const { api, client } = wizard;
  const { id } = (await api.call('POST', '/api/setups', {})).body as { id: string };
  await client.workflow.getHandle(workflowIds.setup(id)).terminate();
  await api.call('POST', `/api/setups/${id}/answers`, { step: 'get_started' });
  const [row] = await api.database.query<{ state: object }>('select state from setups where id = $1', [id]);
  await api.call('DELETE', `/api/setups/${id}`);
  // Its id is free once the run that took the answer is closed.
  await client.workflow.getHandle(workflowIds.setup(id)).result();
  const restarted = await client.workflow.start('setUpIntegration', {
    workflowId: workflowIds.setup(id),
    taskQueue: 'odette',
    args: [{ state: row?.state, takesOneAnswer: false }],
  });
  await expect(
    restarted.executeUpdate('answerStep', {
      args: [{ answer: { step: 'okta_domain', domain: wizard.okta.host } }],
    }),
  ).rejects.toMatchObject({ cause: { type: 'setup.not_open' } });
  await restarted.result();
  expect((await api.call('GET', `/api/setups/${id}`)).body).toMatchObject({ status: 'abandoned' });
});

/** As whoever reaches the server can: ends Odette's run, and starts another on a task queue of their own. */
async function usurp(workflowId: string, type: string) {
  await world.client.workflow
    .getHandle(workflowId)
    .terminate()
    .catch(() => undefined);
  const { runId } = await world.connection.workflowService.startWorkflowExecution({
    namespace: world.namespace,
    workflowId,
    workflowType: { name: type },
    taskQueue: { name: `stranger-${randomUUID()}` },
    requestId: randomUUID(),
  });
  return world.client.workflow.getHandle(workflowId, runId);
}

/** The list of what runs is a moment behind. */
const strangersRun = (...workflowIds: readonly string[]) =>
  world.until(async () => {
    const query = `TaskQueue STARTS_WITH 'stranger-' AND ExecutionStatus = 'Running' AND WorkflowId IN (${workflowIds.map((id) => `'${id}'`).join(', ')})`;
    expect((await world.client.workflow.count(query)).count).toBe(workflowIds.length);
  });

test('a run of a stranger under the id of a certificate or rollout is ended by the sweep, the right one starts, and an alarm says so', async () => {
  const { integrationId } = world.fleet;
  const victim = await world.newDevice('Mac');
  await world.rollOut(victim.id);
  expect(await world.ended(victim.id)).toBe('COMPLETED');
  const codes = async () => (await alarmsOf(world.database)).map(({ failure }) => failure.code);
  expect(await codes()).not.toContain('temporal.restored');
  const certificate = await usurp(workflowIds.certificate(victim.id), 'keepCertificate');
  const rollout = await usurp(workflowIds.rollout(victim.id), 'rollOutDevice');
  await world.database.query(
    `update rollout_runs set closed_at = now() - interval '30 days', started_at = now() - interval '31 days'`,
  );
  await strangersRun(certificate.workflowId, rollout.workflowId);
  const sweeps = sweepActivities(world.deps);
  await sweeps.watchExpiryPage({ integrationId, after: null });
  await sweeps.enforcePage({ integrationId, after: null, nowMs: Date.now() + 30 * 86_400_000 });
  for (const handle of [certificate, rollout])
    expect((await handle.describe()).status.name).toBe('TERMINATED');
  await world.until(async () => {
    const found = await world.certificateWorkflow(victim.id).describe();
    expect([found.status.name, found.taskQueue]).toEqual(['RUNNING', TASK_QUEUE]);
  });
  expect(await codes()).toContain('temporal.restored');
});

test('a rotation, a removal and a change of the fleet that a stranger ends or takes over go on at the next look, and are audited', async () => {
  const { integrationId } = world.fleet;
  const { database } = world;
  const { id: newSecretId } = await storeSecret(database, world.deps.sealer, {
    kind: 'ios_secret_key',
    value: 'A-key-of-phones',
    by: 'person:ada',
  });
  const rotationId =
    (await addRotation(database, {
      integrationId,
      kind: 'ios_secret_key',
      status: 'prepared',
      newSecretId,
      oldSecretId: null,
      publicJwk: null,
      by: 'person:ada',
    })) ?? '';
  await appendOutboxMessage(database, rotationId, { kind: 'rotateSecret', rotationId });
  const removalId = randomUUID();
  await addPlatformRemoval(database, {
    id: removalId,
    integrationId,
    integrationName: 'acme',
    oktaHost: 'acme.okta.com',
    platform: 'iOS',
    usersLosingTrust: 0,
    readinessAsOf: null,
    askedBy: 'person:ada',
    delayMinutes: 600,
    reason: null,
  });
  const added = await findPlatformRemoval(database, removalId);
  if (added) await appendOutboxMessage(database, removalId, removalMessage(added));
  const [fleet] = await database.query<{ id: string }>(
    `insert into fleet_rollouts (integration_id, kind, reason, status, pace, devices, canary, settle_minutes, started_by)
       values (null, 'removal', 'test', 'paused', 'waves', 1, 1, 30, 'person:ada') returning id`,
  );
  const fleetRolloutId = fleet?.id ?? '';
  await database.query(
    `insert into fleet_rollout_devices (fleet_rollout_id, device_id, place, failed_before) values ($1, $2, 1, false)`,
    [fleetRolloutId, mac.id],
  );
  await appendOutboxMessage(database, fleetRolloutId, { kind: 'rollOutFleet', fleetRolloutId });
  const [rotation, removal, change] = [
    workflowIds.rotation(rotationId),
    workflowIds.removal(removalId),
    workflowIds.fleet(fleetRolloutId),
  ];
  const runs = async (workflowId: string) => {
    const { status, taskQueue } = await world.client.workflow.getHandle(workflowId).describe();
    return [status.name, taskQueue];
  };
  const allRun = () =>
    world.until(async () => {
      for (const id of [rotation, removal, change]) expect(await runs(id)).toEqual(['RUNNING', TASK_QUEUE]);
    });
  await allRun();
  // What is still to be told is left to its message, and to the next hourly look.
  await world.told(rotationId, removalId, fleetRolloutId);
  const look = async () => {
    for (const [table, column] of [
      ['secret_rotations', 'started_at'],
      ['platform_removals', 'asked_at'],
      ['fleet_rollouts', 'started_at'],
    ])
      await database.query(`update ${table} set ${column} = now() - interval '1 hour'`);
    await sweepActivities(world.deps).enforcePage({ integrationId, after: null, nowMs: Date.now() });
  };
  const restored = async () =>
    (
      await database.query(`select from audit_entries where action = 'temporal.restored' and subject = $1`, [
        `integration:${integrationId}`,
      ])
    ).length;
  const before = await restored();
  await usurp(rotation, 'rotateSecret');
  await usurp(removal, 'removePlatform');
  await world.client.workflow.getHandle(change).terminate('by a stranger');
  await world.leftLists(change);
  await strangersRun(rotation, removal);
  await look();
  await allRun();
  expect(await restored()).toBe(before + 3);
  // What a person says reaches the workflow, and it ends.
  await database.query(`update platform_removals set status = 'undone' where id = $1`, [removalId]);
  if (added) await appendOutboxMessage(database, removalId, removalMessage(added));
  await world.until(async () => expect(await runs(removal)).toEqual(['COMPLETED', TASK_QUEUE]));
});

test('a sweep that a stranger pauses goes on at the next hourly look, and is audited', async () => {
  const { integrationId } = world.fleet;
  await setSweeps(world.client, world.database, integrationId);
  const schedule = world.client.schedule.getHandle(workflowIds.sweep('expiry', integrationId));
  await schedule.pause('by a stranger');
  await setSweeps(world.client, world.database, integrationId);
  expect((await schedule.describe()).state.paused).toBe(false);
  const audit = await world.database.query<{ subject: string }>(
    `select subject from audit_entries where action = 'temporal.restored'`,
  );
  expect(audit).toContainEqual({ subject: `schedule:${workflowIds.sweep('expiry', integrationId)}` });
});
