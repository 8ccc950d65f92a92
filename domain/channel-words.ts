// What each way to devices is called, and what it can and cannot: setup, console and command line say the same, and docs/channels.md too.
import { CHANNEL_ABILITIES, OTHER_CHANNEL_KINDS, type ChannelKind } from './device-channel.ts';
import type { Platform } from './device.ts';
import type { SetupChannel } from './setup-wizard.ts';

interface ChannelWords {
  readonly name: string;
  /** One sentence each. */
  readonly can: string;
  readonly cannot: string;
}

export const CHANNEL_WORDS: Readonly<Record<SetupChannel, ChannelWords>> = {
  built_in: {
    name: "Odette's own server",
    can: 'Devices enroll in Odette, which delivers and renews certificates, settings and Okta Verify, and can withdraw a command that a device has not received yet.',
    cannot:
      "It cannot serve a device that is enrolled in another MDM server, and it needs Apple's push certificate.",
  },
  nanomdm: {
    name: 'NanoMDM',
    can: 'Devices stay enrolled in NanoMDM, and Odette delivers and renews certificates, settings and Okta Verify through it.',
    cannot:
      "It cannot enroll devices, use a user's login keychain or withdraw a command, and NanoMDM stores each command unencrypted.",
  },
  fleet: {
    name: 'Fleet',
    can: 'Devices stay enrolled in Fleet (including its free edition), and Odette delivers and renews certificates, settings and Okta Verify through it.',
    cannot:
      "It cannot enroll devices, use a user's login keychain or withdraw a command, and Fleet stores each command unencrypted.",
  },
  observe_only: {
    name: 'Observe only',
    can: 'Devices stay in Jamf Pro, Kandji, Intune or any other MDM server, and Odette shows what Okta says about each device, who would be locked out, and why.',
    cannot: 'It cannot send anything to a device, so it delivers and renews nothing.',
  },
};

/** The name of another MDM server, which is added as a channel; undefined: it is none. */
export function otherServerName(channel: string | undefined): string | undefined {
  const kind = OTHER_CHANNEL_KINDS.find((known) => known === channel);
  return kind && CHANNEL_WORDS[kind].name;
}

/** What Odette cannot do with a device of this channel, in one sentence; null: nothing is missing. */
export function deviceLimits(kind: ChannelKind, name: string, platform: Platform): string | null {
  const { withdraw, enroll } = CHANNEL_ABILITIES[kind];
  const lacks = [
    ...(platform === 'macOS' && !enroll ? ["put a certificate in the user's login keychain"] : []),
    ...(withdraw ? [] : ['withdraw a command that the device has not received yet']),
  ];
  if (lacks.length === 0) return null;
  return `Through ${name}, Odette cannot ${lacks.join(' or ')}; ${name} enrolls the device and renews its MDM identity.`;
}
