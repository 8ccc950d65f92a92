// What Okta says of the devices: looked up for one, or swept page by page for a whole integration.
import type { OktaDevice } from '../adapters/okta/okta-device.ts';
import type { Sql } from '../adapters/store/database.ts';
import {
  deleteOktaDevicesOf,
  deleteUnseenOktaDevices,
  rematch,
  upsertOktaDevices,
} from '../adapters/store/okta-devices.ts';
import { putOutbox } from '../adapters/store/outbox.ts';
import { readDeviceState } from '../adapters/store/rollout-state.ts';
import { refreshTrust } from '../adapters/store/trust.ts';
import { renewNowSignal } from '../workflows/messages.ts';
import { notingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function trustActivities(deps: ActivityDependencies) {
  const { database } = deps;

  async function refresh(deviceIds: readonly string[], now: Date): Promise<void> {
    for (const deviceId of deviceIds)
      await database.inTransaction(async (sql) => {
        const trust = await refreshTrust(sql, deviceId, { now });
        if (trust?.lostManaged === true)
          await wantNewCertificate(sql, deviceId, 'Okta does not count the device as managed any more');
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
      const gone = await database.inTransaction((sql) =>
        deleteUnseenOktaDevices(sql, input.integrationId, new Date(input.beganAtMs)),
      );
      await refresh(gone, new Date(input.nowMs));
      return { gone: gone.length };
    },
  };
}

async function wantNewCertificate(sql: Sql, deviceId: string, reason: string): Promise<void> {
  const rows = await sql.query(
    `select 1 from certificate_deliveries where device_id = $1 and state = 'proven'`,
    [deviceId],
  );
  if (rows.length === 0) return;
  await putOutbox(sql, deviceId, {
    kind: 'keepCertificate',
    deviceId,
    signal: renewNowSignal.name,
    body: { reason },
  });
}
