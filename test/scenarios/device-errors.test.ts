// Rows of the table of device errors, each reported by a device of the sandbox over the network: once, and the device is whole with no
// person; for ever, and it comes to its stated end, and is whole once the cause has gone. `npm test` takes a row of each class,
// `npm run test:device-errors` all of them. How long each is retried is shown on paper (workflows/error-table.test.ts): here hours are skipped.
// Long, because what is waited for, and how, is the same for each row.
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { OUTSTANDING } from '../../adapters/store/devices/command-states.ts';
import { deviceWords } from '../../domain/device-error-classes.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../../domain/integration-settings.ts';
import { workflowIds } from '../../workflows/messages.ts';
import { breakOf, ERROR_CASES, type ErrorCase } from '../harness/error-cases.ts';
import * as devices from '../harness/pretend-devices.ts';
import { devicesOf, setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { clockOf, moveOn, newestTimer } from '../harness/time-skipping.ts';
import { startWorld, type World } from '../harness/world.ts';

/** None of those that are waited for has come any further in so long. */
const STILL_MS = 180_000;
const TEST_MS = 1_200_000;
const LOOK_MS = 1000;
const ASK_OKTA_MS = 10_000;
/** A shorter wait is over as soon as it could be skipped. */
const SHORT_MS = 3000;
/** An order to skip that met a task under way is lost: after so long it is given again. */
const LOST_MS = 10_000;
/**
 * Three tries: at once, and about fifteen seconds and a minute later; the wait for a fourth outlasts it. A device of a busy machine may take
 * as long to respond.
 */
const PATIENCE_HOURS = 4 / 60;
const MAX_TRIES = 3;
/** The certificate's workflow tries once more by itself, in the longer of the waits that its rollout has. */
const MAX_CERTIFICATE_TRIES = MAX_TRIES + 1;
const triesOf = ({ row }: ErrorCase): readonly [least: number, most: number] => {
  if (row.class === 'permanent') return [1, 1];
  // On three days.
  if (row.class === 'needs_user') return [3, 3];
  return [1, row.class === 'needs_challenge' ? MAX_CERTIFICATE_TRIES : MAX_TRIES];
};
/** A removal has the patience of an integration that says nothing else: after six tries one each six hours, or a fifth sooner. */
const MAX_REMOVAL_TRIES = 6 + Math.ceil(DEFAULT_INTEGRATION_SETTINGS.patienceHours / (6 * 0.8));
/** A device that enrolls makes keys. */
const ENROLL_TOGETHER = 6;

/** What a removal sends: met by devices that are whole. */
const isOfRemoval = ({ requestType }: ErrorCase): boolean =>
  requestType === 'RemoveProfile' || requestType === 'Settings';
/** Its user is asked, or has Okta Verify already. */
const isOfUser = ({ row }: ErrorCase): boolean => row.class === 'needs_user' || isConsent({ row });
const isConsent = ({ row }: Pick<ErrorCase, 'row'>): boolean => row.failure === 'mdm.app_already_installed';

/** `all`, or a part of them (`2/3`); absent: the first row of each class, and of each command and class of a removal. */
const [PART, PARTS] = (process.env['ERROR_ROWS'] ?? '').replace('all', '1/1').split('/').map(Number);
const chosen = (rows: readonly ErrorCase[], kindOf: (each: ErrorCase) => string): readonly ErrorCase[] =>
  PART === undefined || PARTS === undefined
    ? [...new Map(rows.toReversed().map((each) => [kindOf(each), each])).values()]
    : rows.filter((_, index) => index % PARTS === PART - 1);
const OF_ROLLOUT = chosen(
  ERROR_CASES.filter((each) => !isOfRemoval(each)),
  ({ row }) => row.class,
);
const OF_REMOVAL = chosen(ERROR_CASES.filter(isOfRemoval), ({ requestType, row }) => requestType + row.class);

/** A device that meets one row. */
interface Subject {
  readonly each: ErrorCase;
  readonly name: string;
  readonly lasts: boolean;
}

let world: World;
let trusted: TrustedWorld;
let database: Database;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  world = await startWorld({
    temporalConfig: {
      'frontend.WorkflowTimeSkippingEnabled': 'true',
      'frontend.WorkflowTimeSkippingMaxSkipPerSession': '100000',
    },
  });
  trusted = await setUpTrust(world);
  await world.manage('PATCH', '/tenants/one/knobs', { rateLimits: { apiPerMinute: 100_000 } });
  await world.manage('PATCH', '/apps-and-books/assets/490179405', { total: 1000 });
  database = connectDatabase(world.databaseUrl, { max: 2 });
  connection = await Connection.connect({ address: world.temporalAddress });
  temporal = new Client({ connection });
  await database.query(`update integrations set settings = settings || $1::jsonb`, [
    JSON.stringify({ patienceHours: PATIENCE_HOURS, removalDelayMinutes: 0 }),
  ]);
}, 480_000);
afterAll(async () => {
  await connection?.close();
  await database?.end();
  await world?.stop();
}, 60_000);

