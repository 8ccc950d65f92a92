// What is recorded: each workflow on its way, and what goes wrong on the way, over the real server, database and worker.
// Long, because all are recorded in one world, to start which takes longer than most of them.
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import { addIosPlatform, addMacPlatform, installApiServiceIntegration } from '../../sandbox/okta/admin.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { addRotation, findRotation } from '../../adapters/store/integration/secret-rotations.ts';
import { startFleetChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { oktaLooksWantedSignal, TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import { oktaTrustPollStart } from '../../workflows/starts.ts';
import { oktaRecordOf } from '../harness/okta-record.ts';
import { lookSoon } from '../../activities/okta-looks.ts';
import { saveLook } from '../../adapters/store/integration/okta-looks.ts';
import { addPlatformRemoval } from '../../adapters/store/rollout/platform-removals.ts';
import { openRolloutWorld, type RolloutWorld } from '../harness/rollout-world.ts';
import { openWizardWorld } from '../harness/wizard.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { recordHistory } from './recording.ts';
import { readRecorded } from './test-codec.ts';

export async function recordAll(): Promise<void> {
  await recordRollouts();
  await recordFleet();
  await recordRotation();
  await recordWrongTurns();
  await recordBackOffs();
  await recordSetup();
}

async function recordRollouts(): Promise<void> {
  const world = await openRolloutWorld({ trustLookupSeconds: [1], removalDelayMinutes: 0.01 });
  try {
    const [mac, phone, foreign] = await Promise.all([
      world.newDevice('Mac'),
      world.newDevice('iPhone', { userName: 'ada@acme.com' }),
      world.newDevice('Mac'),
    ]);
    foreign.appIsForeign = true;
    for (const device of [mac, phone, foreign]) await world.rollOut(device.id);
    for (const device of [mac, phone, foreign]) await world.ended(device.id, 60_000);
    await recordHistory('rollout-mac', world.rollout(mac.id));
    await recordHistory('rollout-iphone', world.rollout(phone.id));
    await recordHistory('rollout-failed', world.rollout(foreign.id));

    const { runId } = await world.certificateWorkflow(mac.id).describe();
    const firstRun = () => world.client.workflow.getHandle(workflowIds.certificate(mac.id), runId);
    const sleeps = () =>
      world.until(async () => {
        const { events } = await world.certificateWorkflow(mac.id).fetchHistory();
        expect(events?.at(-1)?.timerStartedEventAttributes).toBeTruthy();
      }, 60_000);
    await sleeps();
    await recordHistory('certificate-first', firstRun());
    await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: 'renew', reason: 'recorded' });
    await world.until(
      () => expect(mac.carriedOut.filter((each) => each === 'RemoveProfile')).toHaveLength(1),
      60_000,
    );
    await sleeps();
    await recordHistory('certificate-renewed', world.certificateWorkflow(mac.id));
    const { integrationId } = world.fleet;
    const poll = world.client.workflow.getHandle(workflowIds.trust(integrationId));
    // Of all three devices.
    await poll.result();
    await lookSoon(world.deps, { deviceId: mac.id, integrationId, seconds: [1], eventId: 'recorded' });
    const ofOne = world.client.workflow.getHandle(workflowIds.trust(integrationId));
    await ofOne.result();
    await recordHistory('okta-trust-poll', ofOne);
    world.knobs.oktaRefusals = 1;
    await saveLook(world.database, { deviceId: mac.id, integrationId, seconds: [0, 2], isWish: true });
    const { type, options } = oktaTrustPollStart(integrationId);
    const refused = await world.client.workflow.start(type, options);
    await world.until(async () =>
      expect(await world.database.query('select from okta_looks where due_at > now()')).toHaveLength(1),
    );
    // Not in a minute.
    await world.database.query('update okta_looks set due_at = now()');
    await refused.signal(oktaLooksWantedSignal, { eventId: 'recorded' });
    await refused.result();
    await recordHistory('okta-trust-poll-refused', refused);

    world.knobs.oktaDevices = [await oktaRecordOf(world.database, mac.id)];
    await world.database.query(`update device_trust set verified_at = now() - interval '2 days'`);
    for (const [workflow, name] of [
      ['observeTrust', 'observe-trust'],
      ['enforceDesiredState', 'enforce-desired-state'],
      ['watchExpiry', 'watch-expiry'],
    ] as const) {
      const handle = await world.client.workflow.start(workflow, {
        workflowId: `${workflow}/${randomUUID()}`,
        taskQueue: TASK_QUEUE,
        args: [{ integrationId: world.fleet.integrationId }],
      });
      await handle.result();
      await recordHistory(name, handle);
    }
    await recordCheck(world);
    for (const device of [mac, phone])
      await world.until(async () => expect((await world.trust(device.id))?.phase).toBe('delivered'), 60_000);

    await world.fleet.switchTrust(false);
    for (const device of [mac, phone]) await world.rollOut(device.id);
    for (const device of [mac, phone])
      await world.until(
        async () => expect((await world.trust(device.id))?.phase).toBe('out_of_scope'),
        60_000,
      );
    for (const device of [mac, phone]) await world.ended(device.id, 60_000);
    await recordHistory('removal-mac', world.rollout(mac.id));
    await recordHistory('removal-iphone', world.rollout(phone.id));
    await recordHistory('certificate-ended', world.certificateWorkflow(mac.id));
    await recordPlatformRemoval(world);
    await recordHistory('certificate-continued', firstRun());
  } finally {
    await world.close();
  }
}

