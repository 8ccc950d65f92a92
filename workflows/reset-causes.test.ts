// Every cause for which a rollout fails, and the reset that an operator makes once it is gone: the details of the failed run name the event,
// the device is asked again, and it has what it needs, once.
// Long, because all devices go through it beside each other: one after the other would take minutes.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeviceErrorChain } from '../domain/device-error-classes.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { ENDS_OF_ROLLOUTS } from '../scripts/device-states-page.ts';
import type { FakeBreak, FakeDevice } from '../test/harness/fake-device.ts';
import { getTemporal } from '../scripts/temporal-server.mjs';
import { commandsIn, readPage, runCommands } from '../test/harness/page-commands.ts';
import { temporalAddress } from '../test/harness/temporal.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { atRest } from '../test/harness/time-skipping.ts';
import { readRecorded } from '../test/histories/test-codec.ts';
import { certificateFailedSignal, certificateWantedSignal, workflowIds } from './messages.ts';

quietRuntime();

/** Which workflow task a reset begins again: see docs/operations-guide.md, "From Temporal". */
type Place = 'the first one' | 'of the last patience timer' | 'of the failed activity, or the last look';

interface Cause {
  readonly code: FailureCode;
  readonly place: Place;
  /** It ends with the patience, which is short then. */
  readonly isLong: boolean;
  breaks(mac: FakeDevice): Promise<unknown> | void;
  mends(mac: FakeDevice): Promise<unknown> | void;
  /** The step that was refused, or refuted by the look: asked again under the next attempt's number. */
  readonly step?: string;
}

let world: RolloutWorld;

const obeys = (mac: FakeDevice): void => {
  mac.breaks.length = 0;
  mac.refuses.clear();
};
const error = (domain: string, code: number): DeviceErrorChain => [{ domain, code, description: '' }];

/** The device answers each such command so; without an error it acknowledges it, and does nothing. */
const refused = (
  code: FailureCode,
  broken: Omit<FakeBreak, 'times'>,
  step: string,
  isLong = false,
): Cause => ({
  code,
  place: 'the first one',
  isLong,
  step,
  breaks: (mac) => void mac.breaks.push({ ...broken, times: Infinity }),
  mends: obeys,
});
const SETTINGS = { requestType: 'InstallProfile', profile: '.settings' };
const APP = { requestType: 'InstallApplication' };
const SETTINGS_STEP = 'rollout.profile.settings';
const APP_STEP = 'rollout.InstallApplication';

const OF_THE_DEVICE: readonly Cause[] = [
  refused(
    'mdm.profile_refused',
    { ...SETTINGS, errorChain: error('MCPayloadErrorDomain', 2000) },
    SETTINGS_STEP,
  ),
  refused(
    'mdm.sso_host_claimed',
    { ...SETTINGS, errorChain: error('MCSSOErrorDomain', 34001) },
    SETTINGS_STEP,
  ),
  refused('mdm.command_refused', { ...APP, errorChain: error('MCMDMErrorDomain', 12009) }, APP_STEP),
  refused('mdm.app_needs_account', { ...APP, errorChain: error('MCMDMErrorDomain', 12040) }, APP_STEP, true),
  refused('mdm.license_not_found', { ...APP, errorChain: error('MCMDMErrorDomain', 12026) }, APP_STEP, true),
  refused('mdm.app_on_its_way', { ...APP, errorChain: error('ASDErrorDomain', 506) }, APP_STEP, true),
  refused(
    'mdm.device_error_passes',
    { ...SETTINGS, errorChain: error('NSOSStatusErrorDomain', -603) },
    SETTINGS_STEP,
    true,
  ),
  refused(
    'mdm.device_error_unknown',
    { ...SETTINGS, errorChain: error('NobodyKnowsDomain', 1) },
    SETTINGS_STEP,
    true,
  ),
  refused('mdm.app_not_installed', APP, APP_STEP, true),
  // Acknowledged, and ProfileList does not show it.
  refused('mdm.profile_refused', SETTINGS, SETTINGS_STEP, true),
  {
    code: 'mdm.message_unreadable',
    place: 'the first one',
    isLong: false,
    step: 'rollout.ProfileList',
    breaks: (mac) => void (mac.unreadable = Infinity),
    mends: (mac) => void (mac.unreadable = 0),
  },
  {
    code: 'mdm.app_not_from_app_store',
    place: 'the first one',
    isLong: false,
    step: 'rollout.InstalledApplicationList',
    breaks: (mac) => void (mac.appIsForeign = true),
    mends: (mac) => void (mac.appIsForeign = false),
  },
  {
    code: 'mdm.device_silent',
    place: 'of the last patience timer',
    isLong: true,
    step: 'rollout.ProfileList',
    breaks: (mac) => void (mac.isAsleep = true),
    mends: (mac) => void (mac.isAsleep = false),
  },
  {
    code: 'mdm.not_enrolled',
    place: 'of the last patience timer',
    isLong: true,
    breaks: (mac) => enrollmentIs(mac, 'authenticated'),
    mends: (mac) => enrollmentIs(mac, 'enrolled'),
  },
];