/** Of a profile: the settings', or the certificate's where the error is about that. */
const orderOf = ({ each, lasts }: Subject): object => ({
  ...breakOf(each, lasts ? 1_000_000 : 1),
  ...(/Profile$/.test(each.requestType) && {
    profile: each.row.class === 'needs_challenge' ? '.certificate' : '.settings',
  }),
});

const order = (name: string, breaks: readonly object[]): Promise<unknown> =>
  world.manage('PATCH', `/devices/${name}`, { knobs: { breaks } });

async function enroll(subject: Subject): Promise<void> {
  const { each, name } = subject;
  await world.manage('POST', '/devices', {
    family: isOfUser(each) ? 'iPhone' : 'Mac',
    name,
    isSupervised: false,
    knobs: { downloadSeconds: 0, promptSeconds: 0, signInSeconds: 0, breaks: [orderOf(subject)] },
  });
  if (isConsent(each))
    await world.manage('POST', `/devices/${name}/install-okta-verify`, { source: 'appStore' });
  await devices.enroll(world, trusted, name);
}

/** Some at a time. */
async function forAll<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const actOnNext = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: ENROLL_TOGETHER }, actOnNext));
}

/** Looks until each is as it should be. */
async function until(
  subjects: readonly Subject[],
  what: string,
  holds: (device: KnownDevice, subject: Subject) => boolean,
): Promise<void> {
  let waiting = subjects;
  let changedAt = Date.now();
  let last = '';
  while (waiting.length > 0) {
    const known = new Map((await devicesOf(trusted)).map((device) => [device.user, device]));
    const rest = waiting.flatMap((subject) => {
      const device = known.get(`${subject.name}@example.com`);
      return device !== undefined && holds(device, subject) ? [] : [{ subject, device }];
    });
    const shown = rest
      .map(
        ({ subject: { each, name }, device }) =>
          `${name} (${each.name}): ${device?.bucket}, ${device?.phase}, ${device?.failureCode}, ${device?.waitsFor}`,
      )
      .join('\n');
    if (shown !== last) changedAt = Date.now();
    if (Date.now() - changedAt > STILL_MS) throw new Error(`not ${what}:\n${shown}`);
    last = shown;
    waiting = rest.map(({ subject }) => subject);
    // Who signed in after a rollout looked is seen when Odette asks Okta again.
    if (rest.some(({ device }) => device?.phase === 'delivered')) await askOkta();
    const busy = await busyDevices();
    for (const { subject, device } of rest)
      if (device !== undefined && !busy.has(device.id) && waitsForTime(device, subject))
        // Its workflow may end meanwhile.
        await skipOneWait(device.id).catch(() => undefined);
    await pause(LOOK_MS);
  }
}

let askedOktaAt = 0;
async function askOkta(): Promise<void> {
  if (Date.now() - askedOktaAt < ASK_OKTA_MS) return;
  askedOktaAt = Date.now();
  await temporal.schedule.getHandle(workflowIds.sweep('trust', trusted.integrationId)).trigger();
}

