// Reads a Fleet server: which hosts it manages, and what of it works against Odette.
import type { FleetClient, FleetHost } from '../../adapters/fleet/fleet-client.ts';
import { databaseNow } from '../../adapters/store/base/clock.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { scheduleForgottenQuestions } from '../../adapters/store/devices/channel-questions.ts';
import { listReadings, recordFindings } from '../../adapters/store/devices/channel-readings.ts';
import {
  listChannelLabels,
  listChannelUdids,
  type ChannelLabel,
  type ChannelRow,
} from '../../adapters/store/devices/channels.ts';
import type { ChannelFinding } from '../../domain/channel-findings.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { findingsOfProfiles, findingsOfSettings, listProfiles } from './fleet-findings.ts';
import { lookUp, recordHost } from './fleet-hosts.ts';

type Reads = Pick<FleetClient, 'facts' | 'host' | 'hosts' | 'profiles' | 'profile'>;

/** Roles of Fleet's users that may run MDM commands and read hosts (its "Manage access"). */
const ROLES = ['admin', 'maintainer'];
/** Of so many teams profiles are looked into. */
const MAX_TEAMS = 20;
/** While somebody waits for a test of the channel. */
const MAX_PAGES = 20;

/** @throws CataloguedError `channel.*` */
export async function proveFleet(client: Pick<FleetClient, 'facts'>) {
  const facts = await client.facts();
  // A token of single teams is Premium's; it reads only those.
  if (facts.role !== null && !ROLES.includes(facts.role)) throw new CataloguedError('channel.role_refused');
  return facts;
}

/**
 * Devices that came are enrolled, devices that left have left; what it says of itself is kept.
 * @param profilesDigest of the profiles that were looked into the last time
 * @throws CataloguedError `channel.*`: nothing is concluded from what was not read whole
 */
export async function readFleet(
  database: Database,
  client: Reads,
  channel: ChannelRow,
  profilesDigest: string | null,
): Promise<void> {
  const labels = await listChannelLabels(database, channel.id);
  const known = await listChannelUdids(database, channel.id);
  const seen = new Set<string>();
  const teams = new Set<number | null>([null]);
  for (let page = 0; ; page += 1) {
    const { hosts, isLast } = await client.hosts(page);
    const at = await databaseNow(database);
    for (const host of hosts) {
      seen.add(host.udid);
      if (host.isManaged && teams.size < MAX_TEAMS) teams.add(host.teamId);
      if (!isNews(host, known.get(host.udid), labels)) continue;
      // Lists do not say when its enrollment began, by which the next one is told apart.
      const whole = (await client.host(host.udid)) ?? host;
      await recordHost(database, { channel, host: whole, at }, { by: 'label', labels });
    }
    if (isLast) break;
  }
  // A host that moved between two pages is not gone: each is looked up by itself.
  for (const [udid, isEnrolled] of known)
    if (isEnrolled && !seen.has(udid))
      await lookUp(database, client, { channel, udid, at: await databaseNow(database) });
  await scheduleForgottenQuestions(database, channel.id);
  await readFindings(database, client, channel.id, [...teams], profilesDigest);
}

/** Most hosts are as they were, and cost no transaction. @param isEnrolled undefined: it never was a device of this channel */
const isNews = (
  host: FleetHost,
  isEnrolled: boolean | undefined,
  labels: readonly ChannelLabel[],
): boolean =>
  isEnrolled === undefined
    ? host.isManaged && labels.some(({ label }) => host.labels.includes(label))
    : host.isManaged !== isEnrolled;

/** Of the hosts that Fleet manages. @throws CataloguedError `channel.*` */
export async function teamsOf(client: Pick<FleetClient, 'hosts'>): Promise<(number | null)[]> {
  const teams = new Set<number | null>([null]);
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { hosts, isLast } = await client.hosts(page);
    for (const { isManaged, teamId } of hosts) if (isManaged && teams.size < MAX_TEAMS) teams.add(teamId);
    if (isLast) break;
  }
  return [...teams];
}

/** Profiles are looked into again when one of them changed. @returns what there is now @throws CataloguedError `channel.*` */
export async function readFindings(
  database: Database,
  client: Reads,
  channelId: string,
  teams: readonly (number | null)[],
  profilesDigest: string | null,
): Promise<{ readonly version: string; readonly tier: string; readonly findings: ChannelFinding[] }> {
  const facts = await proveFleet(client);
  const { profiles, digest } = await listProfiles(client, teams);
  const [before] = await listReadings(database, [channelId]);
  const ofProfiles =
    digest === profilesDigest
      ? (before?.findings ?? []).filter(({ profile }) => profile !== null)
      : await findingsOfProfiles(client, profiles);
  const findings = [...findingsOfSettings(facts), ...ofProfiles];
  const { version, tier } = facts;
  await recordFindings(database, channelId, { version, tier }, findings, digest);
  return { version, tier, findings };
}