const enrollmentIs = (mac: FakeDevice, status: string): Promise<unknown> =>
  world.database.query('update devices set enrollment_status = $2 where id = $1', [mac.id, status]);

const serialOf = async (mac: FakeDevice): Promise<string> => {
  const [row] = await world.database.query<{ serialNumber: string }>(
    'select serial_number from devices where id = $1',
    [mac.id],
  );
  return row?.serialNumber ?? '';
};

/** What Apps and Books answers: tried again as long as the patience lasts, or not at all. */
const ofLicenses = (code: FailureCode): Cause => ({
  code,
  place: 'of the failed activity, or the last look',
  isLong: FAILURES[code].isRetried,
  breaks: async (mac) => world.knobs.refusedTo.set(await serialOf(mac), code),
  mends: async (mac) => world.knobs.refusedTo.delete(await serialOf(mac)),
});

/** What the other MDM server says of a command. */
const ofChannels = (code: FailureCode): Cause => ({
  code,
  place: 'the first one',
  isLong: false,
  step: 'rollout.ProfileList',
  breaks: (mac) => void mac.refuses.set('ProfileList', code),
  mends: obeys,
});

/** Why the certificate workflow, which is not reset, brings none: the device refuses the certificate once, and then it says this. */
const ofCertificates = (code: FailureCode): Cause => ({
  code,
  place: 'the first one',
  isLong: FAILURES[code].isRetried,
  breaks: (mac) =>
    void mac.breaks.push({
      requestType: 'InstallProfile',
      profile: '.certificate.',
      times: Infinity,
      errorChain: error('MCSCEPErrorDomain', 22005),
    }),
  mends: obeys,
});

const areaOf = (code: FailureCode): string => code.split('.')[0] ?? '';
const CERTIFICATE_AREAS = ['okta', 'scep', 'certificate', 'secrets', 'server', 'store'];

/** A rollout goes on with them: what is there already, or is asked of the user again. */
const ENDS_NO_ROLLOUT: readonly FailureCode[] = [
  'mdm.profile_absent',
  'mdm.app_already_installed',
  'mdm.user_refused_app',
];

/** Codes that come the same way differ in nothing but whether they are retried: some of them stand for all. */
const WAYS: Readonly<Record<string, (code: FailureCode) => Cause>> = {
  ...Object.fromEntries(CERTIFICATE_AREAS.map((area) => [area, ofCertificates])),
  apps_and_books: ofLicenses,
  channel: ofChannels,
};
const STANDS_FOR_ITS_WAY: readonly FailureCode[] = [
  'okta.challenge_credentials_refused',
  'okta.unreachable',
  'scep.enrollment_failed',
  'certificate.not_seen',
  'secrets.not_found',
  'secrets.replaced',
  'server.failed',
  'store.unavailable',
  'apps_and_books.no_license_left',
  'apps_and_books.token_refused',
  'apps_and_books.unreachable',
  'channel.command_refused',
  'channel.host_not_allowed',
];
const CAUSES: readonly Cause[] = [
  ...OF_THE_DEVICE,
  ...STANDS_FOR_ITS_WAY.flatMap((code) => WAYS[areaOf(code)]?.(code) ?? []),
];
const isTried = (code: FailureCode): boolean =>
  CAUSES.some((cause) => cause.code === code) ||
  STANDS_FOR_ITS_WAY.some(
    (other) =>
      WAYS[areaOf(other)] === WAYS[areaOf(code)] && FAILURES[other].isRetried === FAILURES[code].isRetried,
  );

interface Seen {
  readonly failureCode: string | null;
  /** In the details of the failed run. */
  readonly eventShown: number;
  readonly eventExpected: number;
  /** By the script of docs/operations-guide.md. */
  readonly eventOfTheGuide: number | undefined;
  readonly phase: string | undefined;
  readonly failureAfter: string | null | undefined;
  readonly maxCertificates: number;
  /** Of the step that was refused, in the order they were asked. */
  readonly refused: readonly string[];
  readonly askedAfter: readonly string[];
  /** Whether the first request of the run after the reset ended the certificate workflow's pause; undefined: there was no such request. */
  readonly requestEndsPause: boolean | undefined;
}

const seen = new Map<Cause, Seen>();

/** Of the pauses of `deliveryBackOffMs`, those from the third on. */
const LONG_PAUSE_MS = 120_000;

const setPatience = (seconds: number): Promise<unknown> =>
  world.database.query('update integrations set settings = settings || $1::jsonb', [
    JSON.stringify({ patienceHours: seconds / 3600 }),
  ]);