/** Those that owe a response. */
async function busyDevices(): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ id: string }>(
    `select distinct device_id as id from commands where state in ${OUTSTANDING}`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** A certificate that lasts is waited for until the patience of the rollout is over; its retries go by a clock of their own. */
const waitsForTime = ({ phase, waitsFor }: KnownDevice, { lasts }: Subject): boolean =>
  phase === 'certificate'
    ? lasts && /cannot get its certificate/.test(waitsFor ?? '')
    : ['profiles', 'app', 'app_configuration', 'waits_for_user', 'removing'].includes(phase);

const skipped = new Map<string, { readonly firesAtMs: number; readonly at: number }>();
/** One at a time: behind it a device that responds slowly would be taken for silent. */
async function skipOneWait(deviceId: string): Promise<void> {
  const workflowId = workflowIds.rollout(deviceId);
  const timer = await newestTimer(connection, 'default', workflowId);
  if ('busyWith' in timer) return;
  const { firesAtMs } = timer;
  const last = skipped.get(deviceId);
  if (last?.firesAtMs === firesAtMs && Date.now() - last.at < LOST_MS) return;
  const left = firesAtMs - (await clockOf(connection, 'default', workflowId));
  if (left < SHORT_MS) return;
  skipped.set(deviceId, { firesAtMs, at: Date.now() });
  await moveOn(connection, 'default', workflowId, left + 1000);
}

const isTrusted = ({ bucket, failureCode }: KnownDevice): boolean =>
  bucket === 'trusted' && failureCode === null;

/** The end that stands in the table: of a row that lasts, or that ends a rollout at once. */
function isAtItsEnd({ bucket, phase, failureCode, waitsFor }: KnownDevice, { each }: Subject): boolean {
  const words = waitsFor ?? '';
  if (isOfUser(each)) {
    const says = isConsent(each) ? 'accept the prompt' : 'declined Okta Verify three times';
    return (
      bucket === 'needs_user' && phase === 'waits_for_user' && failureCode === null && words.includes(says)
    );
  }
  const said =
    words.includes(deviceWords(each.errorChain) ?? '') && words.includes('Odette retries every day');
  return bucket === 'needs_you' && phase === 'failed' && failureCode === each.row.failure && said;
}

/** The daily check meets those whose last rollout ended yesterday. */
async function nextDay(subjects: readonly Subject[]): Promise<void> {
  const yesterday = `now() - interval '25 hours'`;
  const ids = `(select id from devices where user_name = any($1))`;
  const users = [subjects.map(({ name }) => `${name}@example.com`)];
  await database.query(
    `update rollout_runs set started_at = ${yesterday}, closed_at = ${yesterday} where closed_at is not null and device_id in ${ids}`,
    users,
  );
  await database.query(`update device_trust set verified_at = ${yesterday} where device_id in ${ids}`, users);
  await temporal.schedule.getHandle(workflowIds.sweep('enforcement', trusted.integrationId)).trigger();
}

async function outcomesOf(name: string): Promise<string[]> {
  const { id } = await devices.known(trusted, name);
  const runs = await database.query<{ outcome: string }>(
    'select outcome from rollout_runs where device_id = $1',
    [id],
  );
  return runs.map(({ outcome }) => outcome);
}

const countOf = async ({ name }: Subject, what: string): Promise<number> =>
  (await devices.onSandbox(world, name)).counts[what] ?? 0;
const errorsOf = (subject: Subject): Promise<number> => countOf(subject, 'responded.Error');

async function expectWhole({ each, name }: Subject): Promise<void> {
  const device = await devices.onSandbox(world, name);
  if (device.family === 'Mac') devices.expectWholeMac(name, device);
  expect(
    device.apps.map(({ status }) => status),
    name,
  ).toEqual(['Managed']);
  if (!isOfUser(each)) return;
  expect(device.counts['userPrompts'], `prompts of ${name}`).toBe(1);
  expect(device.counts['downloads'] ?? 0, `downloads of ${name}`).toBe(isConsent(each) ? 0 : 1);
}

/** As if most of the life of its MDM identity were over. */
const ageIdentity = ({ name }: Subject): Promise<unknown> =>
  database.query(
    `update identity_certificates as identity set issued_at = now() - interval '40 years'
       from devices as device where device.user_name = $1 and sha256(identity.certificate) = device.identity_fingerprint`,
    [`${name}@example.com`],
  );

const subjects = OF_ROLLOUT.flatMap((each): Subject[] => {
  const place = ERROR_CASES.indexOf(each);
  return [
    { each, name: `once-${place}`, lasts: false },
    { each, name: `lasting-${place}`, lasts: true },
  ];
});
const once = subjects.filter(({ lasts }) => !lasts);
const lasting = subjects.filter(({ lasts }) => lasts);
const endsItsRollout = ({ each, lasts }: Subject): boolean =>
  lasts || each.row.class === 'permanent' || isConsent(each);

test(
  `${OF_ROLLOUT.length} rows, once and for ever: a device comes to the stated end, in its own words, and is whole with no person once the cause has gone`,
  async () => {
    await forAll(subjects, enroll);
    await until(subjects, 'at the stated end', (device, subject) =>
      endsItsRollout(subject) ? isAtItsEnd(device, subject) : isTrusted(device),
    );
    for (const subject of once) {
      expect(await errorsOf(subject), subject.name).toBe(1);
      // What passes by itself does so in the first rollout.
      if (!endsItsRollout(subject))
        expect(await outcomesOf(subject.name), subject.name).not.toContain('failed');
    }
    for (const subject of lasting) {
      const [least, most] = triesOf(subject.each);
      const errors = await errorsOf(subject);
      expect(errors, subject.name).toBeGreaterThanOrEqual(least);
      expect(errors, subject.name).toBeLessThanOrEqual(most);
    }

    // A failure keeps no device from its renewals.
    const [failed] = lasting.filter(({ each }) => each.row.class === 'permanent');
    if (failed === undefined) throw new Error('no row is permanent');
    await ageIdentity(failed);
    await nextDay([failed]);
    await expect
      .poll(() => countOf(failed, 'identitiesRenewed'), { timeout: STILL_MS, interval: LOOK_MS })
      .toBe(1);
    await until([failed], 'at the stated end again', isAtItsEnd);

    await forAll(lasting, ({ name }) => order(name, []));
    await nextDay(subjects.filter(endsItsRollout));
    // Who declined on three days is asked again when a person says so.
    await forAll(
      lasting.filter(({ each }) => each.row.class === 'needs_user'),
      async ({ name }) => {
        const { id } = await devices.known(trusted, name);
        await trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
      },
    );
    await until(subjects, 'trusted once the cause has gone', isTrusted);
    await forAll(subjects, expectWhole);
    for (const subject of once) expect(await errorsOf(subject), subject.name).toBe(1);
    expect(await countOf(failed, 'identitiesRenewed')).toBe(1);
  },
  TEST_MS,
);

/** Two weeks of tries are for those who want to see every row. */
const metForEver = ({ row }: ErrorCase): boolean => PARTS !== undefined || row.class === 'permanent';

/** Devices of the test before, which are whole. */
function leavingSubjects(): Subject[] {
  const macs = once.filter(({ each }) => !isOfUser(each));
  const phones = subjects.filter(({ each }) => isOfUser(each));
  return OF_REMOVAL.flatMap((each) =>
    (metForEver(each) ? [false, true] : [false]).map((lasts): Subject => {
      const device = (each.requestType === 'Settings' ? phones : macs).shift();
      if (device === undefined) throw new Error('there are fewer devices than rows of a removal');
      return { each, name: device.name, lasts };
    }),
  );
}

test(
  `${OF_REMOVAL.length} rows of a removal, once and for ever: a device gives back what it was sent, with no person, once the cause has gone`,
  async () => {
    const leaving = leavingSubjects();
    const before = new Map(
      await Promise.all(leaving.map(async (subject) => [subject.name, await errorsOf(subject)] as const)),
    );
    await forAll(leaving, (subject) => order(subject.name, [orderOf(subject)]));
    const known = await Promise.all(leaving.map(({ name }) => devices.known(trusted, name)));
    await trusted.stage.odette.call('post /api/devices/removals', {
      body: { ids: known.map(({ id }) => id) },
    });
    const hasLeft = ({ phase, failureCode }: KnownDevice): boolean =>
      phase === 'out_of_scope' && failureCode === null;
    const hasFailed = ({ phase, failureCode }: KnownDevice, { each }: Subject): boolean =>
      phase === 'failed' &&
      // Said to be gone, and listed all the same.
      failureCode === (each.row.failure === 'mdm.profile_absent' ? 'mdm.profile_refused' : each.row.failure);
    const stayed = leaving.filter(endsItsRollout);
    await until(leaving, 'at the stated end', (device, subject) =>
      endsItsRollout(subject) ? hasFailed(device, subject) : hasLeft(device),
    );
    for (const { name } of stayed) {
      const { id } = await devices.known(trusted, name);
      const { nextStep } = await trusted.stage.odette.call('get /api/devices/{id}', { params: { id } });
      expect(nextStep, name).toMatchObject({ owner: 'you', action: 'replay' });
    }
    await forAll(stayed, ({ name }) => order(name, []));
    await nextDay(stayed);
    await until(stayed, 'without what it was sent', hasLeft);
    for (const subject of leaving) {
      const device = await devices.onSandbox(world, subject.name);
      expect(devices.managedProfilesOf(device), subject.name).toEqual([]);
      expect(devices.certificatesOf(device), subject.name).toEqual([]);
      const errors = (await errorsOf(subject)) - (before.get(subject.name) ?? 0);
      if (subject.lasts) expect(errors, subject.name).toBeLessThanOrEqual(MAX_REMOVAL_TRIES);
      else expect(errors, subject.name).toBe(1);
    }
  },
  TEST_MS,
);
