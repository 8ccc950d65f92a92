// Observed devices over the API: what Okta says of devices that another MDM server manages.
import { z } from 'zod';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import {
  countObservedDevices,
  listObservedDevices,
  type ObservedRecord,
} from '../../adapters/store/integration/observed-devices.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import { modelName } from '../../domain/model-names.ts';
import { observe, OBSERVED_STATES, type ObservedState } from '../../domain/observed-device.ts';
import type { observedDevices } from '../contract/observed-devices.ts';
import { pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { notFound } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

const nameCursor = z.tuple([z.string().max(500), z.string().max(100)]);

export function observedDeviceHandlers(): Handlers<typeof observedDevices> {
  return {
    listObservedDevices: async ({ sql, params, query }) => {
      await assertIntegration(sql, params.id);
      const [name, oktaId] = readCursor(nameCursor, query.after) ?? [];
      const rows = await listObservedDevices(sql, params.id, {
        state: query.state,
        search: query.search,
        after: name !== undefined && oktaId !== undefined ? { name, oktaId } : undefined,
        limit: query.limit + 1,
      });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.nameKey, last.oktaId]));
      return { items: shown.map(showDevice), next };
    },

    getObservedTotals: async ({ sql, params }) => {
      await assertIntegration(sql, params.id);
      const counted = await countObservedDevices(sql, params.id);
      const states = Object.fromEntries(
        OBSERVED_STATES.map((state) => [state, counted[state] ?? 0]),
      ) as Record<ObservedState, number>;
      const devices = Object.values(states).reduce((sum, count) => sum + count, 0);
      return { asOf: (await findOktaReads(sql, params.id)).sweptAt, devices, states };
    },
  };
}

async function assertIntegration(sql: Sql, id: string): Promise<void> {
  if (!(await findIntegration(sql, id))) throw notFound('integration');
}

function showDevice(record: ObservedRecord) {
  const { status, registered, users, lastUpdatedAt, boundAt } = record;
  const {
    state,
    managed,
    registered: isRegistered,
    evidence,
    owner,
    remedy,
  } = observe({
    platform: record.platform,
    status,
    registered,
    users,
    lastUpdatedAtMs: lastUpdatedAt.getTime(),
  });
  return {
    oktaId: record.oktaId,
    name: record.displayName,
    platform: record.platform === 'MACOS' ? ('macOS' as const) : ('iOS' as const),
    serialNumber: record.serialNumber,
    model: record.model,
    modelName: modelName(record.model),
    osVersion: record.osVersion,
    users: users.map(({ login, managementStatus }) => ({ login, managementStatus })),
    state,
    registered: isRegistered,
    managed,
    evidence,
    owner,
    remedy,
    certificate: boundAt && { firstUsedAt: boundAt, serialNumber: record.boundSerialNumber },
    changedInOktaAt: lastUpdatedAt,
    observedAt: record.observedAt,
  };
}
