// Devices: the list, one device, and what an operator may ask of it. Whatever is asked becomes outbox rows of the same transaction.
// Long, because it has every handler of the contract's devices, each of them a few lines.
import { z } from 'zod';
import { requestRenewals, rollOutDevices } from '../../adapters/store/rollout/enqueue-rollouts.ts';
import { startFleetChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { modelName } from '../../domain/model-names.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { findBlueprint, moveDevices } from '../../adapters/store/library/blueprints.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { listTimeline } from '../../adapters/store/fleet/fleet-history.ts';
import type { FleetFilter } from '../../adapters/store/fleet/fleet-filter.ts';
import { appendTimeline } from '../../adapters/store/devices/device-timeline.ts';
import { listUnparsedResponses } from '../../adapters/store/devices/inventory.ts';
import { allowReturn, refuseReturn } from '../../adapters/store/devices/returns.ts';
import { requestLook } from '../../adapters/store/integration/okta-looks.ts';
import { refreshTrust } from '../../activities/refresh-trust.ts';
import { findFleetRow, listFleet, type FleetRow } from '../../adapters/store/fleet/fleet.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { devices } from '../contract/devices.ts';
import { numberCursor, pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { sendCsv } from '../http/csv.ts';
import { nameUser, nameUsers, readUsers } from './device-users.ts';
import { listPortion } from './fleet-portions.ts';
import { showDetail, showChannel, showDevice } from './device-view.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import { showProfiles } from './profile-view.ts';
import type { Handlers } from '../http/serve.ts';

const listCursor = z.tuple([z.string().max(100), z.string().max(500), z.uuid()]);

export function deviceHandlers(dependencies: AdminDependencies): Handlers<typeof devices> {
  return {
    ...REQUESTS,

    listDevices: async ({ sql, query }) => {
      const { sort, order, after, limit, ...filter } = query;
      const place = `${sort} ${order}`;
      const [given, value, id] = readCursor(listCursor, after) ?? [place, '', ''];
      if (given !== place)
        throw fieldProblem('request.invalid', 'after', {
          detail: 'The cursor belongs to a different sort order.',
        });
      const position = after === undefined ? undefined : { value, id };
      const rows = await listFleet(sql, filter, { sort, order, after: position, limit: limit + 1 });
      const { shown, next } = pageOf(rows, limit, (last) => writeCursor([place, last.sortValue, last.id]));
      return { items: shown.map(showDevice), next };
    },

    exportDevices: async ({ sql, query, response }) => {
      await sendCsv(response, 'devices.csv', CSV_HEAD, csvPages(sql, query));
      return undefined;
    },

    getDevice: async ({ sql, params }) => showDetail(sql, await find(sql, params.id), dependencies),

    getDeviceProfiles: async ({ sql, params }) => {
      await find(sql, params.id);
      return { items: await showProfiles(sql, params.id) };
    },

    getUnreadableResponses: async ({ sql, params }) => {
      await find(sql, params.id);
      const rows = await listUnparsedResponses(sql, params.id);
      return { items: rows.map(({ body, ...row }) => ({ ...row, body: body.toString('base64') })) };
    },

    getDeviceTimeline: async ({ sql, params, query }) => {
      await find(sql, params.id);
      const after = readCursor(numberCursor, query.after)?.[0];
      const rows = await listTimeline(sql, params.id, { after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.id]));
      return { items: [...shown], next };
    },

    updateDevice: async ({ sql, params, body, caller }) => {
      const before = await find(sql, params.id);
      const { blueprintId, user } = body;
      if (blueprintId !== undefined) await move(sql, [params.id], blueprintId, caller.actor);
      if (user !== undefined) await nameUser(sql, params.id, user);
      const subject = `device:${params.id}`;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'device.changed',
        subject,
        detail: {
          blueprintId,
          user,
          changes: changesBetween(
            { blueprintId: before.blueprint?.id, user: before.user },
            { blueprintId, user },
          ),
        },
      });
      return showDevice(await find(sql, params.id));
    },

    setDeviceUsers: async ({ sql, body, caller }) => {
      const { changes, unchanged } = await readUsers(sql, body.csv);
      if (!body.preview && changes.length > 0) {
        await nameUsers(sql, changes);
        for (const { id, user, before } of changes)
          await appendAudit(sql, {
            actor: caller.actor,
            action: 'device.changed',
            subject: `device:${id}`,
            detail: { user, changes: changesBetween({ user: before }, { user }) },
          });
      }
      return { changed: changes.length, unchanged };
    },
  };
}

const find = async (sql: Sql, id: string): Promise<FleetRow> => {
  const row = await findFleetRow(sql, id);
  if (row) return row;
  throw notFound('device');
};

/** What an operator may ask of devices. */
const REQUESTS: Pick<
  Handlers<typeof devices>,
  'requestFromDevices' | 'checkDevice' | 'askOkta' | 'decideReturn' | 'renewDevice'
