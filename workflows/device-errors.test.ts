// Errors of devices, as public reports show them: once each, and one of each class for ever until its cause is gone.
// A workflow is told the failure that the table names, not the device's numbers: rows of one command and one failure are one to it, and here each
// such pair lasts on a device, but for two that last on paper only (error-table.test.ts): 506 for two days is some hundred looks, and a
// certificate that no challenge brings has a clock of its own beside the rollout's. Which row reads which numbers is shown there, too.
// Long, because all share one world, to start which takes longer than most of these tests.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceErrorClass } from '../domain/device-error-classes.ts';
import { ERROR_CASES } from '../test/harness/error-cases.ts';
import type { FakeBreak, FakeDevice } from '../test/harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { readRecorded } from '../test/histories/test-codec.ts';
import { atRest, fastForward } from '../test/harness/time-skipping.ts';
import { TASK_QUEUE, workflowIds } from './messages.ts';

quietRuntime();
const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], patienceHours: 48, removalDelayMinutes: 0.01 });
});
afterAll(() => world.close());

const cause = (code: number, domain: string, description = '') => ({ code, domain, description });
const install = { requestType: 'InstallApplication' };
const settings = { requestType: 'InstallProfile', profile: '.settings' };
const certificate = { requestType: 'InstallProfile', profile: '.certificate' };

const PASSING: readonly DeviceErrorClass[] = ['passes', 'needs_license', 'on_its_way', 'unknown'];

interface Row {
  readonly name: string;
  readonly what: Pick<FakeBreak, 'requestType' | 'profile' | 'rejectionReason'>;
  readonly chain: FakeBreak['errorChain'];
  /** How it ends if it lasts: the code, or the phase of an end that is no failure. */
  readonly lasting: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'the store does not see the license yet (9610)',
    what: install,
    chain: [cause(9610, 'ASDServerErrorDomain', 'Unhandled exception')],
    lasting: 'mdm.license_not_found',
  },
  {
    name: "the device's network (12024 + -1001)",
    what: install,
    chain: [cause(12024, 'MCMDMErrorDomain'), cause(-1001, 'NSURLErrorDomain', 'The request timed out.')],
    lasting: 'mdm.device_error_passes',
  },
  {
    name: 'a store login is required (12040)',
    what: install,
    chain: [cause(12040, 'MCMDMErrorDomain', 'iTunes Store login required')],
    lasting: 'mdm.app_needs_account',
  },
  {
    name: 'a locked device (4009)',
    what: settings,
    chain: [cause(4009, 'MCInstallationErrorDomain', 'The device is locked.')],
    lasting: 'mdm.device_error_passes',
  },
  {
    name: 'an error that nobody knows',
    what: settings,
    chain: [cause(4711, 'OddErrorDomain', 'Something odd')],
    lasting: 'mdm.device_error_unknown',
  },
];

/** Those that a person has to see to. One of each command and failure; single sign-on has a test of its own. */
const AT_ONCE = [
  ...new Map(
    ERROR_CASES.filter(({ row }) => row.class === 'permanent' && row.failure !== 'mdm.sso_host_claimed')
      .toReversed()
      .map(
        ({ requestType, errorChain, row: { failure } }) =>
          [`${requestType} ${failure}`, { requestType, failure, errorChain }] as const,
      ),
  ).values(),
];

/** What has a test of its own, below. */
const OTHERS = [
  'InstallApplication mdm.app_on_its_way',
  'InstallApplication mdm.app_already_installed',
  'InstallApplication mdm.user_refused_app',
  'InstallProfile mdm.sso_host_claimed',
  'InstallProfile scep.enrollment_failed',
  'RemoveProfile mdm.profile_absent',
  'Settings mdm.device_error_passes',
];

test('each command and failure of the table is met by a device here', () => {
  const met = [
    ...ROWS.map(({ what, lasting: failure }) => `${what.requestType} ${failure}`),
    ...AT_ONCE.map(({ requestType, failure }) => `${requestType} ${failure}`),
    ...OTHERS,
  ];
  expect(new Set(met)).toEqual(
    new Set(ERROR_CASES.map(({ requestType, row }) => `${requestType} ${row.failure}`)),
  );
});

