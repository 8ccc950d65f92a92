// The payload set: which of the five payloads applies to which platform, and what each revision is made of.
// A revision is the hash of these inputs (hashed in adapters/store): secrets take part by handle and version, never by value.
import type { Platform } from './device.ts';
import { profileIdentifier, type PayloadScope, type WantedProfileKind } from './profile-identifier.ts';

/** Raised when a payload builder changes what it writes, or a payload is added: only then does every device get the new form. */
const PAYLOAD_FORMAT = 1;

/** `library_items.settings`: what an admin may set on the Okta Verify item. */
export interface ItemSettings {
  readonly enrollmentOptions?: string;
  readonly launchOptions?: string;
  readonly extraKeys?: Readonly<Record<string, unknown>>;
  readonly removeAppOnRemoval?: boolean;
  /** Somebody else installs Okta Verify on Macs: Platform SSO needs the downloaded package, which is not to be managed. */
  readonly appComesFromElsewhere?: boolean;
  /** Into which keychain of a Mac the certificate goes; absent: System. */
  readonly certificateScope?: PayloadScope;
}

export interface PayloadSetInputs {
  readonly integrationId: string;
  readonly deviceId: string;
  readonly platform: Platform;
  /** host[:port] of the tenant. */
  readonly oktaHost: string;
  readonly customDomain: string | null;
  /** Further custom domains: sign-ins there are taken to Okta Verify too. */
  readonly furtherDomains?: readonly string[];
  readonly item: ItemSettings;
  /** The platform's secret: challenge password (macOS) or secret key (iOS). */
  readonly secret: { readonly id: string; readonly version: number };
}

/** Something with a revision: `inputs` is canonical JSON, hashed where hashing is allowed. */
interface Revisable {
  readonly inputs: string;
}
interface WantedProfileInputs extends Revisable {
  readonly kind: WantedProfileKind;
  readonly identifier: string;
}
export interface PayloadSet {
  readonly wantsCertificate: boolean;
  /** In the order of delivery. */
  readonly profiles: readonly WantedProfileInputs[];
  readonly appConfiguration: Revisable | null;
}

const DEFAULT_ENROLLMENT_OPTIONS = 'SilentEnrollmentEnabled';
const DEFAULT_LAUNCH_OPTIONS = 'HideMainWindow';

/** The address with which users sign in, e.g. https://id.acme.com. */
export const orgUrlOf = (inputs: Pick<PayloadSetInputs, 'oktaHost' | 'customDomain'>): string =>
  `https://${inputs.customDomain ?? inputs.oktaHost}`;

const withoutPort = (host: string): string => host.replace(/:\d+$/, '');

/** Hosts of the SSO extension: no scheme, no port, each once. */
export function ssoHostsOf(
  inputs: Pick<PayloadSetInputs, 'oktaHost' | 'customDomain' | 'furtherDomains'>,
): string[] {
  const custom = inputs.customDomain === null ? [] : [inputs.customDomain];
  return [...new Set([inputs.oktaHost, ...custom, ...(inputs.furtherDomains ?? [])].map(withoutPort))];
}

/** JSON with sorted keys: equal content gives equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`;
}

/** Of an item's settings what reaches devices: in the settings profile, which Macs have. */
export const sentSettingsOf = (item: ItemSettings) => ({
  enrollmentOptions: item.enrollmentOptions ?? DEFAULT_ENROLLMENT_OPTIONS,
  launchOptions: item.launchOptions ?? DEFAULT_LAUNCH_OPTIONS,
  extraKeys: item.extraKeys ?? {},
});

export const certificateScopeOf = (item: ItemSettings): PayloadScope => item.certificateScope ?? 'System';

/** Whose devices are sent something when an item's settings change. */
export const platformsTouchedBy = (before: ItemSettings, after: ItemSettings): Platform[] =>
  canonicalJson(sentSettingsOf(before)) === canonicalJson(sentSettingsOf(after)) &&
  (before.appComesFromElsewhere ?? false) === (after.appComesFromElsewhere ?? false) &&
  certificateScopeOf(before) === certificateScopeOf(after)
    ? []
    : ['macOS'];

/** What applies to a device of an integration. */
export function payloadSetOf(inputs: PayloadSetInputs): PayloadSet {
  const isMac = inputs.platform === 'macOS';
  const secret = [inputs.secret.id, inputs.secret.version];
  const identifier = (kind: WantedProfileKind) =>
    profileIdentifier(inputs.integrationId, inputs.deviceId, kind);
  const settings: WantedProfileInputs = {
    kind: 'settings',
    identifier: identifier('settings'),
    inputs: canonicalJson({
      format: PAYLOAD_FORMAT,
      orgUrl: orgUrlOf(inputs),
      ...sentSettingsOf(inputs.item),
    }),
  };
  const sso: WantedProfileInputs = {
    kind: 'sso',
    identifier: identifier('sso'),
    inputs: canonicalJson({
      format: PAYLOAD_FORMAT,
      hosts: ssoHostsOf(inputs),
      // Only iOS carries managementHint in the SSO payload.
      secret: isMac ? null : secret,
    }),
  };
  return {
    wantsCertificate: isMac,
    profiles: isMac ? [settings, sso] : [sso],
    appConfiguration: isMac
      ? null
      : { inputs: canonicalJson({ format: PAYLOAD_FORMAT, orgUrl: orgUrlOf(inputs), secret }) },
  };
}
