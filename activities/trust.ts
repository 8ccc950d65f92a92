// What Okta says of the devices: looked up for one, or swept page by page for a whole integration.
import type { DeviceFilter, OktaClient } from '../adapters/okta/okta-client.ts';
import type { OktaDevice } from '../adapters/okta/okta-device.ts';
import type { Database } from '../adapters/store/base/database.ts';
import {
  findLookUp,
  findOutdatedDevices,
  saveConfirmed,
  saveBindings,
  saveListed,
} from '../adapters/store/integration/okta-devices.ts';
import {
  findOktaReads,
  recordLogRead,
  recordSweepFailure,
} from '../adapters/store/integration/okta-reads.ts';
import {
  addChanges,
  beginSweep,
  deleteChange,
  findDeletable,
  findSweep,
  findSweepHistory,
  findUnlisted,
  listChanges,
  listRecordHolders,
  recordPage,
  recordSweep,
} from '../adapters/store/integration/okta-sweeps.ts';
import { recordTrustedDay } from '../adapters/store/fleet/trusted-days.ts';
import { recordReadiness } from '../adapters/store/integration/readiness.ts';
import { readDeviceState, settingsOf, type DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { refreshAlone, refreshTrust } from './refresh-trust.ts';
import { CataloguedError, failureCodeOf } from '../domain/failures.ts';
import { changedSince, MAX_LISTED_EACH_TIME } from '../domain/okta-sync.ts';
import { LOG_SCOPE } from '../domain/setup-wizard.ts';
import type { TrustBucket } from '../domain/trust-bucket.ts';
import { recordingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * A record that a list lacks may be missing from the list only (a page that came empty): whether it is gone is asked by id, of so many
 * in a sweep; the others keep until the next. So no response of Okta's, however wrong, makes a whole fleet untrusted at once.
 */
const MAX_CONFIRMED = 25;
/** A user may sign in before the rollout has seen that everything is there. */
const BEFORE_DELIVERY_MS = 15 * 60 * 1000;
/** Where one user has more devices alike, they cannot be told apart however many are asked for. */
const CONFIRMED_AT_MOST = 20;
/** Okta keeps its System Log so long. */
const LOG_KEPT_MS = 90 * 86_400_000;
/** Events appear in the log a little after they happened: the end of the span before is read again. */
const LOG_OVERLAP_MS = 10 * 60 * 1000;

interface LookUpInput {
  readonly deviceId: string;
  readonly integrationId: string;
  readonly nowMs: number;
}

interface ConcludeInput {
  readonly integrationId: string;
  readonly beganAtMs: number;
  readonly nowMs: number;
}

export function trustActivities(deps: ActivityDependencies) {
  const { database } = deps;

  return {
    /** One page of Okta's devices. Returns where the list goes on. */
    async observeOktaPage(input: {
      readonly integrationId: string;
      readonly next: string | null;
      readonly nowMs: number;
    }): Promise<{ readonly next: string | null; readonly devices: number }> {
      const { integrationId } = input;
      const now = new Date(input.nowMs);
      if (input.next === null) await begin(database, integrationId, input.nowMs);
      const sweep = await findSweep(database, integrationId);
      const page = await recordingSweep(database, integrationId, async () => {
        const client = await deps.oktaClient(integrationId);
        return recordingHealth(database, integrationId, 'okta', () =>
          client.listDevices(input.next ?? undefined, sweep.changedSince ?? undefined),
        );
      });
      await database.inTransaction(async (sql) => {
        if (sweep.changedSince === null)
          await recordPage(
            sql,
            integrationId,
            page.devices.map(({ id }) => id),
            now,
          );
        const touched = await saveListed(sql, integrationId, page.devices, now);
        await addChanges(sql, integrationId, touched);
      });
      await refreshChanged(database, integrationId, now);
      return { next: page.next ?? null, devices: page.devices.length };
    },

    /** After the last page: what Okta did not list any more was deleted there, and its certificate revoked. */
    concludeObservation: (input: ConcludeInput): Promise<{ readonly gone: number }> =>
      recordingSweep(database, input.integrationId, () => conclude(deps, input)),
  };
}

/** Looks one device up in Okta. true: it is trusted, or nobody asks any more. */
export async function lookUpDevice(deps: ActivityDependencies, input: LookUpInput): Promise<boolean> {
  const { database } = deps;
  const { deviceId, integrationId } = input;
  const now = new Date(input.nowMs);
  const state = await readDeviceState(database, deviceId);
  if (state === undefined || state.integrationId !== integrationId) return true;
  const known = await findLookUp(database, integrationId, deviceId);
  const wanted = searchFor(state, known.model, input.nowMs);
  if (wanted === undefined) return false;
  const client = await deps.oktaClient(integrationId);
  const confirmed = await recordingHealth(database, integrationId, 'okta', async () => {
    const found = (await client.findDevices(wanted)).filter((hit) => isWorthAsking(hit, state));
    // Search is behind at times: the device's own record is asked for even if it was not found.
    const ids = new Set([...known.knownIds, ...found.map(({ id }) => id)]);
    return client.confirm([...ids].slice(0, CONFIRMED_AT_MOST));
  });
  // Okta knows nothing of the device, and never did.
  const isUnknown = confirmed.present.length + confirmed.gone.length + known.knownIds.length === 0;
  if (isUnknown && state.shown !== null) return isSettled(state.shown.bucket);
  const others = await database.inTransaction(async (sql) => {
    const touched = await saveConfirmed(sql, integrationId, confirmed, now, [deviceId]);
    const ofOthers = touched.filter((id) => id !== deviceId);
    await addChanges(sql, integrationId, ofOthers);
    return ofOthers;
  });
  const trust = await refreshAlone(database, deviceId, { now });
  await refresh(database, others, now);
  return trust === undefined || isSettled(trust.bucket);
}

const isSettled = (bucket: TrustBucket): boolean => bucket === 'trusted' || bucket === 'out_of_scope';

/** One transaction a device: the fleet's counters are written in it, where several at once would wait for each other in a circle. */
async function refresh(database: Database, deviceIds: readonly string[], now: Date): Promise<void> {
  for (const deviceId of deviceIds)
    await database.inTransaction(async (sql) => {
      await refreshTrust(sql, deviceId, { now });
      await deleteChange(sql, deviceId);
    });
}

/** Whatever an earlier attempt was killed over is among them. */
const refreshChanged = async (database: Database, integrationId: string, now: Date): Promise<void> =>
  refresh(database, await listChanges(database, integrationId), now);

async function begin(database: Database, integrationId: string, nowMs: number): Promise<void> {
  const past = await findSweepHistory(database, integrationId, MAX_LISTED_EACH_TIME + 1);
  await beginSweep(database, integrationId, changedSince(past, nowMs));
}

/** Devices of which a sign-in has used the certificate, where the System Log may be read. Without it nothing is lacking. */
async function readLog(
  database: Database,
  client: OktaClient,
  integrationId: string,
  now: Date,
): Promise<readonly string[]> {
  try {
    const { scopes } = await client.token();
    if (!scopes.includes(LOG_SCOPE)) return [];
    const { logReadUntil } = await findOktaReads(database, integrationId);
    const since = new Date((logReadUntil?.getTime() ?? now.getTime() - LOG_KEPT_MS) - LOG_OVERLAP_MS);
    const { bindings, until } = await client.listBindings({ since, until: now });
    return await database.inTransaction(async (sql) => {
      await recordLogRead(sql, integrationId, until);
      return saveBindings(sql, integrationId, bindings);
    });
  } catch (error) {
    // The sweep does not need it, and the next one reads the same span.
    if (error instanceof CataloguedError && error.code.startsWith('okta.')) return [];
    throw error;
  }
}

async function conclude(
  deps: ActivityDependencies,
  input: ConcludeInput,
): Promise<{ readonly gone: number }> {
  const { database } = deps;
  const { integrationId } = input;
  const beganAt = new Date(input.beganAtMs);
  const client = await deps.oktaClient(integrationId);
  const used = await readLog(database, client, integrationId, new Date(input.nowMs));
  const sweep = await findSweep(database, integrationId);
  const missing =
    sweep.changedSince === null
      ? await findUnlisted(database, integrationId, beganAt, MAX_CONFIRMED)
      : await findDeletable(database, integrationId, MAX_CONFIRMED);
  let gone = 0;
  if (missing.length > 0) {
    const confirmed = await recordingHealth(database, integrationId, 'okta', () => client.confirm(missing));
    gone = confirmed.gone.length;
    await database.inTransaction(async (sql) => {
      const { present } = confirmed;
      // Of a list of changes nothing is missing: what is as it was costs no write.
      const touched = sweep.changedSince === null ? present : [];
      const concerned = await saveConfirmed(sql, integrationId, { ...confirmed, present: touched }, beganAt);
      await addChanges(sql, integrationId, concerned);
    });
  }
  await refreshChanged(database, integrationId, new Date(input.nowMs));
  // Asked of the tables, not remembered: an attempt before this one may have been killed between a record's end and its device.
  const outdated = await findOutdatedDevices(database, integrationId);
  const all = sweep.derivesAll ? await listRecordHolders(database, integrationId) : [];
  await refresh(database, [...new Set([...outdated, ...used, ...all])].sort(), new Date(input.nowMs));
  await database.inTransaction(async (sql) => {
    await recordSweep(sql, integrationId, beganAt, sweep);
    await recordReadiness(sql, integrationId, beganAt);
    await recordTrustedDay(sql, integrationId, beganAt);
  });
  return { gone };
}

/** Whatever keeps a sweep from its end, a portal's page among it, is remembered until one reaches it. */
async function recordingSweep<T>(
  database: Database,
  integrationId: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = failureCodeOf(error);
    if (code !== 'store.unavailable') await recordSweepFailure(database, integrationId, code);
    throw error;
  }
}

/** undefined: nothing is known by which Okta's record of the device could be told. */
function searchFor(state: DeviceState, model: string | null, nowMs: number): DeviceFilter | undefined {
  if (state.platform === 'macOS')
    return state.serialNumber === null ? undefined : { platform: 'MACOS', serialNumber: state.serialNumber };
  if (state.userName === null || model === null) return undefined;
  // Okta cannot search by user: of all iPhones of a tenant only those are read that were used since about the delivery.
  const lookedForMs = Math.max(0, ...settingsOf(state).trustLookupSeconds) * 1000;
  return { platform: 'IOS', model, updatedAfter: new Date(nowMs - lookedForMs - BEFORE_DELIVERY_MS) };
}

const isWorthAsking = ({ users }: OktaDevice, { platform, userName }: DeviceState): boolean =>
  platform === 'macOS' || users.some(({ login }) => login.toLowerCase() === userName?.toLowerCase());