async function newMacs(causes: readonly Cause[]): Promise<Map<Cause, FakeDevice>> {
  const macs = new Map<Cause, FakeDevice>();
  for (const cause of causes) macs.set(cause, await world.newDevice('Mac'));
  return macs;
}

async function failAll(macs: ReadonlyMap<Cause, FakeDevice>): Promise<void> {
  await Promise.all(
    [...macs].map(async ([cause, mac]) => {
      await cause.breaks(mac);
      await world.rollOut(mac.id);
      if (CERTIFICATE_AREAS.includes(areaOf(cause.code))) await signalFailure(mac, cause.code);
    }),
  );
  const ids = [...macs.values()].map(({ id }) => id);
  await vi.waitFor(
    async () => {
      const failed = await world.database.query<{ deviceId: string }>(
        `select device_id from device_trust where device_id = any ($1::uuid[]) and phase = 'failed'`,
        [ids],
      );
      expect(failed).toHaveLength(ids.length);
    },
    { timeout: 240_000, interval: 250 },
  );
}

/**
 * After the device's own refusal, which the certificate workflow tells, and then rests for half a minute. Where the next refusal came first, the rollout
 * has ended with that: another one has more time, for the certificate workflow rests longer each time.
 */
async function signalFailure(mac: FakeDevice, failureCode: FailureCode): Promise<void> {
  for (;;) {
    await vi.waitFor(
      async () => {
        const { events } = await world.rollout(mac.id).fetchHistory();
        const signals = (events ?? []).map(
          (event) => event.workflowExecutionSignaledEventAttributes?.signalName,
        );
        expect(signals).toContain(certificateFailedSignal.name);
      },
      { timeout: 240_000, interval: 500 },
    );
    try {
      return await world.rollout(mac.id).signal(certificateFailedSignal, { eventId: 'told', failureCode });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await world.rollOut(mac.id);
    }
  }
}

/**
 * The certificate workflow's own next try must not come between the mending and the request of the rollout that is reset: it would bring
 * the certificate, or meet the old refusal again. Each refusal makes its pause longer.
 */
async function pausesLong(mac: FakeDevice): Promise<void> {
  const { integrationId } = world.fleet;
  while ((await atRest(world.connection, world.namespace, workflowIds.certificate(mac.id))) < LONG_PAUSE_MS)
    await world
      .certificateWorkflow(mac.id)
      .signal(certificateWantedSignal, { eventId: randomUUID(), integrationId });
}

async function resetOne(cause: Cause, mac: FakeDevice, eventOfTheGuide: number | undefined): Promise<void> {
  expect(await world.ended(mac.id)).toBe('FAILED');
  const { failureCode } = (await world.trust(mac.id)) ?? { failureCode: null };
  const eventShown = await world.eventShown(mac.id);
  const eventExpected = eventAt(cause.place, await eventsOf(mac));
  const before = await asked(mac, cause.step);
  await cause.mends(mac);
  // It continues as new once the certificate is there.
  const certificateRun = CERTIFICATE_AREAS.includes(areaOf(cause.code))
    ? (await world.certificateWorkflow(mac.id).describe()).runId
    : undefined;
  const runId = await world.reset(mac.id, eventShown);
  // Who does not get there says so in its own test.
  await vi
    .waitFor(async () => expect((await world.trust(mac.id))?.phase).toBe('delivered'), {
      timeout: 120_000,
      interval: 250,
    })
    .catch(() => undefined);
  const after = await world.trust(mac.id);
  seen.set(cause, {
    failureCode,
    eventShown,
    eventExpected,
    eventOfTheGuide,
    phase: after?.phase,
    failureAfter: after?.failureCode,
    maxCertificates: mac.maxCertificates,
    refused: before,
    askedAfter: (await asked(mac, cause.step)).filter((uuid) => !before.includes(uuid)),
    requestEndsPause: certificateRun === undefined ? undefined : await endsPause(mac, runId, certificateRun),
  });
}

const asked = async (mac: FakeDevice, step = ''): Promise<string[]> => {
  const rows = await world.database.query<{ uuid: string }>(
    'select uuid from commands where device_id = $1 and step = $2 order by position',
    [mac.id, step],
  );
  return rows.map(({ uuid }) => uuid);
};

const eventsOf = async (mac: FakeDevice) => (await world.rollout(mac.id).fetchHistory()).events ?? [];
type Events = Awaited<ReturnType<typeof eventsOf>>;

const PATIENCE = ['waits for the device', 'enrollment', 'license', 'certificate'];
const timersOf = (events: Events, summaries: readonly string[]) =>
  events.filter((event) => {
    if (!event.timerStartedEventAttributes) return false;
    const { data } = readRecorded(event.userMetadata?.summary ?? {});
    return summaries.includes(JSON.parse(Buffer.from(data ?? []).toString('utf8')) as string);
  });

