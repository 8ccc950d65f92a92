// The removal of a platform, or of a whole integration: who would be locked out, then payloads in waves, secrets last.
import { z } from 'zod';
import { REMOVAL_ACTIONS, REMOVAL_STATUSES } from '../../domain/platform-removal.ts';
import { endpoint } from './endpoint.ts';
import { id, idParams, instant, line, list } from './fields.ts';

const tag = 'integrations';
const platform = z.enum(['macOS', 'iOS']).nullable();

const PlatformRemoval = z
  .object({
    id,
    integration: z.object({ id, name: z.string(), host: z.string() }),
    /** Null: the whole integration. */
    platform,
    status: z.enum(REMOVAL_STATUSES),
    reason: z.string().nullable(),
    /** Users who were managed only through its devices when it was asked for. */
    usersLosingTrust: z.number().int(),
    askedBy: z.string(),
    askedAt: instant,
    /** Until then it can be undone without a trace. */
    startsAt: instant,
    isAtOnce: z.boolean(),
    /** Devices that no wave has taken. */
    left: z.number().int(),
    /** Devices that a wave took: the next four add up to it. */
    taken: z.number().int(),
    done: z.number().int(),
    failed: z.number().int(),
    /** Have not called since: their payloads go when they do. */
    silent: z.number().int(),
    pending: z.number().int(),
    finishedAt: instant.nullable(),
  })
  .meta({ id: 'PlatformRemoval' });

const RemovalPreview = z
  .object({
    /** Devices whose payloads would go. */
    devices: z.object({ macOS: z.number().int(), iOS: z.number().int() }),
    /** Users whom Okta counts as managed only through these devices: a policy that demands managed devices locks them out. */
    usersLosingTrust: z.array(z.string()),
    usersLosingTrustTotal: z.number().int(),
    /** When Okta was last read as a whole; null: never, and the users above count for nothing. */
    asOf: instant.nullable(),
    /** To be typed to confirm. */
    confirmation: z.string(),
    startsInMinutes: z.number(),
  })
  .meta({ id: 'PlatformRemovalPreview' });

export const platformRemovals = {
  previewPlatformRemoval: endpoint({
    tag,
    summary: 'What the removal of a platform, or of the integration, would do, and who would be locked out',
    method: 'post',
    path: '/api/integrations/{id}/removals/preview',
    access: 'viewer',
    params: idParams,
    body: z.strictObject({ platform: platform.default(null) }),
    status: 200,
    response: RemovalPreview,
  }),
  removePlatform: endpoint({
    tag,
    summary:
      'Removes a platform, or the integration: payloads in growing waves, certificates last, then the secrets. It can be undone',
    method: 'post',
    path: '/api/integrations/{id}/removals',
    access: 'admin',
    params: idParams,
    body: z.strictObject({
      platform: platform.default(null),
      /** The text that the preview names. */
      confirmation: z.string().max(300),
      /** Okta's policy no longer demands managed devices of these users. */
      policyIsLifted: z.boolean(),
      /** Kept in the audit trail. */
      reason: line(500).optional(),
    }),
    status: 202,
    response: PlatformRemoval,
    problems: ['removal.not_confirmed', 'removal.policy_in_force', 'request.conflict'],
  }),
  listPlatformRemovals: endpoint({
    tag,
    summary: 'Removals of platforms and integrations, including finished ones, newest first',
    method: 'get',
    path: '/api/removals',
    access: 'viewer',
    query: z.strictObject({ integrationId: id.optional() }),
    status: 200,
    response: list(PlatformRemoval),
  }),
  getPlatformRemoval: endpoint({
    tag,
    summary: 'The progress of a removal',
    method: 'get',
    path: '/api/removals/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: PlatformRemoval,
  }),
  changePlatformRemoval: endpoint({
    tag,
    summary:
      'Stops a removal, resumes it, removes from all devices at once, or undoes it: Odette then sends the payloads again',
    method: 'post',
    path: '/api/removals/{id}/actions',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ action: z.enum(REMOVAL_ACTIONS) }),
    status: 200,
    response: PlatformRemoval,
    problems: ['request.conflict'],
  }),
};
