// The doctor: why a device is not managed in Okta, each cause with its evidence and its remedy.
import { z } from 'zod';
import { DOCTOR_CAUSES, type DoctorCause } from '../../domain/doctor-causes.ts';
import { bucket } from './device-filter.ts';
import { endpoint } from './endpoint.ts';
import { cursor, id, idParams, list, page } from './fields.ts';

const tag = 'doctor';
const CAUSES = Object.keys(DOCTOR_CAUSES) as [DoctorCause, ...DoctorCause[]];

const Diagnosis = z
  .object({
    cause: z.enum(CAUSES),
    title: z.string(),
    /** What speaks for it, in the words of the device or of Okta. */
    evidence: z.string(),
    remedy: z.string(),
    owner: z.enum(['nobody', 'user', 'admin', 'okta_admin', 'operator']),
    /** What Odette can do about it: renewDevice, checkDevice, or updateDevice with `user`. */
    action: z.enum(['renew', 'check', 'take_user_over']).nullable(),
    /** Of `take_user_over`: the login that Okta names. */
    user: z.string().nullable(),
  })
  .meta({ id: 'Diagnosis' });

const ExaminedDevice = z
  .object({
    device: z.object({
      id,
      name: z.string().nullable(),
      serialNumber: z.string().nullable(),
      user: z.string().nullable(),
      bucket,
    }),
    diagnoses: z.array(Diagnosis),
  })
  .meta({ id: 'ExaminedDevice' });

export const doctor = {
  examineDevice: endpoint({
    tag,
    summary:
      'Why a device is not managed in Okta: every cause with evidence; none if the device is out of scope',
    method: 'get',
    path: '/api/devices/{id}/doctor',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: list(Diagnosis),
  }),
  examineFleet: endpoint({
    tag,
    summary: 'The same for every device in scope that is not trusted, page by page, sorted by name',
    method: 'get',
    path: '/api/doctor',
    access: 'viewer',
    query: z.strictObject({
      after: cursor.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(100),
    }),
    status: 200,
    response: page(ExaminedDevice),
  }),
};
