// A license of Okta Verify for one device: asked for once, then looked at until Apple has assigned it; and given back.
import { setTimeout as pause } from 'node:timers/promises';
import type { Asset } from '../adapters/apps-and-books/apps-and-books-client.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { appendTimeline } from '../adapters/store/devices/device-timeline.ts';
import {
  findLicense,
  deleteLicense,
  isSerialNumberShared,
  recordLicense,
  type License,
} from '../adapters/store/rollout/licenses.ts';
import {
  desiredStateOf,
  readDeviceState,
  type DeviceState,
} from '../adapters/store/rollout/rollout-state.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { recordingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';

export type LicenseOutcome =
  | { readonly kind: 'ready' }
  /** Apple is still working on it. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'none_left' }
  /** The device left the scope meanwhile: it gets none. */
  | { readonly kind: 'not_wanted' };

export type ReturnOutcome =
  /** The device holds none, or is in scope again and keeps it. */
  | { readonly kind: 'settled' }
  /** Apple is still working on it. */
  | { readonly kind: 'pending' };

/** An association takes seconds: waiting inside the activity spares a rollout its timers. Milliseconds. */
const LOOKS_MS = [50, 150, 300, 500, 1000, 1000];
/** A plan waits for Apple's word no longer. */
const PLAN_LOOK_MS = 2_000;
const { adamId } = OKTA_VERIFY;

type Client = Awaited<ReturnType<ActivityDependencies['appsAndBooks']>>;
/** What Apple refused is an outcome of a connection that works. */
type CommandResponse = LicenseOutcome | { readonly kind: 'refused'; readonly error: CataloguedError };

export function licenseActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /**
     * `isMissed`: the device found none although it was assigned, so it is asked for anew. `isInPassing`: Apple is not waited for.
     * @throws `apps_and_books.*`; an association that Apple could not make is `apps_and_books.association_failed`
     */
    async assignLicense(input: {
      readonly deviceId: string;
      readonly isMissed: boolean;
      readonly isInPassing?: boolean;
    }): Promise<LicenseOutcome> {
      const { deviceId } = input;
      const looks = input.isInPassing === true ? [] : LOOKS_MS;
      const state = await readDeviceState(database, deviceId);
      if (state === undefined || state.serialNumber === null) return { kind: 'pending' };
      if (desiredStateOf(state) === null) return { kind: 'not_wanted' };
      // One that failed is asked for like one that never was.
      const known = state.holdsLicense ? await findLicense(database, deviceId, adamId) : undefined;
      if (known?.state === 'associated' && !input.isMissed) return { kind: 'ready' };
      const { serialNumber, platform } = state;
      const response = await withClient(deps, state, async (client): Promise<CommandResponse> => {
        // What is on its way back would be taken from the device after it was found there.
        if (known?.state === 'returning' && (await isUnderWay(client, known, looks)))
          return { kind: 'pending' };
        const eventId = known?.state === 'associating' ? known.eventId : null;
        return associate(database, client, { deviceId, serialNumber, platform, eventId, looks });
      });
      if (response.kind === 'refused') throw response.error;
      return response;
    },

    /**
     * Gives the device's license back, so that another can have it: its item asked for the app's removal, and the app is gone.
     * @throws `apps_and_books.*`
     */
    async returnLicense(input: {
      readonly deviceId: string;
      readonly nowMs: number;
    }): Promise<ReturnOutcome> {
      const { deviceId } = input;
      const state = await readDeviceState(database, deviceId);
      if (state === undefined || state.serialNumber === null || desiredStateOf(state) !== null)
        return { kind: 'settled' };
      const { serialNumber } = state;
      const known = await findLicense(database, deviceId, adamId);
      if (known === undefined || known.state === 'failed') return { kind: 'settled' };
      // A serial number is what a device says of itself: nobody gives away what another one uses.
      if (await isSerialNumberShared(database, deviceId, serialNumber)) {
        await deleteLicense(database, deviceId, adamId);
        return { kind: 'settled' };
      }
      return withClient(deps, state, async (client) => {
        // One that is still on its way to the device would come after it was given back.
        if (known.state === 'associating' && (await isUnderWay(client, known, LOOKS_MS)))
          return { kind: 'pending' };
        let { eventId } = known.state === 'returning' ? known : { eventId: null };
        if (eventId === null) {
          const held = await client.findAssignment(adamId, serialNumber);
          if (held === undefined) return gone(database, input);
          ({ eventId } = await client.disassociate(held));
          await recordLicense(database, deviceId, adamId, { state: 'returning', eventId, failureCode: null });
        }
        const event = await settledEvent(client, eventId, LOOKS_MS);
        if (event === 'pending') return { kind: 'pending' };
        if (event === 'complete') return gone(database, input);
        const { code: failureCode } = event;
        await recordLicense(database, deviceId, adamId, { state: 'associated', eventId: null, failureCode });
        throw event;
      });
    },
  };
}

