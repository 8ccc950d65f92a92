// Channels: other MDM servers by which devices are reached. An address and its key are proven before they are kept.
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { dropSecret, storeSecret } from '../../adapters/store/base/secrets.ts';
import { beginReadings, readNow, type ChannelServer } from '../../adapters/store/devices/channel-readings.ts';
import {
  addChannel,
  changeChannel,
  listChannels,
  removeChannel,
  replaceChannelLabels,
  type ChannelLabel,
} from '../../adapters/store/devices/channels.ts';
import { findBlueprint } from '../../adapters/store/library/blueprints.ts';
import type { OtherChannelKind } from '../../domain/device-channel.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import type { channels } from '../contract/channels.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adopter, proveServer, testServer } from './channel-servers.ts';
import { findShownChannel, showChannels, showFinding } from './channel-view.ts';

export function channelHandlers(dependencies: AdminDependencies): Handlers<typeof channels> {
  const { database, publicUrl } = dependencies;
  const show = async (sql: Sql, id: string) => {
    const [shown] = await showChannels(sql, [await findShownChannel(sql, id)], publicUrl);
    if (shown) return shown;
    throw new CataloguedError('server.failed');
  };
  return {
    listChannels: async ({ sql }) => ({ items: await showChannels(sql, await listChannels(sql), publicUrl) }),
    getChannel: ({ sql, params }) => show(sql, params.id),
    createChannel: async (call) => show(call.sql, await create(dependencies, call)),
    changeChannel: async (call) => {
      await change(dependencies, call);
      return show(call.sql, call.params.id);
    },
    deleteChannel: removal,
    async testChannel({ params, caller }) {
      const channel = await findShownChannel(database, params.id);
      const { server, findings } = await testServer(dependencies, channel, caller.actor);
      return { server, findings: findings.flatMap(showFinding) };
    },
    async readChannel({ sql, params, caller }) {
      await findShownChannel(sql, params.id);
      if (!(await readNow(sql, params.id)))
        throw new ProblemError('request.conflict', { detail: 'NanoMDM cannot list its devices.' });
      await audit(sql, caller.actor, 'channel.read', params.id, {});
      return undefined;
    },
    adoptDevices: adoption(dependencies),
  };
}

type Call<Id extends keyof typeof channels> = Parameters<Handlers<typeof channels>[Id]>[0];

async function create(
  dependencies: AdminDependencies,
  { sql, body, caller }: Call<'createChannel'>,
): Promise<string> {
  const { sealer } = dependencies;
  const { kind, name, url, apiKey, blueprintId = null } = body;
  const labels = body.kind === 'fleet' ? body.labels : [];
  await assertBlueprint(sql, blueprintId);
  await assertLabels(sql, labels);
  const server = await prove(dependencies, kind, url, apiKey);
  const by = caller.actor;
  const key = { kind: 'channel_api_key', value: apiKey, by, address: addressOf(url) } as const;
  const { id: apiKeySecretId } = await storeSecret(sql, sealer, key);
  const webhookKeySecretId =
    body.kind === 'nanomdm'
      ? (await storeSecret(sql, sealer, { kind: 'channel_webhook_key', value: body.webhookKey, by })).id
      : null;
  const id = await addChannel(sql, { kind, name, url, apiKeySecretId, webhookKeySecretId, blueprintId });
  if (id === undefined) throw nameTaken();
  await replaceChannelLabels(sql, id, labels);
  if (server !== null) await beginReadings(sql, id, server);
  await audit(sql, by, 'channel.added', id, { name, url, kind });
  return id;
}

