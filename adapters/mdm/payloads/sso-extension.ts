// The single sign-on extension through which Okta asks the device without a prompt (`com.apple.extensiblesso`; Okta,
// "Configure an SSO extension" for macOS and for iOS): of type Credential on both.
import { OKTA_VERIFY } from '../../../domain/device-report.ts';
import type { Payload } from './profile.ts';

export type SsoExtension = {
  /** Without scheme and port. A host may stand in one such payload of a device only. */
  readonly hosts: readonly string[];
} & (
  | { readonly platform: 'macOS' }
  /** The platform's secret key: it makes an iPhone or iPad count as managed. */
  | { readonly platform: 'iOS'; readonly managementHint: string }
);

export const ssoExtension = (sso: SsoExtension): Payload => ({
  type: 'com.apple.extensiblesso',
  name: 'sso',
  displayName: 'Okta single sign-on',
  content: {
    Type: 'Credential',
    ExtensionIdentifier: OKTA_VERIFY.ssoExtension,
    // Required on macOS, unknown to iOS.
    TeamIdentifier: sso.platform === 'macOS' ? OKTA_VERIFY.teamId : undefined,
    Realm: 'Okta Device',
    Hosts: sso.hosts,
    ExtensionData: sso.platform === 'iOS' ? { managementHint: sso.managementHint } : undefined,
  },
});
