// What of another MDM server works against Okta Device Trust from Odette. It is named and left as it is: that server's admin decides.

export const CHANNEL_FINDINGS = {
  apple_mdm_off: {
    title: 'Apple MDM is turned off on this server.',
    remedy: 'Turn it on there. Until then, no command from Odette reaches a device.',
  },
  okta_conditional_access: {
    title: 'This server has its own Okta conditional access set up.',
    remedy:
      'It is a separate identity provider in Okta and needs no change. Do not require both it and a managed device in the same rule unless every device has both.',
  },
  okta_certificate: {
    title: 'A profile on this server also makes devices request an Okta certificate.',
    remedy:
      'Remove the profile from this server once its devices are trusted through Odette. Otherwise each device has two certificates, two servers renew them, and Okta shows both.',
  },
  sso_extension: {
    title: "A profile on this server also configures Okta's SSO extension.",
    remedy:
      'Remove the profile from this server: a device accepts only one SSO extension per host and rejects the one from Odette.',
  },
  okta_verify_settings: {
    title: 'A profile on this server also configures Okta Verify.',
    remedy:
      'Remove the profile from this server, or copy its settings to the library item: the device merges both, and which value wins is undefined.',
  },
  unreadable_profile: {
    title: 'Odette cannot read a profile on this server.',
    remedy: 'Check whether it contains an Okta certificate, an SSO extension or Okta Verify settings.',
  },
} as const;

export type ChannelFindingCode = keyof typeof CHANNEL_FINDINGS;

export interface ChannelFinding {
  readonly code: ChannelFindingCode;
  /** The profile's name there; null: it is a setting of the server. */
  readonly profile: string | null;
  /** The group of devices that gets it, as that server numbers it; null: those of none. */
  readonly team: number | null;
}

/** A payload of another server's profile: its type, and its text with whatever variables that server fills in. */
interface RivalPayload {
  readonly type: string;
  readonly text: string;
}

const SCEP = ['com.apple.security.scep', 'com.apple.security.acme'];
const EXTENSION = 'com.apple.extensiblesso';
const MANAGED_PREFERENCES = 'com.apple.ManagedClient.preferences';
/** Payload types that are settings of Okta Verify or its extension. */
export const OKTA_VERIFY_SETTINGS = /^com\.okta\.(mobile|verify)/i;

/** What of Okta Device Trust a profile does, in the order of its payloads, each once. */
export function findRivals(payloads: readonly RivalPayload[]): ChannelFindingCode[] {
  return [...new Set(payloads.flatMap(rivalOf))];
}

function rivalOf({ type, text }: RivalPayload): ChannelFindingCode[] {
  // Okta's hosts, or a variable that is named for it: which host is behind that, only the other server knows.
  const isOfOkta = /okta/i.test(text);
  if (SCEP.includes(type) && isOfOkta) return ['okta_certificate'];
  if (type === EXTENSION && isOfOkta) return ['sso_extension'];
  if (OKTA_VERIFY_SETTINGS.test(type)) return ['okta_verify_settings'];
  if (type === MANAGED_PREFERENCES && /com\.okta\.(mobile|verify)/i.test(text))
    return ['okta_verify_settings'];
  return [];
}
