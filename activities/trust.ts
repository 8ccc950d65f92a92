// What Okta says of the devices: looked up for one, or swept page by page for a whole integration.
import type { OktaDevice } from '../adapters/okta/okta-device.ts';
import {
  deleteOktaDevicesOf,
  findOutdatedDevices,
  forgetUnseenOktaDevices,
  rematch,
  upsertOktaDevices,
} from '../adapters/store/okta-devices.ts';
import { readDeviceState } from '../adapters/store/rollout-state.ts';
import { refreshTrust } from '../adapters/store/trust.ts';
import { notingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';

const FORGOTTEN_AT_ONCE = 200;

export function trustActivities(deps: ActivityDependencies) {
  const { database } = deps;

  /** One transaction a device: the fleet's counters are written in it, where several at once would wait for each other in a circle. */
  async function refresh(deviceIds: readonly string[], now: Date): Promise<void> {
    for (const deviceId of deviceIds)
      await database.inTransaction(async (sql) => {
        await refreshTrust(sql, deviceId, { now });
      });
  }

  return {
    /** Looks one device up in Okta. true: it is trusted, or nobody asks any more. */
    async lookUpDevice(input: {
      readonly deviceId: string;
      readonly integrationId: string;
      readonly nowMs: number;
    }): Promise<boolean> {
      const { deviceId, integrationId } = input;
      const now = new Date(input.nowMs);
      const state = await readDeviceState(database, deviceId);
      if (state === undefined || state.integrationId !== integrationId) return true;
      const client = await deps.oktaClient(integrationId);
      const isMac = state.platform === 'macOS';
      if (isMac && state.serialNumber === null) return false;
      const seen = await notingHealth(
        database,
        integrationId,
        'okta',
        async (): Promise<readonly OktaDevice[]> =>
          isMac
            ? client.findMacs(state.serialNumber ?? '')
            : (await client.findDevices({ platform: 'IOS' })).filter(({ users }) =>
                users.some(({ login }) => login.toLowerCase() === state.userName?.toLowerCase()),
              ),
      );
      await database.inTransaction(async (sql) => {
        await upsertOktaDevices(sql, integrationId, seen, now);
        await rematch(sql, integrationId, seen);
        if (isMac)
          await deleteOktaDevicesOf(
            sql,
            integrationId,
            deviceId,
            seen.map(({ id }) => id),
          );
      });
      const trust = await database.inTransaction((sql) => refreshTrust(sql, deviceId, { now }));
      return trust === undefined || trust.bucket === 'trusted' || trust.bucket === 'out_of_scope';
    },

    /** One page of Okta's devices. Returns where the list goes on. */
    async observeOktaPage(input: {
      readonly integrationId: string;
      readonly next: string | null;
      readonly nowMs: number;
    }): Promise<{ readonly next: string | null; readonly devices: number }> {
      const { integrationId } = input;
      const now = new Date(input.nowMs);
      const client = await deps.oktaClient(integrationId);
      const page = await notingHealth(database, integrationId, 'okta', () =>
        client.listDevices(input.next ?? undefined),
      );
      const touched = await database.inTransaction(async (sql) => {
        await upsertOktaDevices(sql, integrationId, page.devices, now);
        return rematch(sql, integrationId, page.devices);
      });
      await refresh(touched, now);
      return { next: page.next ?? null, devices: page.devices.length };
    },

    /** After the last page: what Okta did not list any more was deleted there, and its certificate revoked. */
    async concludeObservation(input: {
      readonly integrationId: string;
      readonly beganAtMs: number;
      readonly nowMs: number;
    }): Promise<{ readonly gone: number }> {
      const beganAt = new Date(input.beganAtMs);
      let gone = 0;
      for (let batch = FORGOTTEN_AT_ONCE; batch === FORGOTTEN_AT_ONCE; gone += batch)
        batch = await database.inTransaction((sql) =>
          forgetUnseenOktaDevices(sql, input.integrationId, beganAt, FORGOTTEN_AT_ONCE),
        );
      // Asked of the tables, not remembered: an attempt before this one may have been killed between a record's end and its device.
      await refresh(await findOutdatedDevices(database, input.integrationId), new Date(input.nowMs));
      return { gone };
    },
  };
}
