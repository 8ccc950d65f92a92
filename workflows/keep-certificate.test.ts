// The workflow of a Mac's certificate over years, outages, refusals and silence.
// Long, because all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { reopenEndpoints } from '../adapters/store/integration/okta-endpoints.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../domain/integration-settings.ts';
import { CHALLENGE_ENDPOINT } from '../domain/okta-budget.ts';
import { renewalTime } from '../domain/renewal-policy.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { beginEnrollmentAgain, finishEnrollment } from '../test/harness/enrollment.ts';
import { oktaRecordOf } from '../test/harness/okta-record.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { atRest, clockOf, fastForward } from '../test/harness/time-skipping.ts';
import { TASK_QUEUE, workflowIds } from './messages.ts';

quietRuntime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], removalDelayMinutes: 0.01 });
});
afterEach(() => {
  world.challenges.state.status = 200;
});
afterAll(() => world.close());

async function trustedMac(): Promise<FakeDevice> {
  const mac = await world.newDevice('Mac');
  await world.rollOut(mac.id);
  await world.ended(mac.id);
  await signIn(mac);
  return mac;
}

/** The user signs in with FastPass, and the sweep sees MANAGED. */
async function signIn(mac: FakeDevice): Promise<void> {
  // By the clock of the workflow, which is ahead and may have run on since the Mac's was set by it: a record from before the proof says
  // nothing of this certificate's use.
  const clock = await clockOf(world.connection, world.namespace, workflowIds.certificate(mac.id));
  const at = new Date(Math.max(clock, mac.now().getTime()) + 1).toISOString();
  const record = await oktaRecordOf(world.database, mac.id, { created: at, lastUpdated: at });
  // Beside those of the others, which would else be missed and get new certificates.
  world.knobs.oktaDevices = [
    ...world.knobs.oktaDevices.filter(({ serialNumber }) => serialNumber !== record.serialNumber),
    record,
  ];
  await world.client.workflow.execute('observeTrust', {
    workflowId: `observeTrust/${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });
  expect((await world.truths(mac.id))['managed']).toBe('held');
}

/** What Temporal's pages say of the certificate workflow. A run that has just begun cannot be asked before its first task. */
async function detailsOf(mac: FakeDevice): Promise<string> {
  const { currentDetails = '' } = await world.until(() =>
    world.certificateWorkflow(mac.id).query<{ currentDetails?: string }>('__temporal_workflow_metadata'),
  );
  return currentDetails;
}

const restOf = (mac: FakeDevice): Promise<number> =>
  atRest(world.connection, world.namespace, workflowIds.certificate(mac.id));

/** Moves workflow and device on together. */
async function pass(mac: FakeDevice, milliseconds: number): Promise<void> {
  await restOf(mac);
  await skip(mac, milliseconds);
}

/** While the certificate workflow waits for the device's answer, too. */
async function skip(mac: FakeDevice, milliseconds: number): Promise<void> {
  const workflowId = workflowIds.certificate(mac.id);
  mac.clockAheadMs += milliseconds;
  await fastForward(world.connection, world.namespace, workflowId, milliseconds);
  // What passed meanwhile by the clock on the wall is part of what was skipped, for the certificate workflow; for the device it came on top.
  // Never behind it: a sign-in after the proof of a certificate would have the earlier time, and not count as its use.
  const asked = Date.now();
  mac.clockAheadMs = (await clockOf(world.connection, world.namespace, workflowId)) - asked;
}

const newest = (mac: FakeDevice) => {
  const certificate = mac.certificates.at(-1);
  if (certificate === undefined) throw new Error('no certificate');
  return certificate;
};

function untilRenewal(mac: FakeDevice): number {
  const { notBefore, notAfter } = newest(mac);
  const life = {
    notBeforeMs: notBefore.getTime(),
    notAfterMs: notAfter.getTime(),
    provenAtMs: notBefore.getTime(),
  };
  return renewalTime(life, DEFAULT_INTEGRATION_SETTINGS, mac.id) - mac.now().getTime();
}

const renewed = (mac: FakeDevice, before: string, timeout = 90_000) =>
  world.until(() => {
    expect(mac.certificates.map(({ serialNumber }) => serialNumber)).not.toContain(before);
    expect(mac.certificates).toHaveLength(1);
  }, timeout);

/** A refused one is not tried again. */
const changePassword = () =>
  world.database.query(
    `update secrets set version = version + 1 where id in (select secret_id from integration_platforms where platform = 'macOS')`,
  );

const timeline = async (mac: FakeDevice): Promise<string[]> => {
  const rows = await world.database.query<{ kind: string }>(
    `select kind from device_timeline where device_id = $1 and kind like 'certificate_%' and kind <> 'certificate_proven'`,
    [mac.id],
  );
  return rows.map(({ kind }) => kind);
};

/** Each holds a challenge that was fetched for it. */
const deliveriesOf = async (mac: FakeDevice): Promise<number> =>
  (await world.database.query('select from certificate_deliveries where device_id = $1', [mac.id])).length;

describe('keepCertificate', () => {
  test('renews three times in three years, through an outage of Okta of 72 hours: no gap, never more than two', async () => {
    const mac = await trustedMac();
    const lives = [newest(mac)];
    for (let year = 1; year <= 3; year += 1) {
      const before = newest(mac);
      if (year === 2) world.challenges.state.status = 503;
      await pass(mac, untilRenewal(mac) + 2_000);
      if (year === 2) {
        await pass(mac, 72 * HOUR);
        expect(mac.certificates).toEqual([before]);
        const untilNextTry = await restOf(mac);
        world.challenges.state.status = 200;
        // The breaker waits by the clock on the wall, which nobody skips here.
        await world.database.query('delete from okta_endpoints');
        await pass(mac, untilNextTry + 1_000);
      }
      await renewed(mac, before.serialNumber);
      await signIn(mac);
      lives.push(newest(mac));
      expect(newest(mac).notBefore.getTime()).toBeLessThan(before.notAfter.getTime());
    }
    expect(lives).toHaveLength(4);
    expect(mac.maxCertificates).toBe(2);
    expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('RUNNING');
    await world.until(async () => {
      const rows = await world.database.query<{ state: string }>(
        'select state from certificate_deliveries where device_id = $1 order by created_at',
        [mac.id],
      );
      expect(rows.map(({ state }) => state)).toEqual(['removed', 'removed', 'removed', 'proven']);
    });
    // It continued as new, where Temporal drops its summary: the details still say whose it is.
    const { raw } = await world.certificateWorkflow(mac.id).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(raw.workflowExecutionInfo?.execution?.runId);
    await world.until(async () =>
      expect(await detailsOf(mac)).toContain(`Mac: [open the device in Odette](/odette/devices/${mac.id})`),
    );
  }, 400_000);

  test('an unused certificate warns on day 80 and is issued again on day 85', async () => {
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.ended(mac.id);
    const { serialNumber } = newest(mac);
    await pass(mac, 80 * DAY + 2_000);
    await world.until(async () => expect((await world.trust(mac.id))?.waitsFor).toContain('day 91'));
    expect(newest(mac).serialNumber).toBe(serialNumber);
    await pass(mac, 5 * DAY);
    await renewed(mac, serialNumber);
  }, 60_000);

  test('renewNow gives a new certificate in the middle of its life, once for each request', async () => {
    const mac = await trustedMac();
    const { serialNumber } = newest(mac);
    const body = { eventId: 'e1', reason: 'asked by an operator' };
    await world.certificateWorkflow(mac.id).signal('renewNow', body);
    await world.certificateWorkflow(mac.id).signal('renewNow', body);
    await renewed(mac, serialNumber);
    expect(mac.certificates).toHaveLength(1);
    const [deliveries] = await world.database.query<{ count: number }>(
      'select count(*) from certificate_deliveries where device_id = $1',
      [mac.id],
    );
    expect(deliveries?.count).toBe(2);
    // Delivered once more while it sleeps: it goes on sleeping.
    await restOf(mac);
    await world.certificateWorkflow(mac.id).signal('renewNow', body);
    await restOf(mac);
  });

  test('renewNow is not kept waiting by an enrollment that has just begun again', async () => {
    const mac = await trustedMac();
    const { serialNumber } = newest(mac);
    await restOf(mac);
    // At rest it says what it is about, when it acts next, and where its device is.
    const details = await detailsOf(mac);
    expect(details).toMatch(
      /^\*\*sleep\*\* No action needed until the renewal\. The current certificate expires on \d{4}-\d\d-\d\d\. Odette renews it on or after \d{4}-/,
    );
    expect(details).toContain(`Mac: [open the device in Odette](/odette/devices/${mac.id})`);
    const { runId } = await world.rollout(mac.id).describe();
    await beginEnrollmentAgain(world.database, mac.id);
    await world.until(async () => expect(await detailsOf(mac)).toContain('waitForEnrollment'));
    await finishEnrollment(world.database, mac.id);
    // Its rollout asks for no certificate: the present one is still there.
    await world.until(async () => expect((await world.rollout(mac.id).describe()).runId).not.toBe(runId));
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    await world
      .certificateWorkflow(mac.id)
      .signal('renewNow', { eventId: randomUUID(), reason: 'asked by an operator' });
    await renewed(mac, serialNumber);
  });

  test('refused challenge credentials fail the rollout by their code; the certificate workflow goes on, and so does the next rollout', async () => {
    world.challenges.state.status = 401;
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'okta.challenge_credentials_refused' });
    expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('RUNNING');
    world.challenges.state.status = 200;
    await changePassword();
    await world.rollOut(mac.id, 'the password was changed');
    await world.until(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'));
    expect(mac.certificates).toHaveLength(1);
  });

  test('a Mac whose rollout has failed is renewed in its turn, and goes on saying why it failed, in its own words', async () => {
    const mac = await world.newDevice('Mac');
    const refusesFor = (profile: string, code: number, domain: string, description: string, times: number) =>
      mac.breaks.push({
        requestType: 'InstallProfile',
        profile,
        errorChain: [{ code, domain, description }],
        times,
      });
    const saysWhy = async () =>
      expect(await world.trust(mac.id)).toMatchObject({
        phase: 'failed',
        failureCode: 'mdm.profile_refused',
        waitsFor: expect.stringContaining('The profile is malformed. (MCProfile 1000)') as string,
      });
    refusesFor('.settings', 1000, 'MCProfileErrorDomain', 'The profile is malformed.', Infinity);
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    await saysWhy();
    // What its certificate meets on its way is told beside it.
    const [first] = mac.certificates;
    refusesFor('.certificate', 15_002, 'MDM-SCEP', 'The response is invalid', 1);
    await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID() });
    await world.until(async () => expect(await timeline(mac)).toContain('certificate_failed'));
    await saysWhy();
    await pass(mac, MINUTE);
    await renewed(mac, first?.serialNumber ?? '');
    await restOf(mac);
    await saysWhy();

    await signIn(mac);
    const { serialNumber } = newest(mac);
    await pass(mac, untilRenewal(mac) + 2_000);
    await renewed(mac, serialNumber);
    expect((await world.truths(mac.id))['certificatePresent']).toBe('held');
    expect(await world.trust(mac.id)).toMatchObject({
      phase: 'failed',
      failureCode: 'mdm.profile_refused',
    });
  }, 120_000);

  test('a new challenge password wakes every Mac that waits within a minute, and sends nothing to another', async () => {
    const trusted = await trustedMac();
    const commands = () =>
      world.database.query('select uuid from commands where device_id = $1 order by uuid', [trusted.id]);
    await restOf(trusted);
    const before = await commands();
    world.challenges.state.status = 401;
    const macs = [await world.newDevice('Mac'), await world.newDevice('Mac'), await world.newDevice('Mac')];
    for (const { id } of macs) {
      await world.rollOut(id);
      expect(await world.ended(id)).toBe('FAILED');
    }
    const { requests } = world.challenges.counts;
    world.challenges.state.status = 200;
    await changePassword();
    await reopenEndpoints(world.database, world.fleet.integrationId, CHALLENGE_ENDPOINT);
    await world.until(
      () => expect(macs.map(({ certificates }) => certificates.length)).toEqual([1, 1, 1]),
      60_000,
    );
    expect(world.challenges.counts.requests - requests).toBe(3);
    // Their rollouts, which had failed for want of it, go on by themselves.
    for (const { id } of macs)
      await world.until(async () => expect((await world.trust(id))?.phase).toBe('delivered'), 60_000);
    expect(await commands()).toEqual(before);
  }, 120_000);

  test('ends when its item is switched off before there was a certificate, though its rollout had failed', async () => {
    world.challenges.state.status = 401;
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    await world.database.query('update library_items set device_trust_on = false');
    const { fetched } = world.challenges.state;
    world.challenges.state.status = 200;
    await changePassword();
    // What wakes it: the next try, the next day.
    await world
      .certificateWorkflow(mac.id)
      .signal('renewNow', { eventId: randomUUID(), reason: 'the next try' });
    await world.until(async () =>
      expect((await world.certificateWorkflow(mac.id).describe()).status.name).toBe('COMPLETED'),
    );
    expect(world.challenges.state.fetched).toBe(fetched);
    await world.database.query('update library_items set device_trust_on = true');
  });

  test('a certificate that is due as soon as it comes is not renewed without end', async () => {
    const mac = await trustedMac();
    const delivered = await deliveriesOf(mac);
    mac.certificateLifeMs = 1;
    await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID(), reason: 'asked' });
    await world.until(async () => expect(await timeline(mac)).toContain('certificate_failed'));
    await restOf(mac);
    expect((await deliveriesOf(mac)) - delivered).toBe(1);
  });

  test('what an operator asked for is not forgotten while the Mac is off', async () => {
    const mac = await trustedMac();
    const { serialNumber } = newest(mac);
    await pass(mac, (await restOf(mac)) + 1_000);
    await restOf(mac);
    mac.isAsleep = true;
    await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID(), reason: 'asked' });
    const firstRun = (await world.certificateWorkflow(mac.id).describe()).runId;
    await world.until(async () => {
      await skip(mac, 12 * HOUR);
      expect((await world.certificateWorkflow(mac.id).describe()).runId).not.toBe(firstRun);
    }, 60_000);
    mac.isAsleep = false;
    await mac.wake();
    await renewed(mac, serialNumber);
  }, 120_000);

  test('a Mac that is silent through its renewal is late, then expired, and then not trusted any more', async () => {
    const mac = await trustedMac();
    const { notAfter, serialNumber } = newest(mac);
    await pass(mac, (await restOf(mac)) + 1_000);
    await restOf(mac);
    mac.isAsleep = true;
    await pass(mac, untilRenewal(mac) + 2_000);
    await skip(mac, notAfter.getTime() - mac.now().getTime() - DAY);
    await world.until(async () => expect(await timeline(mac)).toContain('certificate_late'));
    expect(await timeline(mac)).not.toContain('certificate_expired');
    await skip(mac, 3 * DAY);
    await world.until(async () => expect(await timeline(mac)).toContain('certificate_expired'));
    expect((await world.truths(mac.id))['certificatePresent']).toBe('not_held');
    expect((await world.trust(mac.id))?.bucket).not.toBe('trusted');
    mac.isAsleep = false;
    await mac.wake();
    await renewed(mac, serialNumber);
    expect((await world.truths(mac.id))['certificatePresent']).toBe('held');
  }, 120_000);

  test('a device that refuses its lists, and one that loses what it is sent, are asked again after a pause only', async () => {
    const refusing = await trustedMac();
    refusing.refuses.set('CertificateList', 'mdm.command_refused');
    const forgetful = await trustedMac();
    forgetful.losesCertificates = true;
    const { fetched } = world.challenges.state;
    for (const mac of [refusing, forgetful]) {
      await restOf(mac);
      mac.carriedOut.length = 0;
      await world.certificateWorkflow(mac.id).signal('renewNow', { eventId: randomUUID(), reason: 'asked' });
    }
    await world.until(async () => {
      for (const mac of [refusing, forgetful]) expect(await timeline(mac)).toContain('certificate_failed');
    }, 60_000);
    await Promise.all([restOf(refusing), restOf(forgetful)]);
    expect(refusing.carriedOut.filter((type) => type === 'CertificateList').length).toBeLessThan(10);
    expect(world.challenges.state.fetched - fetched).toBeLessThan(10);
    // The old certificate stays, and counts.
    expect(forgetful.certificates).toHaveLength(1);
    expect((await world.truths(forgetful.id))['certificatePresent']).toBe('held');
  }, 120_000);

  test('a device that falls asleep with its certificate command gets a fresh challenge when it wakes', async () => {
    const mac = await trustedMac();
    const { serialNumber } = newest(mac);
    // Day 80: the certificate workflow looks whether it was used, and then sleeps until the renewal.
    await pass(mac, (await restOf(mac)) + 1_000);
    await restOf(mac);
    mac.isAsleep = true;
    await pass(mac, untilRenewal(mac) + 2_000);
    const delivered = await deliveriesOf(mac);
    await world.until(async () => {
      const [row] = await world.database.query<{ count: number }>(
        `select count(*) from commands where device_id = $1 and step = 'certificate.ProfileList' and state = 'queued'`,
        [mac.id],
      );
      expect(row?.count).toBe(1);
    });
    // Nobody is awake, so nothing is fetched for the shelf.
    expect(await deliveriesOf(mac)).toBe(delivered);
    mac.isAsleep = false;
    await mac.wake();
    await renewed(mac, serialNumber);
    expect(mac.maxCertificates).toBe(2);
  });

  test('what a device listed before it got its certificate says nothing of it, though it was asked for after that', async () => {
    const mac = await world.newDevice('Mac');
    mac.isAsleep = true;
    const { integrationId } = world.fleet;
    const handle = await world.client.workflow.start('keepCertificate', {
      workflowId: workflowIds.certificate(mac.id),
      taskQueue: TASK_QUEUE,
      args: [{ deviceId: mac.id, integrationId }],
    });
    const lists = (condition: string) =>
      world.until(async () =>
        expect(
          await world.database.query(
            `select from commands where device_id = $1 and step in ('certificate.ProfileList', 'certificate.CertificateList') and ${condition}`,
            [mac.id],
          ),
        ).toHaveLength(2),
      );
    // It sleeps, so that no challenge is fetched, and is asked for its lists instead.
    await lists(`state = 'queued'`);
    // Awake and busy: both stay for later.
    mac.notNow = 2;
    mac.isAsleep = false;
    await mac.wake();
    await lists('not_now_at is not null');
    await world.database.query(
      `update devices set long_poll_until = now() + interval '10 minutes' where id = $1`,
      [mac.id],
    );
    // A rollout asks meanwhile: the plan is made anew, and a challenge fetched, as nothing was ever sent.
    let answer = (): void => undefined;
    world.challenges.state.answers = new Promise((resolve) => (answer = resolve));
    const { requests } = world.challenges.counts;
    await handle.signal('certificateWanted', { eventId: randomUUID(), integrationId });
    await world.until(() => expect(world.challenges.counts.requests).toBeGreaterThan(requests));
    await mac.wake();
    await lists(`state = 'responded'`);
    world.challenges.state.answers = undefined;
    answer();
    const isHeld = async () => expect((await world.truths(mac.id))['certificatePresent']).toBe('held');
    await world.until(isHeld, 120_000);
    expect(
      await world.database.query(
        `select from device_timeline where device_id = $1 and detail ->> 'failureCode' = 'certificate.not_seen'`,
        [mac.id],
      ),
    ).toEqual([]);
    expect(await deliveriesOf(mac)).toBe(1);
  }, 240_000);
});
