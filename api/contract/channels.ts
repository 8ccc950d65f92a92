// Other MDM servers through which Odette reaches devices.
import { z } from 'zod';
import { CHANNEL_FINDINGS, type ChannelFindingCode } from '../../domain/channel-findings.ts';
import { MAX_ADOPTED_AT_ONCE, OTHER_CHANNEL_KINDS } from '../../domain/device-channel.ts';
import { endpoint } from './endpoint.ts';
import { Failure, id, idParams, instant, line, list, secretText, SecretSet } from './fields.ts';

const tag = 'channels';
const count = z.number().int();
const codes = Object.keys(CHANNEL_FINDINGS) as [ChannelFindingCode, ...ChannelFindingCode[]];

/** What of the other server works against Odette. It is named and left as it is. */
const Finding = z
  .object({
    code: z.enum(codes),
    title: z.string(),
    remedy: z.string(),
    /** The profile's name there; null: it is a setting of the server. */
    profile: z.string().nullable(),
    /** The team that gets it, as the server numbers it; null: hosts in no team. */
    team: count.nullable(),
  })
  .meta({ id: 'ChannelFinding' });

const Server = z.object({
  version: z.string(),
  /** `free`, `premium` or `trial`. */
  tier: z.string(),
});

const Label = z.strictObject({
  /** Of the other server. */
  label: line(255),
  /** Where devices with this label go. */
  blueprintId: id,
});

const Channel = z
  .object({
    id,
    kind: z.enum(OTHER_CHANNEL_KINDS),
    name: z.string(),
    /** Base of the other server's API. */
    url: z.string(),
    /** Where devices go that come by it; null: an admin assigns them. Of a Fleet server: those that are named by hand. */
    blueprintId: id.nullable(),
    apiKey: SecretSet.nullable(),
    webhookKey: SecretSet.nullable(),
    /** For `-webhook-url` of NanoMDM. Null until ODETTE_PUBLIC_URL is set, and of a server that sends none. */
    webhookUrl: z.string().nullable(),
    /** Noted once a minute. Null: none has come. */
    lastWebhookAt: instant.nullable(),
    /** Fleet only: whose devices Odette takes by itself. */
    labels: z.array(Label),
    /** Fleet only, and as it says itself; null: NanoMDM. */
    server: Server.nullable(),
    /** Fleet only: when its devices were last read whole; null: not yet. */
    readAt: instant.nullable(),
    /** Fleet only: why it could not be read the last time; null: it answered. */
    problem: Failure.nullable(),
    /** Fleet only. */
    findings: z.array(Finding),
    devices: count,
    /** Devices that were asked who they are, and have not answered yet. */
    asked: count,
    createdAt: instant,
  })
  .meta({ id: 'Channel' });

const identifier = z.string().regex(/^[0-9A-Za-z-]{1,100}$/);
const url = z.url({ protocol: /^https?$/ }).max(500);
const labels = z.array(Label).max(100);
const serverProblems = [
  'channel.host_not_allowed',
  'channel.unreachable',
  'channel.key_refused',
  'channel.role_refused',
  'channel.rate_limited',
  'channel.unexpected_response',
] as const;
const problems = ['request.conflict', ...serverProblems] as const;

export const channels = {
  listChannels: endpoint({
    tag,
    summary: 'Other MDM servers through which Odette reaches devices',
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
    summary: 'Adds a NanoMDM or Fleet server, once its address and API key are proven',
    method: 'post',
    path: '/api/channels',
    access: 'admin',
    body: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('nanomdm'),
        name: line(100),
        url,
        /** `-api` of NanoMDM. */
        apiKey: secretText(1_024),
        /** `-webhook-hmac-key` of NanoMDM. */
        webhookKey: secretText(1_024, 16),
        blueprintId: id.optional(),
      }),
      z.strictObject({
        kind: z.literal('fleet'),
        name: line(100),
        url,
        /** API token of a user of Fleet that is maintainer or admin. */
        apiKey: secretText(1_024),
        blueprintId: id.optional(),
        labels: labels.default([]),
      }),
    ]),
    status: 201,
    response: Channel,
    problems,
  }),
  changeChannel: endpoint({
    tag,
    summary: 'Changes a channel. A new URL needs the API key again',
    method: 'patch',
    path: '/api/channels/{id}',
    access: 'admin',
    params: idParams,
    body: z.strictObject({
      name: line(100).optional(),
      url: url.optional(),
      apiKey: secretText(1_024).optional(),
      /** NanoMDM only. */
      webhookKey: secretText(1_024, 16).optional(),
      blueprintId: id.nullable().optional(),
      /** Fleet only. In place of those it has. */
      labels: labels.optional(),
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
  testChannel: endpoint({
    tag,
    summary:
      'Verifies the URL and API key of a channel again, and checks its server for conflicts with Okta Device Trust',
    method: 'post',
    path: '/api/channels/{id}/test',
    access: 'operator',
    params: idParams,
    status: 200,
    response: z.object({
      /** Null: NanoMDM. */
      server: Server.nullable(),
      findings: z.array(Finding),
    }),
    problems: serverProblems,
    ownTransaction: true,
  }),
  readChannel: endpoint({
    tag,
    summary: "Has a Fleet server's devices read now, instead of within five minutes",
    method: 'post',
    path: '/api/channels/{id}/read',
    access: 'operator',
    params: idParams,
    status: 204,
    problems: ['request.conflict'],
  }),
  adoptDevices: endpoint({
    tag,
    summary:
      'Adopts devices that are enrolled in the other server. Fleet confirms them at once; with NanoMDM, Odette adopts each device when it responds',
    method: 'post',
    path: '/api/channels/{id}/devices',
    access: 'operator',
    params: idParams,
    /** Of a Fleet server also serial numbers. */
    body: z.strictObject({ udids: z.array(identifier).min(1).max(MAX_ADOPTED_AT_ONCE) }),
    status: 200,
    response: z.object({
      /** Asked now. */
      asked: count,
      /** Taken now, as the other server described them. */
      taken: count,
      /** Known already, or asked less than a minute ago. */
      known: count,
      /** The other server does not have them, or does not manage them. */
      refused: z.array(z.string()),
    }),
    problems,
    ownTransaction: true,
  }),
};
