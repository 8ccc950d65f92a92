// The three profiles of the payload set, from the payloads in the files beside this one.
import {
  profileIdentifier,
  type CertificateSlot,
  type PayloadScope,
  type ProfileKind,
} from '../../../domain/profile-identifier.ts';
import { loginItem } from './login-item.ts';
import { oktaVerifySettings, type OktaVerifySettings } from './okta-verify-settings.ts';
import { profileOf, type Profile } from './profile.ts';
import { scepCertificate, type ScepCertificate } from './scep-certificate.ts';
import { ssoExtension, type SsoExtension } from './sso-extension.ts';

/** Whose profile it is, and which revision. */
export interface ProfileTarget {
  readonly integrationId: string;
  readonly deviceId: string;
  readonly uuid: string;
}

const named = (target: ProfileTarget, kind: ProfileKind) => ({
  identifier: profileIdentifier(target.integrationId, target.deviceId, kind),
  uuid: target.uuid,
});

/** Mac. One of two slots: a renewed certificate goes beside the old one. */
export const certificateProfile = (
  wanted: ProfileTarget & ScepCertificate & { readonly slot: CertificateSlot; readonly scope: PayloadScope },
): Profile =>
  profileOf({
    ...named(wanted, `certificate.${wanted.slot}`),
    displayName: 'Okta device certificate',
    description: 'Proves to Okta that this Mac is managed.',
    scope: wanted.scope,
    payloads: [scepCertificate(wanted)],
  });

/** Mac: Okta Verify's settings and its login item. */
export const settingsProfile = (wanted: ProfileTarget & OktaVerifySettings): Profile =>
  profileOf({
    ...named(wanted, 'settings'),
    displayName: 'Okta Verify settings',
    description: 'Sets up Okta Verify and starts it at login.',
    scope: 'System',
    payloads: [...oktaVerifySettings(wanted), ...loginItem()],
  });

/** All platforms. Of its own, because its hosts may stand in one profile of a device only. */
export const ssoProfile = (wanted: ProfileTarget & SsoExtension): Profile =>
  profileOf({
    ...named(wanted, 'sso'),
    displayName: 'Okta single sign-on',
    description: 'Lets apps sign in to Okta without a prompt.',
    ...(wanted.platform === 'macOS' ? { scope: 'System' as const } : {}),
    payloads: [ssoExtension(wanted)],
  });