> = {
  requestFromDevices: async ({ sql, body, caller }) => {
    const { action, filter, reason, blueprintId } = body;
    if (body.ids === undefined && filter === undefined)
      throw fieldProblem('request.invalid', 'ids', { detail: 'Name devices by `ids` or by `filter`.' });
    const asked = action === 'move' ? { moveTo: blueprintId ?? noBlueprint() } : action;
    const wanted: FleetFilter = { ...filter, ...(body.ids && { ids: body.ids }) };
    const { ids, next } = await listPortion(sql, wanted, asked, body);
    if (body.preview) return { devices: ids.length, next };
    const count = await perform(sql, asked, ids, reason ?? `requested by ${caller.actor}`, caller.actor);
    await appendAudit(sql, {
      actor: caller.actor,
      action: ACTIONS[action],
      ...(ids.length === 1 && { subject: `device:${ids[0] ?? ''}` }),
      detail: { devices: count, ...(ids.length <= 100 ? { ids } : { filter }), reason, blueprintId },
    });
    return { devices: count, next };
  },

  checkDevice: async ({ sql, params, caller }) => {
    await find(sql, params.id);
    const devices = await rollOutDevices(sql, { deviceIds: [params.id] }, 'someone requested a check', true);
    if (devices === 0) throw new ProblemError('mdm.not_enrolled');
    await appendAudit(sql, { actor: caller.actor, action: ACTIONS.check, subject: `device:${params.id}` });
    return { devices };
  },

  askOkta: async ({ sql, params, caller }) => {
    const { integrationId } = await find(sql, params.id);
    if (integrationId === null)
      throw new ProblemError('request.conflict', {
        detail: 'The device is out of scope, so there is no Okta tenant to ask.',
      });
    await requestLook(sql, { deviceId: params.id, integrationId });
    await appendAudit(sql, {
      actor: caller.actor,
      action: 'device.okta_asked',
      subject: `device:${params.id}`,
    });
    return { devices: 1 };
  },

  decideReturn: async ({ sql, params, body, caller }) => {
    await find(sql, params.id);
    const isAllowed = body.decision === 'allow';
    const isDone = isAllowed
      ? await allowReturn(sql, params.id, caller.actor)
      : await refuseReturn(sql, params.id);
    if (!isDone)
      throw new ProblemError('request.conflict', {
        detail: isAllowed
          ? 'The device is not enrolled: it can enroll again with any code.'
          : 'The device has not asked to enroll again.',
      });
    await appendAudit(sql, {
      actor: caller.actor,
      action: isAllowed ? 'enrollment.return_allowed' : 'enrollment.return_refused',
      subject: `device:${params.id}`,
      detail: { reason: body.reason },
    });
    await appendTimeline(sql, params.id, {
      kind: isAllowed ? 'return_allowed' : 'return_refused',
      text: isAllowed
        ? 'An admin allowed the device to enroll again within 24 hours.'
        : 'An admin refused to let the device enroll again.',
      detail: { by: caller.actor },
    });
    await refreshTrust(sql, params.id, { now: new Date() });
    return showDevice(await find(sql, params.id));
  },

  renewDevice: async ({ sql, params, body, caller }) => {
    const { platform } = await find(sql, params.id);
    if (platform !== 'macOS')
      throw new ProblemError('request.conflict', {
        detail: 'iPhones and iPads have no Okta certificate.',
      });
    const devices = await requestRenewals(
      sql,
      [params.id],
      body.reason ?? 'requested by an operator',
      caller.actor,
    );
    if (devices === 0)
      throw new ProblemError('request.conflict', {
        detail: 'The device is not in scope, or not enrolled.',
      });
    const subject = `device:${params.id}`;
    await appendAudit(sql, {
      actor: caller.actor,
      action: ACTIONS.renew,
      subject,
      detail: { reason: body.reason },
    });
    return { devices };
  },
};

const ACTIONS = {
  check: 'device.check_asked',
  renew: 'certificate.renewal_asked',
  move: 'device.moved',
} as const;

function noBlueprint(): never {
  throw fieldProblem('request.invalid', 'blueprintId');
}

async function perform(
  sql: Sql,
  asked: 'check' | 'renew' | { readonly moveTo: string },
  ids: readonly string[],
  reason: string,
  by: string,
): Promise<number> {
  if (asked === 'renew') return requestRenewals(sql, ids, reason, by);
  if (asked === 'check') return rollOutDevices(sql, { deviceIds: ids }, 'someone requested a check', true);
  return move(sql, ids, asked.moveTo, by);
}

async function move(
  sql: Sql,
  ids: readonly string[],
  blueprintId: string | null,
  by: string,
): Promise<number> {
  if (blueprintId !== null && !(await findBlueprint(sql, blueprintId)))
    throw fieldProblem('request.not_found', 'blueprintId');
  const moved = await moveDevices(sql, ids, blueprintId);
  if (moved.length > 0)
    await startFleetChange(sql, {
      kind: 'blueprint',
      integrationId: null,
      ...(blueprintId !== null && { subject: `blueprint:${blueprintId}` }),
      reason: 'moved to another blueprint',
      by,
      which: [{ deviceIds: moved }],
    });
  return moved.length;
}

const CSV_HEAD = [
  'id',
  'name',
  'serialNumber',
  'family',
  'model',
  'modelName',
  'osVersion',
  'user',
  'blueprint',
  'channel',
  'bucket',
  'delivered',
  'certificatePresent',
  'oktaVerifyManaged',
  'registered',
  'managed',
  'phase',
  'failure',
  'waitsFor',
  'certificateNotAfter',
  'lastContactAt',
];

async function* csvPages(sql: Sql, filter: FleetFilter) {
  for (let after: { value: string; id: string } | undefined; ;) {
    const rows = await listFleet(sql, filter, { sort: 'name', order: 'asc', after, limit: 500 });
    yield rows.map((row) => [
      row.id,
      row.name,
      row.serialNumber,
      row.family,
      row.model,
      modelName(row.model),
      row.osVersion,
      row.user,
      row.blueprint?.name,
      showChannel(row).name,
      row.bucket,
      row.delivered,
      row.certificatePresent,
      row.oktaVerifyManaged,
      row.registered,
      row.managed,
      row.phase,
      row.failureCode,
      row.waitsFor,
      row.certificateNotAfter,
      row.lastContactAt,
    ]);
    const last = rows.at(-1);
    if (rows.length < 500 || !last) return;
    after = { value: last.sortValue, id: last.id };
  }
}
