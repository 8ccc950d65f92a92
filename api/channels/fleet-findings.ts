// What of a Fleet server works against Okta Device Trust from Odette: its settings, and the profiles that it delivers itself.
import { createHash } from 'node:crypto';
import { buildPlist, parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import { verifyAttached } from '../../adapters/pki/cms.ts';
import type { FleetClient, FleetFacts, FleetProfile } from '../../adapters/fleet/fleet-client.ts';
import { findRivals, type ChannelFinding } from '../../domain/channel-findings.ts';

type Reads = Pick<FleetClient, 'profiles' | 'profile'>;

interface TeamProfile extends FleetProfile {
  readonly team: number | null;
}

interface ProfileList {
  readonly profiles: readonly TeamProfile[];
  /** The same again while no profile changed. */
  readonly digest: string;
}

/** @param teams of the hosts that are reached; null: those in none @throws CataloguedError `channel.*` */
export async function listProfiles(client: Reads, teams: readonly (number | null)[]): Promise<ProfileList> {
  const profiles: TeamProfile[] = [];
  for (const team of teams)
    profiles.push(...(await client.profiles(team)).map((profile) => ({ ...profile, team })));
  const digest = createHash('sha256').update(JSON.stringify(profiles)).digest('base64');
  return { profiles, digest };
}

export function findingsOfSettings(facts: FleetFacts): ChannelFinding[] {
  const codes = [
    ...(facts.isAppleMdmOn ? [] : (['apple_mdm_off'] as const)),
    ...(facts.hasOktaConditionalAccess ? (['okta_conditional_access'] as const) : []),
  ];
  return codes.map((code) => ({ code, profile: null, team: null }));
}

/** @throws CataloguedError `channel.*` */
export async function findingsOfProfiles(
  client: Reads,
  profiles: readonly TeamProfile[],
): Promise<ChannelFinding[]> {
  const found: ChannelFinding[] = [];
  for (const { uuid, name: profile, team } of profiles)
    for (const code of rivalsIn(await client.profile(uuid))) found.push({ code, profile, team });
  return found;
}

function rivalsIn(file: Buffer): ChannelFinding['code'][] {
  try {
    return findRivals(payloadsOf(file));
  } catch {
    return ['unreadable_profile'];
  }
}

/** Signed, or as it was written; Fleet's variables stand in the text of its values. */
function payloadsOf(file: Buffer): { type: string; text: string }[] {
  const isPlain = file.subarray(0, 200).includes('<?xml') || file.subarray(0, 8).includes('bplist');
  const dict = parsePlistDict(isPlain ? file : verifyAttached(file).content);
  const payloads = dict['PayloadContent'];
  if (!Array.isArray(payloads)) throw new Error('a profile without payloads');
  return payloads
    .filter((payload): payload is PlistDict => typeof payload === 'object')
    .map((payload) => {
      const type = payload['PayloadType'];
      return { type: typeof type === 'string' ? type : '', text: buildPlist(payload).toString('utf8') };
    });
}
