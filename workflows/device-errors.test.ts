// Errors of devices, as public reports show them, through the real workflow: how long each is retried, what stays of a device meanwhile, and what
// a rollout and the certificate's workflow say of it. Each row, from a device of the sandbox: test/scenarios/device-errors.test.ts. Long, because
// all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_CASES } from '../test/harness/error-cases.ts';
import type { FakeDevice } from '../test/harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { readRecorded } from '../test/histories/test-codec.ts';
import { atRest, fastForward } from '../test/harness/time-skipping.ts';
import { TASK_QUEUE, workflowIds } from './messages.ts';

quietRuntime();
const HOUR = 60 * 60_000;

let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], patienceHours: 48, removalDelayMinutes: 0.01 });
});
afterAll(() => world.close());

const cause = (code: number, domain: string, description = '') => ({ code, domain, description });
const install = { requestType: 'InstallApplication' };
const certificate = { requestType: 'InstallProfile', profile: '.certificate' };

/** A foreign-looking profile of Odette's, which a rollout removes. */
function addLeftover(mac: FakeDevice): string {
  const identifier = `odette.${randomUUID()}.${mac.id}.sso`;
  mac.profiles.set(identifier, { uuid: randomUUID(), types: [] });
  return identifier;
}

/** Skips what the rollout waits for from now on; it may end on the way. */
async function skipWaits(mac: FakeDevice, milliseconds: number, since = waits): Promise<void> {
  await since(mac);
  void fastForward(world.connection, world.namespace, workflowIds.rollout(mac.id), milliseconds).catch(
    () => undefined,
  );
}

const waits = (mac: FakeDevice): Promise<void> =>
  world.until(async () =>
    expect((await world.trust(mac.id))?.waitsFor).toMatch(/Odette retries at \d{4}-\d\d-\d\d/),
  );