async function change(
  dependencies: AdminDependencies,
  { sql, params, body, caller }: Call<'changeChannel'>,
): Promise<void> {
  const { sealer } = dependencies;
  const before = await findShownChannel(sql, params.id);
  const { name = before.name, url = before.url, apiKey, webhookKey, labels } = body;
  const blueprintId = body.blueprintId === undefined ? before.blueprintId : body.blueprintId;
  if (before.kind === 'fleet' && webhookKey !== undefined) throw notOfKind('webhookKey');
  if (before.kind !== 'fleet' && labels !== undefined) throw notOfKind('labels');
  await assertBlueprint(sql, blueprintId);
  // A key never follows an address.
  if (addressOf(url) !== addressOf(before.url) && apiKey === undefined)
    throw fieldProblem('request.invalid', 'apiKey', { detail: 'Enter the API key for the new URL.' });
  const by = caller.actor;
  if (apiKey !== undefined) {
    await prove(dependencies, before.kind, url, apiKey);
    const address = addressOf(url);
    const kind = 'channel_api_key';
    await storeSecret(sql, sealer, { id: before.apiKeySecretId, kind, value: apiKey, by, address });
  }
  if (webhookKey !== undefined && before.webhookKeySecretId !== null) {
    const kind = 'channel_webhook_key';
    await storeSecret(sql, sealer, { id: before.webhookKeySecretId, kind, value: webhookKey, by });
  }
  if (labels !== undefined) {
    await assertLabels(sql, labels);
    await replaceChannelLabels(sql, params.id, labels);
  }
  if (!(await changeChannel(sql, params.id, { name, url, blueprintId }))) throw nameTaken();
  await readNow(sql, params.id);
  await audit(sql, by, 'channel.changed', params.id, { name, url });
}

const removal: Handlers<typeof channels>['deleteChannel'] = async ({ sql, params, caller }) => {
  const { name, devices, apiKeySecretId, webhookKeySecretId } = await findShownChannel(sql, params.id);
  if (devices > 0) throw new ProblemError('request.conflict', { detail: 'This channel still has devices.' });
  await removeChannel(sql, params.id);
  for (const secretId of [apiKeySecretId, webhookKeySecretId])
    if (secretId !== null) await dropSecret(sql, secretId);
  await audit(sql, caller.actor, 'channel.removed', params.id, { name });
  return undefined;
};

function adoption(dependencies: AdminDependencies): Handlers<typeof channels>['adoptDevices'] {
  const { database } = dependencies;
  return async ({ params, body, caller }) => {
    const channel = await findShownChannel(database, params.id);
    const adopt = await adopter(dependencies, channel, caller.actor);
    const counted = { asked: 0, taken: 0, known: 0 };
    const refused: string[] = [];
    for (const udid of new Set(body.udids)) {
      const outcome = await adopt(udid);
      if (outcome === 'refused') refused.push(udid);
      else counted[outcome] += 1;
    }
    const detail = { ...counted, refused: refused.length };
    await audit(database, caller.actor, 'channel.devices_asked', params.id, detail);
    return { ...counted, refused };
  };
}

const audit = (sql: Sql, actor: string, action: string, id: string, detail: object): Promise<void> =>
  appendAudit(sql, { actor, action, subject: `channel:${id}`, detail });

async function assertBlueprint(sql: Sql, id: string | null): Promise<void> {
  if (id !== null && !(await findBlueprint(sql, id))) throw fieldProblem('request.not_found', 'blueprintId');
}

async function assertLabels(sql: Sql, labels: readonly ChannelLabel[]): Promise<void> {
  for (const [nth, { blueprintId }] of labels.entries())
    if (!(await findBlueprint(sql, blueprintId)))
      throw fieldProblem('request.not_found', `labels.${nth}.blueprintId`);
  if (new Set(labels.map(({ label }) => label)).size < labels.length)
    throw fieldProblem('request.invalid', 'labels', { detail: 'A label appears twice.' });
}

/** @throws ProblemError `channel.*` that names the field to correct */
async function prove(
  dependencies: AdminDependencies,
  kind: OtherChannelKind,
  url: string,
  apiKey: string,
): Promise<ChannelServer | null> {
  try {
    return await proveServer(dependencies, kind, url, apiKey);
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    const isOfKey = error.code === 'channel.key_refused' || error.code === 'channel.role_refused';
    throw fieldProblem(error.code, isOfKey ? 'apiKey' : 'url');
  }
}

const nameTaken = () =>
  fieldProblem('request.conflict', 'name', { detail: 'Another channel has this name.' });
const notOfKind = (field: string) =>
  fieldProblem('request.invalid', field, { detail: 'A channel of this kind has no such field.' });
