// Other MDM servers by which devices are reached.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { id, idParams, instant, line, list, secretText, SecretSet } from './fields.ts';

const tag = 'channels';
const count = z.number().int();

const Channel = z
  .object({
    id,
    kind: z.enum(['nanomdm']),
    name: z.string(),
    /** Base of the other server's API. */
    url: z.string(),
    /** Where devices go that come by it; null: an admin assigns them. */
    blueprintId: id.nullable(),
    apiKey: SecretSet.nullable(),
    webhookKey: SecretSet.nullable(),
    /** For `-webhook-url` of the other server. Null until ODETTE_PUBLIC_URL is set. */
    webhookUrl: z.string().nullable(),
    /** Noted once a minute. Null: none has come. */
    lastWebhookAt: instant.nullable(),
    devices: count,
    /** Devices that were asked who they are, and have not answered yet. */
    asked: count,
    createdAt: instant,
  })
  .meta({ id: 'Channel' });

const udid = z.string().regex(/^[0-9A-Za-z-]{1,100}$/);
const url = z.url({ protocol: /^https?$/ }).max(500);
const problems = [
  'request.conflict',
  'channel.host_not_allowed',
  'channel.unreachable',
  'channel.key_refused',
  'channel.unexpected_response',
] as const;

export const channels = {
  listChannels: endpoint({
    tag,
    summary: 'Other MDM servers by which devices are reached',
    method: 'get',
    path: '/api/channels',
    access: 'viewer',
    status: 200,
    response: list(Channel),
  }),
  getChannel: endpoint({
    tag,
    summary: 'A channel',
    method: 'get',
    path: '/api/channels/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Channel,
  }),
  createChannel: endpoint({
    tag,
    summary: 'Adds a NanoMDM server, once its address and API key are proven',
    method: 'post',
    path: '/api/channels',
    access: 'admin',
    body: z.strictObject({
      kind: z.literal('nanomdm'),
      name: line(100),
      url,
      /** `-api` of NanoMDM. */
      apiKey: secretText(1_024),
      /** `-webhook-hmac-key` of NanoMDM. */
      webhookKey: secretText(1_024, 16),
      blueprintId: id.optional(),
    }),
    status: 201,
    response: Channel,
    problems,
  }),
  changeChannel: endpoint({
    tag,
    summary: 'Changes a channel. Another address needs the API key again',
    method: 'patch',
    path: '/api/channels/{id}',
    access: 'admin',
    params: idParams,
    body: z.strictObject({
      name: line(100).optional(),
      url: url.optional(),
      apiKey: secretText(1_024).optional(),
      webhookKey: secretText(1_024, 16).optional(),
      blueprintId: id.nullable().optional(),
    }),
    status: 200,
    response: Channel,
    problems,
  }),
  deleteChannel: endpoint({
    tag,
    summary: 'Removes a channel by which no device is reached',
    method: 'delete',
    path: '/api/channels/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
    problems: ['request.conflict'],
  }),
  adoptDevices: endpoint({
    tag,
    summary:
      'Asks devices that are enrolled in the other server who they are; each is known as soon as it answers',
    method: 'post',
    path: '/api/channels/{id}/devices',
    access: 'operator',
    params: idParams,
    body: z.strictObject({ udids: z.array(udid).min(1).max(200) }),
    status: 200,
    response: z.object({
      /** Asked now. */
      asked: count,
      /** Known already, or asked less than an hour ago. */
      known: count,
      /** The other server does not have them. */
      refused: z.array(z.string()),
    }),
    problems,
    ownTransaction: true,
  }),
};
