// Enforcement readiness over the API: numbers, the users who would be locked out, and the same as CSV.
import { z } from 'zod';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import {
  countDevicesWithoutUser,
  countReadiness,
  countReadinessByBlueprint,
  listReadinessDays,
  listReadinessUsers,
  type ReadinessCount,
  type ReadinessUser,
} from '../../adapters/store/integration/readiness.ts';
import { lockoutReason } from '../../domain/readiness.ts';
import type { SetupChannel } from '../../domain/setup-wizard.ts';
import type { readiness } from '../contract/readiness.ts';
import { pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { sendCsv } from '../http/csv.ts';
import { notFound } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

const TREND_DAYS = 90;
const CSV_PAGE = 1_000;
const loginCursor = z.tuple([z.string().max(500)]);

export function readinessHandlers(): Handlers<typeof readiness> {
  return {
    getEnforcementReadiness: async ({ sql, params }) => {
      const integration = await find(sql, params.id);
      const { id, name } = integration;
      const blueprints = await countReadinessByBlueprint(sql, id);
      return {
        integration: { id, name },
        asOf: (await findOktaReads(sql, id)).sweptAt,
        ...shown(await countReadiness(sql, id)),
        devicesWithoutUser: await countDevicesWithoutUser(sql, id),
        byBlueprint: blueprints.map(({ blueprint, ...counts }) => ({ blueprint, ...shown(counts) })),
        trend: (await listReadinessDays(sql, id, TREND_DAYS)).map(({ day, ...counts }) => ({
          day,
          ...shown(counts),
        })),
      };
    },

    listReadinessUsers: async ({ sql, params, query }) => {
      const { id, channel } = await find(sql, params.id);
      const after = readCursor(loginCursor, query.after)?.[0];
      const rows = await listReadinessUsers(sql, id, {
        isReady: query.state === 'ready',
        blueprintId: query.blueprintId,
        after,
        limit: query.limit + 1,
      });
      const { shown: users, next } = pageOf(rows, query.limit, (last) => writeCursor([last.login]));
      return {
        items: users.map((user) => ({
          login: user.login,
          isReady: user.isReady,
          devices: user.devices.map(({ id: deviceId, name, bucket }) => ({ id: deviceId, name, bucket })),
          reason: reasonOf(user, channel),
        })),
        next,
      };
    },

    exportReadiness: async ({ sql, params, query, response }) => {
      const { id, channel } = await find(sql, params.id);
      const { sweptAt } = await findOktaReads(sql, id);
      const which = { isReady: query.state === 'ready', blueprintId: query.blueprintId };
      await sendCsv(response, 'readiness.csv', CSV_HEAD, csvPages(sql, { id, channel }, which, sweptAt));
      return undefined;
    },
  };
}

async function find(sql: Sql, id: string) {
  const integration = await findIntegration(sql, id);
  if (integration) return integration;
  throw notFound('integration');
}

const shown = ({ users, ready }: ReadinessCount) => ({ users, ready, lockedOut: users - ready });

const reasonOf = ({ isReady, devices, foreign }: ReadinessUser, channel: SetupChannel): string | null =>
  isReady ? null : lockoutReason(devices, foreign, channel);

const CSV_HEAD = ['login', 'ready', 'devices', 'reason', 'asOf'];

async function* csvPages(
  sql: Sql,
  { id, channel }: { readonly id: string; readonly channel: SetupChannel },
  which: { readonly isReady: boolean; readonly blueprintId: string | undefined },
  asOf: Date | null,
) {
  for (let after: string | undefined; ;) {
    const users = await listReadinessUsers(sql, id, { ...which, after, limit: CSV_PAGE });
    yield users.map((user) => [
      user.login,
      user.isReady,
      user.devices.map(({ name }) => name).join(' '),
      reasonOf(user, channel),
      asOf,
    ]);
    after = users.at(-1)?.login;
    if (users.length < CSV_PAGE || after === undefined) return;
  }
}
