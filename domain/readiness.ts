// Enforcement readiness: who would be locked out if an Okta policy demanded a managed device now, and why.
import { CHANNEL_WORDS } from './channel-words.ts';
import { CHANNEL_ABILITIES } from './device-channel.ts';
import type { SetupChannel } from './setup-wizard.ts';
import type { TrustBucket } from './trust-bucket.ts';

export interface ReadinessDevice {
  readonly name: string;
  readonly bucket: TrustBucket;
  readonly waitsFor: string | null;
}

/** A record in Okta that belongs to no device of Odette. */
export interface ForeignRecord {
  readonly displayName: string;
  readonly status: string;
}

/** The device that is nearest to managed says what the user lacks. */
const NEAREST: readonly TrustBucket[] = [
  'trusted',
  'needs_user',
  'in_progress',
  'needs_you',
  'unreachable',
  'out_of_scope',
  'left',
];

/** One sentence for a user without any managed device. */
export function lockoutReason(
  devices: readonly ReadinessDevice[],
  foreign: readonly ForeignRecord[],
  channel: SetupChannel,
): string {
  const [nearest] = [...devices].sort(
    (one, other) => NEAREST.indexOf(one.bucket) - NEAREST.indexOf(other.bucket),
  );
  if (nearest !== undefined) return `${nearest.name}: ${lackOf(nearest)}`;
  const held = foreign.find(({ status }) => status === 'SUSPENDED' || status === 'DEACTIVATED');
  if (held !== undefined)
    return `${held.displayName}: Okta says ${held.status}; only an Okta admin can change that.`;
  const [first, ...others] = foreign.map(({ displayName }) => displayName);
  if (first === undefined) return 'Odette does not know any device of this user.';
  const names = others.length === 0 ? first : `${first} and ${others.length} more`;
  if (channel === 'observe_only')
    return `Signs in on ${names}, which Okta does not count as managed. The Observed devices page shows what would help.`;
  if (!CHANNEL_ABILITIES[channel].enroll)
    return `Signs in on ${names}, which Odette does not know. Enroll it in ${CHANNEL_WORDS[channel].name}, or adopt it.`;
  return `Signs in on ${names}, not enrolled in Odette. Enroll it.`;
}

function lackOf({ bucket, waitsFor }: ReadinessDevice): string {
  if (bucket === 'trusted') return 'Okta counts the device as managed for another user.';
  if (bucket === 'out_of_scope') return 'Okta Device Trust is off for the blueprint of the device.';
  return waitsFor ?? 'Okta does not count the device as managed.';
}
