// Channels: other MDM servers by which devices are reached. An address and its key are proven before they are kept.
import { NanoMdmClient } from '../../adapters/nanomdm/nanomdm-client.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { dropSecret, listSecretFacts, openSecret, storeSecret } from '../../adapters/store/base/secrets.ts';
import {
  addChannel,
  changeChannel,
  findListedChannel,
  isEnrolledUdid,
  listChannels,
  removeChannel,
  type ListedChannel,
} from '../../adapters/store/devices/channels.ts';
import { findBlueprint } from '../../adapters/store/library/blueprints.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import { askWhoItIs } from '../channels/adoption.ts';
import type { channels } from '../contract/channels.ts';
import type { WrittenResponse } from '../contract/endpoint.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { secretSet } from './setup-view.ts';

type Show = (sql: Sql, channel: ListedChannel) => Promise<WrittenResponse<(typeof channels)['getChannel']>>;

export function channelHandlers(dependencies: AdminDependencies): Handlers<typeof channels> {
  const { publicUrl } = dependencies;
  const show: Show = async (sql, channel) => {
    const { id, kind, name, url, blueprintId, lastWebhookAt, devices, asked, createdAt } = channel;
    const facts = await listSecretFacts(sql, [channel.apiKeySecretId, channel.webhookKeySecretId]);
    return {
      ...{ id, kind, name, url, blueprintId, lastWebhookAt, devices, asked, createdAt },
      apiKey: secretSet(facts.get(channel.apiKeySecretId)) ?? null,
      webhookKey: secretSet(facts.get(channel.webhookKeySecretId)) ?? null,
      webhookUrl: publicUrl === undefined ? null : new URL(`/channels/${id}/webhook`, publicUrl).href,
    };
  };
  return {
    listChannels: async ({ sql }) => {
      const rows = await listChannels(sql);
      return { items: await Promise.all(rows.map((row) => show(sql, row))) };
    },
    getChannel: async ({ sql, params }) => show(sql, await find(sql, params.id)),
    createChannel: creation(dependencies, show),
    changeChannel: change(dependencies, show),
    deleteChannel: removal,
    adoptDevices: adoption(dependencies),
  };
}

function creation(
  { sealer, allowedPrivateHosts: allowedHosts }: AdminDependencies,
  show: Show,
): Handlers<typeof channels>['createChannel'] {
  return async ({ sql, body, caller }) => {
    const { name, url, apiKey, webhookKey, blueprintId = null } = body;
    await assertBlueprint(sql, blueprintId);
    await proveServer(new NanoMdmClient({ url, apiKey, allowedHosts }));
    const by = caller.actor;
    const key = { kind: 'channel_api_key', value: apiKey, by, address: addressOf(url) } as const;
    const { id: apiKeySecretId } = await storeSecret(sql, sealer, key);
    const webhook = { kind: 'channel_webhook_key', value: webhookKey, by } as const;
    const { id: webhookKeySecretId } = await storeSecret(sql, sealer, webhook);
    const id = await addChannel(sql, { name, url, apiKeySecretId, webhookKeySecretId, blueprintId });
    if (id === undefined) throw nameTaken();
    await audit(sql, by, 'channel.added', id, { name, url });
    return show(sql, await find(sql, id));
  };
}

function change(
  { sealer, allowedPrivateHosts: allowedHosts }: AdminDependencies,
  show: Show,
): Handlers<typeof channels>['changeChannel'] {
  return async ({ sql, params, body, caller }) => {
    const before = await find(sql, params.id);
    const { name = before.name, url = before.url, apiKey, webhookKey } = body;
    const blueprintId = body.blueprintId === undefined ? before.blueprintId : body.blueprintId;
    await assertBlueprint(sql, blueprintId);
    // A key never follows an address.
    if (addressOf(url) !== addressOf(before.url) && apiKey === undefined)
      throw fieldProblem('request.invalid', 'apiKey', { detail: 'Enter the API key of the new address.' });
    const by = caller.actor;
    if (apiKey !== undefined) {
      await proveServer(new NanoMdmClient({ url, apiKey, allowedHosts }));
      const address = addressOf(url);
      const kind = 'channel_api_key';
      await storeSecret(sql, sealer, { id: before.apiKeySecretId, kind, value: apiKey, by, address });
    }
    if (webhookKey !== undefined) {
      const kind = 'channel_webhook_key';
      await storeSecret(sql, sealer, { id: before.webhookKeySecretId, kind, value: webhookKey, by });
    }
    if (!(await changeChannel(sql, params.id, { name, url, blueprintId }))) throw nameTaken();
    await audit(sql, by, 'channel.changed', params.id, { name, url });
    return show(sql, await find(sql, params.id));
  };
}

const removal: Handlers<typeof channels>['deleteChannel'] = async ({ sql, params, caller }) => {
  const { name, devices, apiKeySecretId, webhookKeySecretId } = await find(sql, params.id);
  if (devices > 0)
    throw new ProblemError('request.conflict', { detail: 'Devices are reached by this channel.' });
  await removeChannel(sql, params.id);
  for (const secretId of [apiKeySecretId, webhookKeySecretId]) await dropSecret(sql, secretId);
  await audit(sql, caller.actor, 'channel.removed', params.id, { name });
  return undefined;
};

/** Each device is asked by itself: what was asked stays asked when one cannot be. */
function adoption({
  database,
  sealer,
  allowedPrivateHosts: allowedHosts,
}: AdminDependencies): Handlers<typeof channels>['adoptDevices'] {
  return async ({ params, body, caller }) => {
    const channel = await find(database, params.id);
    const { value } = await openSecret(database, sealer, channel.apiKeySecretId, {
      actor: caller.actor,
      purpose: 'MDM server',
      kind: 'channel_api_key',
      owner: { installation: true },
      address: addressOf(channel.url),
    });
    const client = new NanoMdmClient({ url: channel.url, apiKey: value.toString('utf8'), allowedHosts });
    const refused: string[] = [];
    let [asked, known] = [0, 0];
    for (const udid of new Set(body.udids)) {
      const isKnown = await isEnrolledUdid(database, udid);
      const outcome = isKnown ? 'known' : await askWhoItIs(database, client, channel, udid);
      if (outcome === 'asked') asked += 1;
      else if (outcome === 'refused') refused.push(udid);
      else known += 1;
    }
    const detail = { asked, known, refused: refused.length };
    await audit(database, caller.actor, 'channel.devices_asked', params.id, detail);
    return { asked, known, refused };
  };
}

const audit = (sql: Sql, actor: string, action: string, id: string, detail: object): Promise<void> =>
  appendAudit(sql, { actor, action, subject: `channel:${id}`, detail });

const find = async (sql: Sql, id: string): Promise<ListedChannel> => {
  const row = await findListedChannel(sql, id);
  if (row) return row;
  throw notFound('channel');
};

async function assertBlueprint(sql: Sql, id: string | null): Promise<void> {
  if (id !== null && !(await findBlueprint(sql, id))) throw fieldProblem('request.not_found', 'blueprintId');
}

/** @throws ProblemError `channel.*` that names the field to correct */
async function proveServer(client: NanoMdmClient): Promise<void> {
  try {
    await client.prove();
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    throw fieldProblem(error.code, error.code === 'channel.key_refused' ? 'apiKey' : 'url');
  }
}

const nameTaken = () =>
  fieldProblem('request.conflict', 'name', { detail: 'Another channel has this name.' });
