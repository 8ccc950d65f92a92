// The five payloads of Okta Device Trust as an admin reads them: what each is for, on which platform.
import type { Platform } from './device.ts';

export interface PayloadDescription {
  readonly setting: string;
  readonly platforms: readonly ('macOS' | 'iOS' | 'iPadOS')[];
  readonly description: string;
}

export const PAYLOAD_TABLE: readonly PayloadDescription[] = [
  {
    setting: 'Dynamic SCEP challenge certificate',
    platforms: ['macOS'],
    description:
      'A certificate of its own for each Mac, with which Okta Verify proves that the Mac is managed. Odette renews it well before it expires.',
  },
  {
    setting: 'OktaVerify.EnrollmentOptions',
    platforms: ['macOS'],
    description:
      'Okta Verify opens by itself when an unregistered Mac asks for something protected by Okta, with the organization filled in.',
  },
  {
    setting: 'Okta Verify login item',
    platforms: ['macOS'],
    description: 'Okta Verify starts when the user logs in.',
  },
  {
    setting: 'Managed app config',
    platforms: ['iOS', 'iPadOS'],
    description:
      'The organization address and the management hint with which the device registers as managed.',
  },
  {
    setting: 'SSO extension',
    platforms: ['macOS', 'iOS', 'iPadOS'],
    description:
      'Sign-in requests go straight to Okta Verify: users see no "Open Okta Verify" prompt. Not supported on Chrome or Firefox.',
  },
];

export const appliesToPlatforms = (payload: PayloadDescription, platforms: readonly Platform[]): boolean =>
  payload.platforms.some((each) => platforms.includes(each === 'macOS' ? 'macOS' : 'iOS'));

/** What the confirmation of the switch says. */
export const SWITCH_CONFIRMATION =
  "Managed app configuration for iPhone and iPad is turned off in the library item: Okta Device Trust manages it and overrides the item's own managed app configuration.";

export const FOREIGN_APP_REASON =
  'The downloadable package of Okta Verify does not work with Okta Device Trust on a Mac: it needs the App Store app, given out through Apps and Books.';