const sweep = () =>
  world.client.workflow.execute('enforceDesiredState', {
    workflowId: `enforceDesiredState/${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [{ integrationId: world.fleet.integrationId }],
  });

/** The daily check finds a device whose last rollout ended a day ago. */
async function nextDay(mac: FakeDevice): Promise<void> {
  await world.database.query(
    `update rollout_runs set started_at = now() - interval '25 hours', closed_at = now() - interval '25 hours' where device_id = $1`,
    [mac.id],
  );
  await world.leftLists(workflowIds.rollout(mac.id));
  await sweep();
}

const healed = (mac: FakeDevice, withinMs?: number): Promise<void> =>
  world.until(
    async () => expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    withinMs,
  );

const left = (device: FakeDevice): number => device.breaks.reduce((sum, { times }) => sum + times, 0);

const runsOf = async (device: FakeDevice): Promise<string[]> => {
  const rows = await world.database.query<{ outcome: string }>(
    'select outcome from rollout_runs where device_id = $1',
    [device.id],
  );
  return rows.map(({ outcome }) => outcome);
};

describe.concurrent('an error of a device', () => {
  test("the device's network (12024 + -1001), for ever: it is retried over two days, named, and heals once its cause is gone", async () => {
    const mac = await world.newDevice('Mac');
    const chain = [
      cause(12024, 'MCMDMErrorDomain'),
      cause(-1001, 'NSURLErrorDomain', 'The request timed out.'),
    ];
    mac.breaks.push({ ...install, errorChain: chain, times: Infinity });
    await world.rollOut(mac.id);
    await skipWaits(mac, 60 * HOUR);
    // A dozen retries, each with a device that answers.
    expect(await world.ended(mac.id, 90_000)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.device_error_passes' });
    // Over two days at most, and never three times in thirty seconds.
    expect(mac.carriedOut.filter((each) => each === 'InstallApplication').length).toBeLessThan(25);
    mac.breaks.length = 0;
    await sweep();
    expect((await world.trust(mac.id))?.failureCode).toBe('mdm.device_error_passes');
    await nextDay(mac);
    await healed(mac);
  }, 240_000);

  test('a profile that is said to be gone and is listed for ever is named after a day, and heals once it has gone', async () => {
    const mac = await world.newDevice('Mac');
    const leftover = addLeftover(mac);
    mac.breaks.push({
      requestType: 'RemoveProfile',
      errorChain: [cause(89, 'MDMClientError')],
      times: Infinity,
    });
    await world.rollOut(mac.id);
    await skipWaits(mac, 40 * HOUR);
    expect(await world.ended(mac.id, 90_000)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.profile_refused' });
    mac.breaks.length = 0;
    await nextDay(mac);
    await healed(mac);
    expect(mac.profiles.has(leftover)).toBe(false);
  }, 240_000);

  test.each(['.sso', '.certificate'])(
    'a removal of a profile (%s) that a device refuses for ever ends in its words, is tried again once a day, and is done once its cause is gone',
    async (profile) => {
      const mac = await world.newDevice('Mac');
      await world.rollOut(mac.id);
      await world.ended(mac.id);
      const chain = [cause(12013, 'MCMDMErrorDomain', 'The profile is not managed.')];
      mac.breaks.push({ requestType: 'RemoveProfile', profile, errorChain: chain, times: Infinity });
      await world.database.query('update devices set blueprint_id = null where id = $1', [mac.id]);
      await world.rollOut(mac.id);
      await world.until(
        async () =>
          expect(await world.trust(mac.id)).toMatchObject({
            failureCode: 'mdm.profile_refused',
            waitsFor: expect.stringContaining(
              'RemoveProfile: The profile is not managed. (MCMDM 12013).',
            ) as string,
          }),
        90_000,
      );
      await world.ended(mac.id);
      expect(mac.carriedOut.filter((each) => each === 'RemoveProfile').length).toBeLessThan(6);
      mac.breaks.length = 0;
      const runs = (await runsOf(mac)).length;
      await sweep();
      expect(await runsOf(mac)).toHaveLength(runs);
      await nextDay(mac);
      await world.until(
        async () =>
          expect(await world.trust(mac.id)).toMatchObject({ phase: 'out_of_scope', failureCode: null }),
        90_000,
      );
      expect(mac.profiles.size).toBe(0);
      expect(mac.certificates).toEqual([]);
    },
    240_000,
  );

  test('an app configuration that is refused for ever is named after two days, and heals once it is taken', async () => {
    const phone = await world.newDevice('iPhone');
    await world.rollOut(phone.id);
    await world.ended(phone.id, 90_000);
    phone.appConfiguration = undefined;
    phone.breaks.push({
      requestType: 'Settings',
      errorChain: [cause(12038, 'MCMDMErrorDomain')],
      times: Infinity,
    });
    await world.rollOut(phone.id);
    await skipWaits(phone, 60 * HOUR);
    expect(await world.ended(phone.id, 90_000)).toBe('FAILED');
    expect(await world.trust(phone.id)).toMatchObject({ failureCode: 'mdm.device_error_passes' });
    phone.breaks.length = 0;
    // It was well before, by the clock of the database an instant ago.
    await world.database.query(
      `update device_trust set verified_at = now() - interval '25 hours' where device_id = $1`,
      [phone.id],
    );
    await nextDay(phone);
    await healed(phone, 90_000);
    expect(phone.appConfiguration).toBeDefined();
  }, 240_000);

  test('an installation that is on its way already (506) is looked at, as after an acknowledgment', async () => {
    const mac = await world.newDevice('Mac');
    const chain = [cause(506, 'ASDErrorDomain', 'Duplicate request')];
    mac.breaks.push({ ...install, errorChain: chain, times: 1, appStatus: 'Installing' });
    await world.rollOut(mac.id);
    await healed(mac);
    expect(mac.carriedOut.filter((each) => each === 'InstallApplication')).toHaveLength(1);
  });

  test("an app that its user installed waits for the user's consent, is asked for daily, and has not failed", async () => {
    const phone = await world.newDevice('iPhone');
    const chain = [cause(12025, 'MCMDMErrorDomain', 'App already installed')];
    phone.breaks.push({ ...install, errorChain: chain, times: Infinity });
    await world.rollOut(phone.id);
    expect(await world.ended(phone.id)).toBe('COMPLETED');
    const trust = await world.trust(phone.id);
    expect(trust).toMatchObject({ phase: 'waits_for_user', failureCode: null });
    expect(trust?.waitsFor).toContain('accept the prompt');
    phone.breaks.length = 0;
    await world.database.query(
      `update device_trust set verified_at = now() - interval '25 hours' where device_id = $1`,
      [phone.id],
    );
    await sweep();
    await healed(phone);
  });

  test('each one of a certificate profile is tried again within minutes, with a fresh challenge, and the rollout goes on by itself', async () => {
    const mac = await world.newDevice('Mac');
    const chain = [cause(-603, 'NSOSStatusErrorDomain', 'The profile could not be installed')];
    mac.breaks.push({ ...certificate, errorChain: chain, times: 1 });
    for (const { errorChain, row } of ERROR_CASES)
      if (row.class === 'needs_challenge') mac.breaks.push({ ...certificate, errorChain, times: 1 });
    expect(mac.breaks.length).toBeGreaterThan(3);
    const { fetched } = world.challenges.state;
    await world.rollOut(mac.id);
    await world.until(() => expect(mac.breaks[0]?.times).toBe(0));
    await world.until(async () =>
      expect((await world.trust(mac.id))?.waitsFor).toContain('(NSOSStatus -603)'),
    );
    const workflowId = workflowIds.certificate(mac.id);
    for (const _ of mac.breaks) {
      const leftMs = await atRest(world.connection, world.namespace, workflowId);
      await fastForward(world.connection, world.namespace, workflowId, leftMs + 1000);
    }
    await healed(mac);
    expect(left(mac)).toBe(0);
    expect(mac.certificates).toHaveLength(1);
    // At least: other devices fetch theirs at the same time.
    expect(world.challenges.state.fetched - fetched).toBeGreaterThanOrEqual(mac.breaks.length + 1);
  });

  test('that lasts (a host claimed by another profile) is named with its words, and keeps nothing else from being healed', async () => {
    const mac = await world.newDevice('Mac');
    const chain = [
      cause(4001, 'MCInstallationErrorDomain', 'Profile installation failed'),
      cause(34001, 'MCSSOErrorDomain', 'The URL is claimed already'),
    ];
    mac.breaks.push({ requestType: 'InstallProfile', profile: '.sso', errorChain: chain, times: Infinity });
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    const trust = await world.trust(mac.id);
    expect(trust).toMatchObject({ failureCode: 'mdm.sso_host_claimed' });
    const said = 'InstallProfile: The URL is claimed already (MCSSO 34001).';
    expect(trust?.waitsFor).toContain(said);
    // In Temporal's pages, too.
    const { currentDetails } = await world
      .rollout(mac.id)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain(said);
    expect([mac.certificates.length, mac.appStatus]).toEqual([1, 'Managed']);
    // Its user removes Okta Verify: the daily check brings it back, and goes on saying why the device has failed.
    mac.appStatus = undefined;
    await nextDay(mac);
    await world.until(() => expect(mac.appStatus).toBe('Managed'));
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.sso_host_claimed' });
  });

  test('a profile that is gone already is removed as well, whatever the words, and nothing waits for it', async () => {
    const mac = await world.newDevice('Mac');
    const rows = ERROR_CASES.filter(({ row }) => row.failure === 'mdm.profile_absent');
    expect(rows).toHaveLength(3);
    for (const { errorChain } of rows) {
      const foreign = `odette.${randomUUID()}.${mac.id}.sso`;
      mac.profiles.set(foreign, { uuid: randomUUID(), types: [] });
      mac.breaks.push({ requestType: 'RemoveProfile', errorChain, times: 1, removesProfile: foreign });
    }
    await world.rollOut(mac.id);
    await healed(mac);
    expect(left(mac)).toBe(0);
    const { events } = await world.rollout(mac.id).fetchHistory();
    const summaries = (events ?? []).map(({ userMetadata }) =>
      Buffer.from(readRecorded(userMetadata?.summary ?? {}).data ?? []).toString('utf8'),
    );
    expect(summaries.filter((each) => each.includes('retry after'))).toEqual([]);
  });
});

describe.concurrent('what a device says', () => {
  test('and nobody can read is asked again once, by a command of its own', async () => {
    const mac = await world.newDevice('Mac');
    mac.unreadable = 1;
    await world.rollOut(mac.id);
    await healed(mac);
    const rows = await world.database.query<{ uuid: string; state: string }>(
      `select uuid, state from commands where device_id = $1 and step = 'rollout.ProfileList'`,
      [mac.id],
    );
    expect(rows.length).toBeGreaterThan(1);
  });

  test('and nobody can read twice fails the rollout by its name', async () => {
    const mac = await world.newDevice('Mac');
    mac.unreadable = Infinity;
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('FAILED');
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.message_unreadable' });
    mac.unreadable = 0;
    await nextDay(mac);
    await healed(mac);
  });

  test('while it is locked or busy is shown, and gone when it answers', async () => {
    const mac = await world.newDevice('Mac');
    mac.notNow = Infinity;
    await world.rollOut(mac.id);
    await world.until(async () =>
      expect((await world.trust(mac.id))?.waitsFor).toMatch(
        /has responded NotNow \(it is locked or busy\) since \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
      ),
    );
    mac.notNow = 0;
    await mac.wake();
    await mac.wake();
    await healed(mac);
    expect((await world.trust(mac.id))?.waitsFor).not.toContain('not now');
  });
});
