// The organization that runs this installation, as its users see it when they enroll.
import { z } from 'zod';
import { MAX_LOGO_BYTES } from '../../domain/logo.ts';
import { endpoint } from './endpoint.ts';
import { line } from './fields.ts';

const tag = 'instance';
const Organization = z
  .object({
    /** null: users read "Your organization". */
    name: z.string().nullable(),
    /** SHA-256 of the logo in hexadecimal; null: none. */
    logoHash: z.string().nullable(),
  })
  .meta({ id: 'Organization' });

export const organization = {
  getOrganization: endpoint({
    tag,
    summary: 'The name and logo of the organization, as the enrollment page shows them',
    method: 'get',
    path: '/api/organization',
    access: 'viewer',
    status: 200,
    response: Organization,
  }),
  getOrganizationLogo: endpoint({
    tag,
    summary: 'The logo of the organization as a PNG',
    method: 'get',
    path: '/api/organization/logo',
    access: 'viewer',
    /** `hash` says nothing: with it a browser asks anew for a logo that has changed. */
    query: z.strictObject({ hash: line(64).optional() }),
    status: 200,
    responseType: 'image/png',
  }),
  setOrganization: endpoint({
    tag,
    summary: 'Changes name and logo of the organization',
    method: 'put',
    path: '/api/organization',
    access: 'admin',
    body: z.strictObject({
      name: line(100).nullable(),
      /** A PNG of at most 100,000 bytes and 1,024 pixels a side, in base64; null: none; absent: stays. */
      logo: z
        .base64()
        .max(Math.ceil(MAX_LOGO_BYTES / 3) * 4)
        .nullable()
        .optional(),
    }),
    status: 200,
    response: Organization,
  }),
};
