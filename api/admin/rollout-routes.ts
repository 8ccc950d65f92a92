// Rollouts over the fleet: what runs, what failed and why; and the calendar of renewals.
import { z } from 'zod';
import { rollOutDevices } from '../../adapters/store/rollout/enqueue-rollouts.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { countRenewalsByDay, listRollouts } from '../../adapters/store/fleet/fleet-history.ts';
import { listFailureGroups } from '../../adapters/store/fleet/fleet-totals.ts';
import { listRenewals, type ListedRenewal } from '../../adapters/store/fleet/fleet-renewals.ts';
import { listRenewalHistory } from '../../adapters/store/rollout/renewal-history.ts';
import { renewalOf } from '../../domain/renewal-policy.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { rollouts } from '../contract/rollouts.ts';
import { pageOf, readCursor, runCursor, writeCursor } from '../http/cursors.ts';
import { showDevice, temporalLink } from './device-view.ts';
import { rolloutFailureOrNull, showFailure } from './failure-view.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

const expiryCursor = z.tuple([z.string().max(100), z.uuid()]);
/** Of a delivery, in the words of the API; every other one is somebody's request. */
const REASONS: Readonly<Record<string, 'window' | 'unused'>> = { window: 'window', unused: 'unused' };
const historyCursor = z.tuple([z.string().max(100), z.string().max(200)]);

export function rolloutHandlers(dependencies: AdminDependencies): Handlers<typeof rollouts> {
  return {
    listRollouts: async ({ sql, query }) => {
      const [at, id] = readCursor(runCursor, query.after) ?? [];
      const after = at !== undefined && id !== undefined ? { at, id } : undefined;
      const rows = await listRollouts(sql, { state: query.state, after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.cursorAt, last.runId]));
      const items = shown.map((row) => ({
        runId: row.runId,
        device: { id: row.deviceId, name: row.name, serialNumber: row.serialNumber },
        startedAt: row.startedAt,
        closedAt: row.closedAt,
        outcome: row.outcome,
        failure: rolloutFailureOrNull(row.failureCode),
        phase: row.closedAt === null ? (row.phase ?? 'waiting') : null,
        waitsFor: row.waitsFor,
        temporalUrl: temporalLink(dependencies, row.workflowId, row.runId),
      }));
      return { items, next };
    },

    listFailures: async ({ sql }) => {
      const groups = await listFailureGroups(sql);
      return {
        items: groups.map(({ failureCode, devices, examples, newestAt }) => ({
          failure: rolloutFailureOrNull(failureCode) ?? showFailure('server.failed'),
          devices,
          examples: [...examples],
          newestAt,
        })),
      };
    },

    startRollouts: async ({ sql, body, caller }) => {
      const { deviceIds, blueprintId, reason } = body;
      if (deviceIds === undefined && blueprintId === undefined)
        throw fieldProblem('request.invalid', 'deviceIds', { detail: 'Name devices or a blueprint.' });
      const which = { deviceIds, blueprintIds: blueprintId === undefined ? undefined : [blueprintId] };
      const devices = await rollOutDevices(sql, which, reason ?? 'started by an operator', true);
      if (devices === 0)
        throw new ProblemError('mdm.not_enrolled', { detail: 'None of these devices is enrolled.' });
      const subject = deviceIds?.length === 1 ? `device:${deviceIds[0] ?? ''}` : undefined;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'rollout.started',
        ...(subject !== undefined && { subject }),
        detail: { devices, blueprintId, deviceIds, reason },
      });
      return { devices };
    },

    renewalsByDay: async ({ sql, query }) => {
      const from = query.from ?? new Date().toISOString().slice(0, 10);
      return { items: await countRenewalsByDay(sql, { from, days: query.days }) };
    },

    listRenewals: async ({ sql, query }) => {
      const [value, id] = readCursor(expiryCursor, query.after) ?? [];
      const after = value !== undefined && id !== undefined ? { value, id } : undefined;
      const rows = await listRenewals(sql, query.state, { after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.sortValue, last.id]));
      return { items: shown.map(showRenewal), next };
    },

    listRenewalHistory: async ({ sql, query }) => {
      const [at, id] = readCursor(historyCursor, query.after) ?? [];
      const after = at !== undefined && id !== undefined ? { at, id } : undefined;
      const rows = await listRenewalHistory(sql, { after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.cursorAt, last.id]));
      const items = shown.map(({ deviceId, name, serialNumber, reason, ...row }) => ({
        ...row,
        device: { id: deviceId, name, serialNumber },
        reason: REASONS[reason] ?? ('requested' as const),
      }));
      return { items, next };
    },
  };
}

function showRenewal({ certificate, ...device }: ListedRenewal) {
  const { notBefore, notAfter, provenAt, settings } = certificate;
  const life = {
    notBeforeMs: notBefore.getTime(),
    notAfterMs: notAfter.getTime(),
    provenAtMs: (provenAt ?? notBefore).getTime(),
  };
  const { opensMs, closesMs, fromMs, urgency } = renewalOf(life, settings, device.id, Date.now());
  return {
    ...showDevice(device),
    renewal: {
      windowOpensAt: new Date(opensMs),
      renewsFrom: new Date(fromMs),
      windowClosesAt: new Date(closesMs),
      urgency,
    },
  };
}