/** What happens to a rollout on a bad day: each way that a rollout or a certificate can take. */
async function recordWrongTurns(): Promise<void> {
  // Eleven seconds of patience: one push after ten.
  const world = await openRolloutWorld({ trustLookupSeconds: [], patienceHours: 11 / 3600 });
  const delivered = (device: FakeDevice) =>
    world.until(async () => expect((await world.trust(device.id))?.phase).toBe('delivered'), 60_000);
  try {
    const locked = await world.newDevice('Mac');
    locked.notNow = 2;
    await world.rollOut(locked.id);
    await world.until(() => expect(locked.notNow).toBe(0));
    await locked.wake();
    await world.ended(locked.id, 60_000);
    await recordHistory('rollout-not-now', world.rollout(locked.id));

    const silent = await world.newDevice('Mac');
    silent.isAsleep = true;
    await world.rollOut(silent.id);
    expect(await world.ended(silent.id, 60_000)).toBe('FAILED');
    await recordHistory('rollout-silent', world.rollout(silent.id));
    silent.isAsleep = false;
    const { events } = await world.rollout(silent.id).fetchHistory();
    const timer = events?.filter((event) => event.timerStartedEventAttributes).at(-1);
    await world.reset(silent.id, timer?.timerStartedEventAttributes?.workflowTaskCompletedEventId);
    await delivered(silent);
    await recordHistory('rollout-reset', world.rollout(silent.id));

    const canceled = await world.newDevice('Mac');
    canceled.isAsleep = true;
    await world.rollOut(canceled.id);
    await world.until(() => expect(canceled.pushes).toBe(1));
    await world.rollout(canceled.id).cancel();
    await world.ended(canceled.id, 60_000);
    await recordHistory('rollout-canceled', world.rollout(canceled.id));
  } finally {
    await world.close();
  }
}

/** A rollout and a certificate that wait for their next try; a person's wish ends the rollout's wait. */
async function recordBackOffs(): Promise<void> {
  const world = await openRolloutWorld({ trustLookupSeconds: [] });
  try {
    const refusing = await world.newDevice('Mac');
    const errorChain = [{ code: -603, domain: 'NSOSStatusErrorDomain', description: 'not now' }];
    refusing.breaks.push({ requestType: 'InstallProfile', profile: '.settings', times: 1, errorChain });
    await world.rollOut(refusing.id);
    await world.until(
      async () => expect((await world.trust(refusing.id))?.waitsFor).toContain('Odette retries at'),
      60_000,
    );
    await world.rollOut(refusing.id, 'recorded', true);
    expect(await world.ended(refusing.id, 60_000)).toBe('COMPLETED');
    await recordHistory('rollout-back-off', world.rollout(refusing.id));

    world.challenges.state.status = 503;
    const unserved = await world.newDevice('Mac');
    await world.rollOut(unserved.id);
    await world.until(async () => {
      const { events } = await world.certificateWorkflow(unserved.id).fetchHistory();
      expect(waitedToRetry(events)).toBe(true);
    }, 60_000);
    await recordHistory('certificate-back-off', world.certificateWorkflow(unserved.id));
    world.challenges.state.status = 200;
  } finally {
    await world.close();
  }
}

