// The other MDM servers as an admin's request reaches them: proven, tested, asked for devices. One place knows which adapter is which.
import { FleetClient } from '../../adapters/fleet/fleet-client.ts';
import { NanoMdmClient } from '../../adapters/nanomdm/nanomdm-client.ts';
import { databaseNow } from '../../adapters/store/base/clock.ts';
import { openSecret } from '../../adapters/store/base/secrets.ts';
import type { ChannelServer } from '../../adapters/store/devices/channel-readings.ts';
import { isEnrolledUdid, type ChannelRow } from '../../adapters/store/devices/channels.ts';
import type { ChannelFinding } from '../../domain/channel-findings.ts';
import type { OtherChannelKind } from '../../domain/device-channel.ts';
import { addressOf } from '../../domain/secret-address.ts';
import { requestDetails } from '../channels/adoption.ts';
import { recordHost } from '../channels/fleet-hosts.ts';
import { proveFleet, readFindings, teamsOf } from '../channels/fleet-reading.ts';
import type { AdminDependencies } from './admin-dependencies.ts';

/** asked: it is known once it answers; taken: it is known now. */
type Adopted = 'asked' | 'taken' | 'known' | 'refused';

interface ChannelTest {
  readonly server: ChannelServer | null;
  readonly findings: readonly ChannelFinding[];
}

/** @returns what the server says of itself; null: it says nothing @throws CataloguedError `channel.*` */
export async function proveServer(
  { allowedPrivateHosts: allowedHosts }: Pick<AdminDependencies, 'allowedPrivateHosts'>,
  kind: OtherChannelKind,
  url: string,
  apiKey: string,
): Promise<ChannelServer | null> {
  if (kind === 'nanomdm') {
    await new NanoMdmClient({ url, apiKey, allowedHosts }).prove();
    return null;
  }
  const { version, tier } = await proveFleet(new FleetClient({ url, apiToken: apiKey, allowedHosts }));
  return { version, tier };
}

/** @throws CataloguedError `channel.*` */
export async function testServer(
  dependencies: AdminDependencies,
  channel: ChannelRow,
  actor: string,
): Promise<ChannelTest> {
  const { database } = dependencies;
  const settings = await settingsOf(dependencies, channel, actor);
  if (channel.kind === 'nanomdm') {
    await new NanoMdmClient(settings).prove();
    return { server: null, findings: [] };
  }
  const client = new FleetClient({ ...settings, apiToken: settings.apiKey });
  await proveFleet(client);
  const read = await readFindings(database, client, channel.id, await teamsOf(client), null);
  return { server: { version: read.version, tier: read.tier }, findings: read.findings };
}

/** Each is taken by itself: what was taken stays when the server cannot be asked about the next. @throws CataloguedError `channel.*` */
export async function adopter(
  dependencies: AdminDependencies,
  channel: ChannelRow,
  actor: string,
): Promise<(identifier: string) => Promise<Adopted>> {
  const { database } = dependencies;
  const settings = await settingsOf(dependencies, channel, actor);
  if (channel.kind === 'nanomdm') {
    const client = new NanoMdmClient(settings);
    return async (udid) =>
      (await isEnrolledUdid(database, udid)) ? 'known' : requestDetails(database, client, channel, udid);
  }
  const client = new FleetClient({ ...settings, apiToken: settings.apiKey });
  return async (identifier) => {
    const at = await databaseNow(database);
    const host = await client.host(identifier);
    if (host === undefined || !isNamedBy(host, identifier)) return 'refused';
    if (await isEnrolledUdid(database, host.udid)) return 'known';
    const outcome = await recordHost(database, { channel, host, at }, { by: 'name' });
    return outcome === 'ignored' || outcome === 'left' ? 'refused' : outcome;
  };
}

/** Fleet also finds a host by its host name, which is whatever its user writes. */
const isNamedBy = (host: { udid: string; serialNumber: string | undefined }, identifier: string): boolean =>
  [host.udid, host.serialNumber].some((name) => name?.toLowerCase() === identifier.toLowerCase());

async function settingsOf(
  { database, sealer, allowedPrivateHosts: allowedHosts }: AdminDependencies,
  { apiKeySecretId, url }: ChannelRow,
  actor: string,
) {
  const { value } = await openSecret(database, sealer, apiKeySecretId, {
    actor,
    purpose: 'MDM server',
    kind: 'channel_api_key',
    owner: { installation: true },
    address: addressOf(url),
  });
  return { url, apiKey: value.toString('utf8'), allowedHosts };
}
