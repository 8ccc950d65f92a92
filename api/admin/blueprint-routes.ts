// Blueprints and enrollment codes.
import { startFleetChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import {
  addBlueprint,
  findBlueprint,
  listBlueprints,
  moveDevices,
  removeBlueprint,
  renameBlueprint,
  type BlueprintRow,
} from '../../adapters/store/library/blueprints.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findDevice } from '../../adapters/store/devices/devices.ts';
import {
  addEnrollmentCode,
  listEnrollmentCodes,
  revokeEnrollmentCode,
} from '../../adapters/store/devices/enrollment-codes.ts';
import { appendTimeline } from '../../adapters/store/devices/device-timeline.ts';
import { enrollmentCodeHash, newEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { blueprints } from '../contract/blueprints.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import { enrollmentLinkOf, nameOf } from './setup-view.ts';

export function blueprintHandlers({ publicUrl }: AdminDependencies): Handlers<typeof blueprints> {
  const enrollmentLink = enrollmentLinkOf(publicUrl);
  const show = (row: BlueprintRow) => ({ ...row, enrollmentLink });
  return {
    ...enrollmentCodeHandlers(enrollmentLink),
    listBlueprints: async ({ sql }) => ({ items: (await listBlueprints(sql)).map(show) }),
    getBlueprint: async ({ sql, params }) => show(await find(sql, params.id)),

    createBlueprint: async ({ sql, body, caller }) => {
      const id = await addBlueprint(sql, body.name);
      if (id === undefined) throw nameTaken();
      const moved = await moveDevices(sql, body.deviceIds, id);
      if (moved.length > 0)
        await startFleetChange(sql, {
          kind: 'blueprint',
          integrationId: null,
          subject: `blueprint:${id}`,
          reason: 'moved to another blueprint',
          by: caller.actor,
          which: [{ deviceIds: moved }],
        });
      const detail = { name: body.name, devices: moved.length };
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'blueprint.added',
        subject: `blueprint:${id}`,
        detail,
      });
      return show(await find(sql, id));
    },

    renameBlueprint: async ({ sql, params, body, caller }) => {
      const before = await find(sql, params.id);
      if (!(await renameBlueprint(sql, params.id, body.name))) throw nameTaken();
      const subject = `blueprint:${params.id}`;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'blueprint.renamed',
        subject,
        detail: { name: body.name, changes: changesBetween({ name: before.name }, { name: body.name }) },
      });
      return show(await find(sql, params.id));
    },

    deleteBlueprint: async ({ sql, params, caller }) => {
      const { name, libraryItemId } = await find(sql, params.id);
      if (libraryItemId !== null)
        throw new ProblemError('request.conflict', {
          detail: 'A library item is assigned to this blueprint.',
        });
      if (!(await removeBlueprint(sql, params.id)))
        throw new ProblemError('request.conflict', { detail: 'This blueprint still has devices.' });
      const subject = `blueprint:${params.id}`;
      await appendAudit(sql, { actor: caller.actor, action: 'blueprint.removed', subject, detail: { name } });
      return undefined;
    },
  };
}

const find = async (sql: Sql, id: string): Promise<BlueprintRow> => {
  const row = await findBlueprint(sql, id);
  if (row) return row;
  throw notFound('blueprint');
};

const nameTaken = () =>
  fieldProblem('request.conflict', 'name', { detail: 'Another blueprint has this name.' });

function enrollmentCodeHandlers(
  enrollmentLink: string | null,
): Pick<
  Handlers<typeof blueprints>,
  'listEnrollmentCodes' | 'createEnrollmentCode' | 'revokeEnrollmentCode'
> {
  return {
    listEnrollmentCodes: async ({ sql, params }) => {
      await find(sql, params.id);
      const codes = await listEnrollmentCodes(sql, params.id);
      return {
        items: codes.map((code) => ({
          ...code,
          platforms: [...code.platforms],
          createdBy: nameOf(code.createdBy),
        })),
      };
    },

    createEnrollmentCode: async ({ sql, params, body, caller }) => {
      await find(sql, params.id);
      const device = body.forDeviceId === undefined ? undefined : await findDevice(sql, body.forDeviceId);
      if (body.forDeviceId !== undefined && !device) throw fieldProblem('request.not_found', 'forDeviceId');
      // Whoever uses it becomes this device for Odette, and gets what the device was trusted with.
      if (device && caller.role !== 'admin')
        throw fieldProblem('request.not_allowed', 'forDeviceId', {
          detail: 'Only an admin can create a code that lets an enrolled device enroll again.',
        });
      const code = newEnrollmentCode();
      const row = await addEnrollmentCode(sql, {
        blueprintId: params.id,
        codeHash: enrollmentCodeHash(code),
        user: body.user ?? null,
        forUdid: device?.udid ?? null,
        maxUses: device ? 1 : body.maxUses,
        expiresInHours: body.expiresInHours,
        createdBy: caller.actor,
        personId: caller.personId,
        platforms: device ? [device.platform] : body.platforms,
      });
      if (!row) throw new ProblemError('request.conflict');
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'enrollment_code.made',
        subject: `blueprint:${params.id}`,
        detail: {
          code: row.id,
          user: row.user,
          forUdid: row.forUdid,
          maxUses: row.maxUses,
          platforms: row.platforms,
        },
      });
      if (device)
        await appendTimeline(sql, device.id, {
          kind: 'reenrollment_code_made',
          text: `${nameOf(caller.actor)} created a code that lets another enrollment take over this device.`,
          detail: { code: row.id, by: caller.actor },
        });
      // Behind `#`: a browser sends that to no server, so that no log and no referrer holds the code.
      const link = enrollmentLink === null ? null : `${enrollmentLink}#${code}`;
      const platforms = [...row.platforms];
      return { ...row, platforms, createdBy: nameOf(row.createdBy), code, link };
    },

    revokeEnrollmentCode: async ({ sql, params, caller }) => {
      if (!(await revokeEnrollmentCode(sql, params.id))) throw notFound('enrollment code');
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'enrollment_code.revoked',
        subject: `enrollment_code:${params.id}`,
      });
      return undefined;
    },
  };
}