async function recordCheck(world: RolloutWorld): Promise<void> {
  // It serves challenges, and no organization: a result like any other.
  await world.database.query('update integrations set okta_host = $1', [world.challenges.host]);
  const handle = await world.client.workflow.start('checkIntegration', {
    workflowId: `checkIntegration/${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });
  await handle.result();
  await recordHistory('check-integration', handle);
}

/** Of an integration without devices in scope: waited for, then removed. */
async function recordPlatformRemoval(world: RolloutWorld): Promise<void> {
  const id = randomUUID();
  const { integrationId } = world.fleet;
  await addPlatformRemoval(world.database, {
    id,
    integrationId,
    integrationName: 'acme',
    oktaHost: 'acme.okta.com',
    platform: null,
    usersLosingTrust: 0,
    readinessAsOf: null,
    askedBy: 'person:ada',
    delayMinutes: 0.01,
    reason: null,
  });
  await appendOutboxMessage(world.database, id, {
    kind: 'removePlatform',
    removalId: id,
    integrationId,
    label: 'acme',
  });
  const handle = world.client.workflow.getHandle(workflowIds.removal(id));
  await world.until(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'), 60_000);
  await recordHistory('platform-removal', handle);
}

/** With a wrong answer, a step back, and both platforms. */
async function recordSetup(): Promise<void> {
  const world = await openWizardWorld();
  try {
    const begun = await world.api.call('POST', '/api/setups', {});
    const id = begun.body.id as string;
    const answer = async (body: object): Promise<void> => {
      let given = await world.api.call('POST', `/api/setups/${id}/answers`, body);
      while (given.status === 202) given = await world.api.call('GET', given.headers.get('location') ?? '');
    };
    const { clientId, clientSecret } = await installApiServiceIntegration(world.okta.tenant, {});
    const { id: _, ...mac } = await addMacPlatform(world.okta.tenant);
    const enrollmentLink = 'https://mdm.example.com/enroll';
    const { secretKey } = await addIosPlatform(world.okta.tenant, { providerName: 'Odette', enrollmentLink });
    await world.api.call('PUT', '/api/apps-and-books', { token: await world.licenses.newToken() });
    for (const body of [
      { step: 'get_started' },
      { step: 'okta_domain', domain: world.okta.host },
      { step: 'credentials_kind', credentialsKind: 'api_service_integration' },
      { step: 'okta_tasks' },
      { step: 'credentials', clientId, clientSecret: 'not-the-secret' },
      { step: 'credentials', clientId, clientSecret },
      { step: 'connect', confirmed: ['adaptive_mfa'] },
      { step: 'platforms', platforms: ['macOS', 'iOS'] },
      { step: 'macos', ...mac },
      { step: 'go_to', target: 'okta_domain' },
      { step: 'go_to', target: 'ios' },
      { step: 'ios', secretKey, providerName: 'Odette' },
      { step: 'complete' },
    ])
      await answer(body);
    const { body: ended } = await world.api.call('GET', `/api/setups/${id}`);
    expect(ended).toMatchObject({ status: 'complete' });
    await recordHistory('setup', world.client.workflow.getHandle(workflowIds.setup(id)));
  } finally {
    await world.close();
  }
}

/** A canary, a wave, and a device that is left behind by nobody. */
async function recordFleet(): Promise<void> {
  const world = await openRolloutWorld({ trustLookupSeconds: [] });
  try {
    for (let number = 0; number < 21; number += 1) await world.newDevice('iPhone');
    const { fleetRolloutId } = await world.database.inTransaction((sql) =>
      startFleetChange(sql, {
        kind: 'integration',
        integrationId: world.fleet.integrationId,
        reason: 'recorded',
        by: 'person:ada',
        which: [{ integrationId: world.fleet.integrationId, platform: 'iOS' }],
      }),
    );
    const fleet = world.client.workflow.getHandle(workflowIds.fleet(fleetRolloutId ?? ''));
    await world.until(async () => expect((await fleet.describe()).status.name).toBe('COMPLETED'), 120_000);
    await recordHistory('roll-out-fleet', fleet);
  } finally {
    await world.close();
  }
}

/** An iOS key that a person sets in Okta, on a phone whose user then signs in. */
async function recordRotation(): Promise<void> {
  const world = await openRolloutWorld({ trustLookupSeconds: [] });
  try {
    const phone = await world.newDevice('iPhone', { userName: 'ada@acme.com' });
    await world.rollOut(phone.id);
    await world.ended(phone.id, 60_000);
    const key = await storeSecret(world.database, world.deps.sealer, {
      kind: 'ios_secret_key',
      value: 'Recorded-key-1',
      by: 'test',
    });
    const rotationId =
      (await addRotation(world.database, {
        integrationId: world.fleet.integrationId,
        kind: 'ios_secret_key',
        status: 'trying',
        newSecretId: key.id,
        oldSecretId: world.fleet.phoneSecretId,
        publicJwk: null,
        by: 'person:ada',
      })) ?? '';
    await appendOutboxMessage(world.database, rotationId, { kind: 'rotateSecret', rotationId });
    const rotation = world.client.workflow.getHandle(workflowIds.rotation(rotationId));
    await world.until(async () => expect((await rotation.describe()).status.name).toBe('RUNNING'), 60_000);
    await world.until(
      async () => expect((await findRotation(world.database, rotationId))?.status).toBe('pushing'),
      60_000,
    );
    await recordHistory('rotate-secret', rotation);
  } finally {
    await world.close();
  }
}
type ReadEvents = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events'];

const waitedToRetry = (events: ReadEvents): boolean =>
  (events ?? []).some((event) => {
    const { data } = readRecorded(event.userMetadata?.summary ?? {});
    return Buffer.from(data ?? [])
      .toString('utf8')
      .includes('retry after');
  });
