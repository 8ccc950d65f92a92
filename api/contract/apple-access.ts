// What Apple gives to an organization: the push certificate that wakes devices, and the Apps and Books token that licenses apps.
import { z } from 'zod';
import { ACCESS_RIGHTS_PRESETS } from '../../domain/access-rights.ts';
import { endpoint } from './endpoint.ts';
import { certificateFile, Failure, fileText, instant, SecretSet } from './fields.ts';

const tag = 'apple';
const count = z.number().int();

const PushCertificate = z
  .object({
    topic: z.string(),
    /** What devices that enroll with it let Odette do: chosen with the first certificate of a topic, never changed. */
    accessRights: z.enum(ACCESS_RIGHTS_PRESETS),
    notAfter: instant,
    daysLeft: count,
    setAt: instant,
    /** Apple refused it: no pushes until it is replaced. */
    refusedAt: instant.nullable(),
    key: SecretSet.nullable(),
    /** Of other topics, which enrolled devices keep until they enroll again. */
    others: z.array(
      z.object({
        topic: z.string(),
        notAfter: instant,
        daysLeft: count,
        refusedAt: instant.nullable(),
        /** Enrolled with this topic. */
        devices: count,
      }),
    ),
  })
  .meta({ id: 'PushCertificate' });

/** Without it a topic other than that of enrolled devices is refused. */
const confirmOtherTopic = z.boolean().optional();

/**
 * Required with the first push certificate; a renewal keeps it, and for another topic the one before holds where none is given.
 * trust_only: no tool can ever lock or erase a device through this enrollment. full: people read at enrollment that the
 * administrator may erase all data.
 */
const accessRights = z.enum(ACCESS_RIGHTS_PRESETS).optional();

const AppsAndBooks = z
  .object({
    organization: z.string(),
    location: z.string(),
    expiresAt: instant,
    daysLeft: count,
    setAt: instant,
    token: SecretSet.nullable(),
    /** Licenses of Okta Verify; null when Apple could not be asked. */
    licenses: z
      .object({
        total: count,
        available: count,
        /** Only those that Apple gives to devices, by platform: one license may be for both. */
        platforms: z.array(z.object({ platform: z.enum(['macOS', 'iOS']), total: count, available: count })),
      })
      .nullable(),
    failure: Failure.nullable(),
  })
  .meta({ id: 'AppsAndBooks' });

export const appleAccess = {
  getPushCertificate: endpoint({
    tag,
    summary: "Apple's push certificate",
    method: 'get',
    path: '/api/push-certificate',
    access: 'viewer',
    status: 200,
    response: PushCertificate,
    problems: ['apns.certificate_missing'],
  }),
  setPushCertificate: endpoint({
    tag,
    summary:
      "Sets the push certificate: as PEM, with its key or, for Odette's own request, without it; or PKCS#12 in base64 with its password",
    method: 'put',
    path: '/api/push-certificate',
    access: 'admin',
    body: certificateFile({ accessRights, confirmOtherTopic }),
    status: 200,
    response: PushCertificate,
    problems: [
      'apns.certificate_invalid',
      'apns.key_unknown',
      'apns.other_topic',
      'apns.access_rights_missing',
      'apns.access_rights_fixed',
    ],
  }),
  getAppsAndBooks: endpoint({
    tag,
    summary: 'The Apps and Books token, and the licenses left',
    method: 'get',
    path: '/api/apps-and-books',
    access: 'viewer',
    status: 200,
    response: AppsAndBooks,
    problems: ['apps_and_books.token_missing'],
  }),
  setAppsAndBooks: endpoint({
    tag,
    summary:
      'Sets the Apps and Books token: the content of the server token file, checked with Apple and claimed for Odette',
    method: 'put',
    path: '/api/apps-and-books',
    access: 'admin',
    body: z.strictObject({
      token: fileText(64 * 1024).meta({ format: 'password' }),
      /** Without it a location that another MDM server uses is refused. */
      confirmTakeover: z.boolean().optional(),
    }),
    status: 200,
    response: AppsAndBooks,
    problems: [
      'apps_and_books.token_invalid',
      'apps_and_books.token_refused',
      'apps_and_books.held_by_other',
      'apps_and_books.unreachable',
      'apps_and_books.rate_limited',
      'apps_and_books.unexpected_response',
    ],
  }),
};