function eventAt(place: Place, events: Events): number {
  if (place === 'the first one')
    return Number(events.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId);
  const begun =
    place === 'of the failed activity, or the last look'
      ? events.findLast((event) => event.activityTaskScheduledEventAttributes)
          ?.activityTaskScheduledEventAttributes
      : timersOf(events, PATIENCE).at(-1)?.timerStartedEventAttributes;
  return Number(begun?.workflowTaskCompletedEventId);
}

/** By the history of that run of the certificate workflow: what the workflow task did that took the first request of this run of the rollout. */
async function endsPause(
  mac: FakeDevice,
  runId: string,
  certificateRun: string,
): Promise<boolean | undefined> {
  const { events } = await world.client.workflow
    .getHandle(workflowIds.certificate(mac.id), certificateRun)
    .fetchHistory();
  const at = events?.findIndex(({ workflowExecutionSignaledEventAttributes: signal }) => {
    if (signal?.signalName !== certificateWantedSignal.name) return false;
    const { data } = readRecorded(signal.input?.payloads?.[0] ?? {});
    const { eventId } = JSON.parse(Buffer.from(data ?? []).toString('utf8')) as { eventId: string };
    return eventId.startsWith(`${runId}/`);
  });
  if (events === undefined || events === null || at === undefined || at < 0) return undefined;
  const later = events.slice(at);
  const taken = later.find((event) => event.workflowTaskCompletedEventAttributes);
  const canceled = later.find((event) => event.timerCanceledEventAttributes)?.timerCanceledEventAttributes;
  return String(canceled?.workflowTaskCompletedEventId) === String(taken?.eventId);
}

/** By the guide's own function, with the real `temporal`: the event of each failed run, by device. */
async function eventsOfTheGuide(macs: readonly FakeDevice[]): Promise<Record<string, number>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-guide-'));
  const program = await getTemporal();
  if (path.isAbsolute(program)) await symlink(program, path.join(folder, 'temporal'));
  const [script = ''] = commandsIn(await readPage('docs/operations-guide.md', '### From Temporal'));
  const functions = script.slice(0, script.indexOf('temporal workflow list'));
  const asks = macs.map(
    ({ id }) =>
      `echo "${id} $(temporal workflow show -w ${workflowIds.rollout(id)} -o json | event_to_reset_to)"`,
  );
  const { code, said } = await runCommands([functions, ...asks], {
    ...process.env,
    PATH: `${folder}${path.delimiter}${process.env['PATH']}`,
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: world.namespace,
  });
  await rm(folder, { recursive: true });
  expect(code, said).toBe(0);
  return Object.fromEntries(
    said
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([id = '', event]) => [id, Number(event)]),
  );
}

beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], patienceHours: 1 });
  const quick = await newMacs(CAUSES.filter(({ isLong }) => !isLong));
  await failAll(quick);
  // One interval of the patience: what is left of it after a reset.
  await setPatience(10);
  const long = await newMacs(CAUSES.filter(({ isLong }) => isLong));
  await failAll(long);
  await setPatience(3600);
  const all = [...quick, ...long];
  await Promise.all(
    all.flatMap(([{ code }, mac]) => (CERTIFICATE_AREAS.includes(areaOf(code)) ? [pausesLong(mac)] : [])),
  );
  const guide = await eventsOfTheGuide(all.map(([, mac]) => mac));
  await Promise.all(all.map(([cause, mac]) => resetOne(cause, mac, guide[mac.id])));
}, 600_000);
afterAll(() => world.close());

describe('a rollout that failed and was reset to the event that its details name', () => {
  test('has failed for every cause that there is, or for one that comes the same way', () => {
    const without = ENDS_OF_ROLLOUTS.filter((code) => !isTried(code));
    expect(without.toSorted()).toEqual([...ENDS_NO_ROLLOUT, 'rollout.canceled'].toSorted());
  });

  test.each(CAUSES)('$code: $place; the device has what it needs, once', (cause) => {
    const facts = seen.get(cause);
    expect(facts).toMatchObject({
      failureCode: cause.code,
      eventShown: facts?.eventExpected,
      eventOfTheGuide: facts?.eventExpected,
      phase: 'delivered',
      failureAfter: null,
      maxCertificates: 1,
    });
    if (cause.step === undefined) return;
    // What was answered before, or was seen to be without effect, is asked again; no command comes twice.
    expect(facts?.refused).not.toEqual([]);
    expect(facts?.askedAfter).not.toEqual([]);
  });

  test.each(CAUSES.filter(({ code }) => CERTIFICATE_AREAS.includes(areaOf(code))))(
    '$code: the certificate is asked for at once',
    (cause) => expect(seen.get(cause)?.requestEndsPause).toBe(true),
  );
});