async function newMac(row: Pick<Row, 'what' | 'chain'>, times: number): Promise<FakeDevice> {
  const mac = await world.newDevice('Mac');
  mac.breaks.push({ ...row.what, errorChain: row.chain, times });
  await world.rollOut(mac.id);
  return mac;
}

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

/** How long it still waits with its next try, by its own clock; undefined when it waits for none. */
const retryWait = (mac: FakeDevice): Promise<number | undefined> =>
  atRest(world.connection, world.namespace, workflowIds.rollout(mac.id)).catch(() => undefined);

/**
 * Skips the wait of the rollout for its next try or look, and says how long it was; 0: it waited for none, or `end` came. One at a time: behind it the server
 * would skip the patience with a device that answers slowly, too.
 */
async function skipOneWait(mac: FakeDevice, end?: Promise<void>): Promise<number> {
  const waitMs = await Promise.race([retryWait(mac), ...(end === undefined ? [] : [end])]);
  if (typeof waitMs !== 'number') return 0;
  await fastForward(world.connection, world.namespace, workflowIds.rollout(mac.id), waitMs + SECOND);
  return waitMs;
}

async function healsByWaits(mac: FakeDevice, withinMs: number): Promise<void> {
  let isHealed = false;
  const end = healed(mac, withinMs).then(() => {
    isHealed = true;
  });
  while (!isHealed) await skipOneWait(mac, end);
}

const waits = (mac: FakeDevice): Promise<void> =>
  world.until(async () =>
    expect((await world.trust(mac.id))?.waitsFor).toMatch(/Odette retries at \d{4}-\d\d-\d\d/),
  );

const isRefused =
  (requestType: string) =>
  (mac: FakeDevice): Promise<void> =>
    world.until(() => expect(mac.carriedOut).toContain(requestType), 120_000);

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
  await sweep();
}

const healed = (mac: FakeDevice, withinMs?: number): Promise<void> =>
  world.until(
    async () => expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered', failureCode: null }),
    withinMs,
  );

const left = (device: FakeDevice): number => device.breaks.reduce((sum, { times }) => sum + times, 0);

/** What passes by itself of a command: of each failure one row, once. */
const once = (requestType: string, profile?: string): FakeBreak[] =>
  [
    ...new Map(
      ERROR_CASES.toReversed().map((each) => [`${each.requestType} ${each.row.failure}`, each]),
    ).values(),
  ]
    .filter(
      (each) =>
        each.requestType === requestType &&
        PASSING.includes(each.row.class) &&
        // Its user is asked first.
        each.row.failure !== 'mdm.app_already_installed',
    )
    .map(({ errorChain, rejectionReason }) => ({
      requestType,
      errorChain,
      times: 1,
      ...(profile !== undefined && { profile }),
      ...(rejectionReason !== undefined && { rejectionReason }),
    }));

const runsOf = async (device: FakeDevice): Promise<string[]> => {
  const rows = await world.database.query<{ outcome: string }>(
    'select outcome from rollout_runs where device_id = $1',
    [device.id],
  );
  return rows.map(({ outcome }) => outcome);
};

