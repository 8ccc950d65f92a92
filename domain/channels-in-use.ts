// Which channels an installation uses, and what it must have for them: who uses none of Odette's own MDM server is asked for no push certificate.
import {
  CHANNEL_ABILITIES,
  OTHER_CHANNEL_KINDS,
  type ChannelKind,
  type OtherChannelKind,
} from './device-channel.ts';
import type { SetupChannel } from './setup-wizard.ts';

export interface ChannelFacts {
  /** What was said in the setup of each integration, and in each setup that is open. */
  readonly chosen: readonly SetupChannel[];
  /** Servers that were added as channels. */
  readonly added: readonly OtherChannelKind[];
  /** By which devices are enrolled now. */
  readonly enrolled: readonly ChannelKind[];
  /** A code with which a device can enroll in Odette. */
  readonly hasEnrollmentCode: boolean;
}

/**
 * Odette's own MDM server is in use once a device is enrolled in it or a code invites one. Before, the choice in the setup counts, as long as
 * no device is enrolled anywhere else; without any choice or channel it is what a new installation begins with.
 */
export function channelsInUse({
  chosen,
  added,
  enrolled,
  hasEnrollmentCode,
}: ChannelFacts): readonly ChannelKind[] {
  const known: readonly string[] = [...chosen, ...added, ...enrolled];
  const others = OTHER_CHANNEL_KINDS.filter((kind) => known.includes(kind));
  const isNew = chosen.length === 0 && others.length === 0;
  const isWanted = enrolled.length === 0 && (chosen.includes('built_in') || isNew);
  const isBuiltInUsed = enrolled.includes('built_in') || hasEnrollmentCode || isWanted;
  return [...(isBuiltInUsed ? (['built_in'] as const) : []), ...others];
}

/** Chosen in a setup, and not added yet. */
export const channelsToAdd = ({ chosen, added }: ChannelFacts): readonly OtherChannelKind[] =>
  OTHER_CHANNEL_KINDS.filter((kind) => chosen.includes(kind) && !added.includes(kind));

/** What of the installation a channel cannot do without. */
export type ChannelNeed = 'public_url' | 'tls' | 'push_certificate' | 'apps_and_books';

export function needsOfChannels(used: readonly ChannelKind[]): ReadonlySet<ChannelNeed> {
  return new Set(
    used.flatMap((kind): ChannelNeed[] => {
      const { enroll, license, tell } = CHANNEL_ABILITIES[kind];
      return [
        ...(tell ? (['public_url', 'tls'] as const) : []),
        ...(enroll ? (['push_certificate'] as const) : []),
        ...(license ? (['apps_and_books'] as const) : []),
      ];
    }),
  );
}
