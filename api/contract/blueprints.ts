// Blueprints and enrollment codes.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { platform } from './setups.ts';
import { id, idParams, instant, line, list } from './fields.ts';

const tag = 'library';

const Blueprint = z
  .object({
    id,
    name: z.string(),
    devices: z.number().int(),
    libraryItemId: id.nullable(),
    /** Null until ODETTE_PUBLIC_URL is set. */
    enrollmentLink: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Blueprint' });

const EnrollmentCode = z
  .object({
    id,
    blueprintId: id,
    user: z.string().nullable(),
    forUdid: z.string().nullable(),
    /** Devices of other platforms are refused. */
    platforms: z.array(platform),
    maxUses: z.number().int(),
    uses: z.number().int(),
    expiresAt: instant,
    revokedAt: instant.nullable(),
    createdBy: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'EnrollmentCode' });

export const blueprints = {
  listBlueprints: endpoint({
    tag,
    summary: 'Blueprints',
    method: 'get',
    path: '/api/blueprints',
    access: 'viewer',
    status: 200,
    response: list(Blueprint),
  }),
  getBlueprint: endpoint({
    tag,
    summary: 'A blueprint',
    method: 'get',
    path: '/api/blueprints/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Blueprint,
  }),
  createBlueprint: endpoint({
    tag,
    summary: 'Adds a blueprint, optionally with devices',
    method: 'post',
    path: '/api/blueprints',
    access: 'admin',
    body: z.strictObject({ name: line(100), deviceIds: z.array(id).max(1_000).default([]) }),
    status: 201,
    response: Blueprint,
    problems: ['request.conflict'],
  }),
  renameBlueprint: endpoint({
    tag,
    summary: 'Renames a blueprint',
    method: 'patch',
    path: '/api/blueprints/{id}',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ name: line(100) }),
    status: 200,
    response: Blueprint,
    problems: ['request.conflict'],
  }),
  deleteBlueprint: endpoint({
    tag,
    summary: 'Removes a blueprint that has no devices',
    method: 'delete',
    path: '/api/blueprints/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
    problems: ['request.conflict'],
  }),
  listEnrollmentCodes: endpoint({
    tag,
    summary: 'Enrollment codes of a blueprint, without their values',
    method: 'get',
    path: '/api/blueprints/{id}/enrollment-codes',
    access: 'operator',
    params: idParams,
    status: 200,
    response: list(EnrollmentCode),
  }),
  createEnrollmentCode: endpoint({
    tag,
    summary: 'Creates an enrollment code; only this response shows its value and link',
    method: 'post',
    path: '/api/blueprints/{id}/enrollment-codes',
    access: 'operator',
    params: idParams,
    body: z
      .strictObject({
        user: line(200).optional(),
        /** The device may be enrolled with another identity already: this code lets it enroll anew. For admins. */
        forDeviceId: id.optional(),
        platforms: z
          .array(platform)
          .min(1)
          .max(2)
          .default(() => ['macOS' as const, 'iOS' as const]),
        maxUses: z.number().int().min(1).max(100_000).default(1),
        expiresInHours: z
          .number()
          .int()
          .min(1)
          .max(24 * 366)
          .default(24 * 7),
      })
      .prefault({}),
    status: 201,
    response: z
      .object({ ...EnrollmentCode.shape, code: z.string(), link: z.string().nullable() })
      .meta({ id: 'NewEnrollmentCode' }),
    showsSecret: true,
  }),
  revokeEnrollmentCode: endpoint({
    tag,
    summary: 'Revokes an enrollment code',
    method: 'delete',
    path: '/api/enrollment-codes/{id}',
    access: 'operator',
    params: idParams,
    status: 204,
  }),
};
