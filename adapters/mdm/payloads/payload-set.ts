// The three profiles of the payload set, from the payloads in the files beside this one.
import {
  profileIdentifier,
  type CertificateSlot,
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
  target: ProfileTarget & { readonly slot: CertificateSlot },
  delivery: ScepCertificate,
): Profile =>
  profileOf({
    ...named(target, `certificate.${target.slot}`),
    displayName: 'Okta device certificate',
    description: 'Shows Okta that this Mac is managed.',
    scope: 'System',
    payloads: [scepCertificate(delivery)],
  });

/** Mac: Okta Verify's settings and its login item. */
export const settingsProfile = (target: ProfileTarget, settings: OktaVerifySettings): Profile =>
  profileOf({
    ...named(target, 'settings'),
    displayName: 'Okta Verify settings',
    description: 'Sets up Okta Verify and starts it at login.',
    scope: 'System',
    payloads: [...oktaVerifySettings(settings), ...loginItem()],
  });

/** All platforms. Of its own, because its hosts may stand in one profile of a device only. */
export const ssoProfile = (target: ProfileTarget, sso: SsoExtension): Profile =>
  profileOf({
    ...named(target, 'sso'),
    displayName: 'Okta single sign-on',
    description: 'Signs in to Okta without a prompt.',
    ...(sso.platform === 'macOS' ? { scope: 'System' as const } : {}),
    payloads: [ssoExtension(sso)],
  });