/** One look, for a plan that could send the app now. false: not yet, or nobody knows; whoever waits for the license learns why. */
export async function isAssignedByNow(
  { database, appsAndBooks }: ActivityDependencies,
  { id, licenseEventId: eventId }: DeviceState,
): Promise<boolean> {
  if (eventId === null) return false;
  const look = async (): Promise<boolean> =>
    (await (await appsAndBooks()).status(eventId)).state === 'complete';
  const isAssigned = await Promise.race([
    look().catch(() => false),
    pause(PLAN_LOOK_MS, false, { ref: false }),
  ]);
  if (isAssigned)
    await recordLicense(database, id, adamId, { state: 'associated', eventId, failureCode: null });
  return isAssigned;
}

async function gone(
  database: Database,
  input: { readonly deviceId: string; readonly nowMs: number },
): Promise<ReturnOutcome> {
  const { deviceId, nowMs } = input;
  await database.inTransaction(async (sql) => {
    await deleteLicense(sql, deviceId, adamId);
    const text = 'Odette returned the Okta Verify license.';
    await appendTimeline(sql, deviceId, { kind: 'license_given_back', text }, new Date(nowMs));
  });
  return { kind: 'settled' };
}

async function withClient<T>(
  { database, appsAndBooks }: ActivityDependencies,
  state: DeviceState,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const asked = async () => work(await appsAndBooks());
  const { integrationId } = state;
  return integrationId === null ? asked() : recordingHealth(database, integrationId, 'apps_and_books', asked);
}

/** `eventId`: of an association that was asked for before. */
async function associate(
  database: Database,
  client: Client,
  given: {
    readonly deviceId: string;
    readonly serialNumber: string;
    readonly platform: 'macOS' | 'iOS';
    readonly eventId: string | null;
    readonly looks: readonly number[];
  },
): Promise<CommandResponse> {
  const { deviceId, serialNumber } = given;
  const record = (
    to: 'associating' | 'associated' | 'failed',
    event: string | null,
    failureCode: FailureCode | null = null,
  ) => recordLicense(database, deviceId, adamId, { state: to, eventId: event, failureCode });

  let { eventId } = given;
  if (eventId === null) {
    if ((await client.findAssignment(adamId, serialNumber)) !== undefined) {
      await record('associated', null);
      return { kind: 'ready' };
    }
    const assets = await client.asset(adamId);
    if (assets.length > 0 && !assets.some(({ isDeviceAssignable }) => isDeviceAssignable))
      return { kind: 'refused', error: new CataloguedError('apps_and_books.association_failed') };
    const asset = usableAsset(assets, given.platform);
    if (asset === undefined) {
      await record('failed', null, 'apps_and_books.no_license_left');
      return { kind: 'none_left' };
    }
    const { pricingParam } = asset;
    ({ eventId } = await client.associate({ adamId, pricingParam, serialNumbers: [serialNumber] }));
    await record('associating', eventId);
  }
  const event = await settledEvent(client, eventId, given.looks);
  if (event === 'pending') return { kind: 'pending' };
  if (event === 'complete') {
    await record('associated', eventId);
    return { kind: 'ready' };
  }
  await record('failed', eventId, event.code);
  return event.code === 'apps_and_books.no_license_left'
    ? { kind: 'none_left' }
    : { kind: 'refused', error: event };
}

/** What became of an event. @param looks milliseconds before each */
async function settledEvent(
  client: Client,
  eventId: string,
  looks: readonly number[],
): Promise<'complete' | 'pending' | CataloguedError> {
  for (const waitMs of looks) {
    await pause(waitMs);
    const event = await client.status(eventId);
    if (event.state !== 'pending') return event.state === 'failed' ? event.error : 'complete';
  }
  return 'pending';
}

const isUnderWay = async (client: Client, { eventId }: License, looks: readonly number[]): Promise<boolean> =>
  eventId !== null && (await settledEvent(client, eventId, looks)) === 'pending';

/** One asset for each platform and pricing: the one that fits and has a license left. Apple does not always say the platform. */
function usableAsset(assets: readonly Asset[], platform: 'macOS' | 'iOS'): Asset | undefined {
  return assets.find(
    ({ isDeviceAssignable, platforms, available }) =>
      isDeviceAssignable && available > 0 && (platforms.length === 0 || platforms.includes(platform)),
  );
}