describe.concurrent('an error of a device', () => {
  test.each([
    ['an app', 'InstallApplication', undefined],
    ['a profile', 'InstallProfile', '.settings'],
  ])(
    'each kind of %s that passes, one after another on one Mac: it heals in one rollout, with no person',
    async (_what, requestType, profile) => {
      const mac = await world.newDevice('Mac');
      mac.breaks.push(...once(requestType, profile));
      expect(mac.breaks.length).toBeGreaterThan(1);
      await world.rollOut(mac.id);
      await healsByWaits(mac, 220_000);
      expect(left(mac)).toBe(0);
      expect(mac.appStatus).toBe('Managed');
      expect(await runsOf(mac)).toEqual(['completed']);
    },
    240_000,
  );

  test('each kind of an app configuration: once, it heals with no person', async () => {
    const phone = await world.newDevice('iPhone');
    await world.rollOut(phone.id);
    await world.ended(phone.id);
    phone.appConfiguration = undefined;
    phone.breaks.push(...once('Settings'));
    await world.rollOut(phone.id);
    await skipWaits(phone, 10 * MINUTE);
    await world.until(() => expect(phone.appConfiguration).toBeDefined());
    await healed(phone);
    expect(left(phone)).toBe(0);
  });

  test.each(ROWS)(
    '$name: lasting, it is named, and heals once its cause is gone',
    async (row) => {
      const mac = await newMac(row, Infinity);
      await skipWaits(mac, 60 * HOUR);
      // A dozen retries, each with a device that answers.
      expect(await world.ended(mac.id, 90_000)).toBe('FAILED');
      expect(await world.trust(mac.id)).toMatchObject({ failureCode: row.lasting });
      // Over two days at most, and never three times in thirty seconds.
      expect(mac.carriedOut.filter((each) => each === row.what.requestType).length).toBeLessThan(25);
      mac.breaks.length = 0;
      await sweep();
      expect((await world.trust(mac.id))?.failureCode).toBe(row.lasting);
      await nextDay(mac);
      await healed(mac);
    },
    120_000,
  );

  test.each(AT_ONCE)(
    '$requestType, $failure: lasting, it ends the rollout at once, and heals once its cause is gone',
    async ({ requestType, failure, errorChain }) => {
      const mac = await world.newDevice('Mac');
      if (requestType === 'RemoveProfile') addLeftover(mac);
      const profile = requestType === 'InstallProfile' ? '.settings' : undefined;
      mac.breaks.push({ requestType, errorChain, times: Infinity, ...(profile && { profile }) });
      await world.rollOut(mac.id);
      expect(await world.ended(mac.id, 90_000)).toBe('FAILED');
      expect(await world.trust(mac.id)).toMatchObject({ failureCode: failure });
      expect(mac.carriedOut.filter((each) => each === requestType).length).toBeLessThan(4);
      mac.breaks.length = 0;
      await nextDay(mac);
      await healed(mac);
    },
    240_000,
  );

  test('an installation that is on its way for an hour (506) is asked for later and later, and heals by itself once it has come', async () => {
    const mac = await newMac({ what: install, chain: [cause(506, 'ASDErrorDomain')] }, Infinity);
    await isRefused('InstallApplication')(mac);
    const asked = () => mac.carriedOut.filter((each) => each === 'InstallApplication').length;
    for (let skippedMs = 0; skippedMs < HOUR;) skippedMs += await skipOneWait(mac);
    expect(asked()).toBeGreaterThanOrEqual(4);
    expect(asked()).toBeLessThan(8);
    expect(await world.trust(mac.id)).toMatchObject({ failureCode: null });
    mac.breaks.length = 0;
    await healsByWaits(mac, 180_000);
    expect(await runsOf(mac)).toEqual(['completed']);
  }, 480_000);

  test('a user who refuses (12063) is asked on three days, then waited for, and asked again when a person says so', async () => {
    const mac = await newMac({ what: install, chain: [cause(12063, 'MCMDMErrorDomain')] }, Infinity);
    await skipWaits(mac, 60 * HOUR, isRefused('InstallApplication'));
    expect(await world.ended(mac.id, 90_000)).toBe('COMPLETED');
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'waits_for_user', failureCode: null });
    expect(mac.carriedOut.filter((each) => each === 'InstallApplication')).toHaveLength(3);
    mac.breaks.length = 0;
    await world.rollOut(mac.id, 'the user will accept it', true);
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

  test('a removal that a device refuses for ever ends, is tried again once a day, and is done once its cause is gone', async () => {
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    await world.ended(mac.id);
    const chain = [cause(12013, 'MCMDMErrorDomain', 'The profile is not managed.')];
    mac.breaks.push({ requestType: 'RemoveProfile', profile: '.sso', errorChain: chain, times: Infinity });
    await world.database.query('update devices set blueprint_id = null where id = $1', [mac.id]);
    await world.rollOut(mac.id);
    await world.until(
      async () => expect(await world.trust(mac.id)).toMatchObject({ failureCode: 'mdm.profile_refused' }),
      90_000,
    );
    await world.ended(mac.id);
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
  }, 240_000);

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
    expect(trust?.waitsFor).toContain('InstallProfile: The URL is claimed already (MCSSO 34001).');
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
    mac.notNow = 1;
    await world.rollOut(mac.id);
    await world.until(async () =>
      expect((await world.trust(mac.id))?.waitsFor).toMatch(
        /responds NotNow \(it is locked or busy\) since \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
      ),
    );
    await mac.wake();
    await mac.wake();
    await healed(mac);
    expect((await world.trust(mac.id))?.waitsFor).not.toContain('not now');
  });
});
