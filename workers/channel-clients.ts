// Other MDM servers that Odette reaches devices by: their clients and webhook keys, opened once and kept while they do not change.
import { FleetClient } from '../adapters/fleet/fleet-client.ts';
import { NanoMdmClient } from '../adapters/nanomdm/nanomdm-client.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { listSecretFacts, openSecret, type SecretKind } from '../adapters/store/base/secrets.ts';
import { findChannel, type ChannelRow } from '../adapters/store/devices/channels.ts';
import { CataloguedError } from '../domain/failures.ts';
import type { Sealer } from '../domain/sealer.ts';
import { addressOf } from '../domain/secret-address.ts';

export interface ChannelClients {
  /** @throws CataloguedError `request.not_found` when there is no such channel */
  client(channelId: string): Promise<NanoMdmClient>;
  /** @throws CataloguedError `request.not_found` when there is no such channel */
  fleet(channelId: string): Promise<FleetClient>;
  /** @throws CataloguedError `channel.webhook_refused` where the channel sends none */
  webhookKey(channel: ChannelRow): Promise<string>;
}

export function channelClients(
  database: Database,
  sealer: Sealer,
  { allowedPrivateHosts }: { readonly allowedPrivateHosts: readonly string[] },
): ChannelClients {
  /** By the secret's handle: its version, and what it is. */
  const opened = new Map<string, { readonly version: number; readonly value: string }>();
  const open = async (id: string, kind: SecretKind, purpose: string, address?: string): Promise<string> => {
    const version = (await listSecretFacts(database, [id])).get(id)?.version;
    const known = opened.get(id);
    if (known !== undefined && known.version === version) return known.value;
    const secret = await openSecret(database, sealer, id, {
      actor: 'system',
      purpose,
      kind,
      owner: { installation: true },
      ...(address !== undefined && { address }),
    });
    const value = secret.value.toString('utf8');
    opened.set(id, { version: secret.version, value });
    return value;
  };
  const settingsOf = async (channelId: string) => {
    const channel = await findChannel(database, channelId);
    if (!channel) throw new CataloguedError('request.not_found', { facts: { channel: channelId } });
    const { url, apiKeySecretId } = channel;
    const apiKey = await open(apiKeySecretId, 'channel_api_key', 'MDM server', addressOf(url));
    return { url, apiKey, allowedHosts: allowedPrivateHosts };
  };
  return {
    client: async (channelId) => new NanoMdmClient(await settingsOf(channelId)),
    async fleet(channelId) {
      const { apiKey: apiToken, ...settings } = await settingsOf(channelId);
      return new FleetClient({ ...settings, apiToken });
    },
    async webhookKey({ webhookKeySecretId: id }) {
      if (id === null) throw new CataloguedError('channel.webhook_refused');
      return open(id, 'channel_webhook_key', 'webhooks');
    },
  };
}
