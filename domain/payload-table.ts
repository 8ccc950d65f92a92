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
      'A certificate for each Mac that proves to Okta that the Mac is managed. Odette renews it well before it expires. The user notices nothing.',
  },
  {
    setting: 'OktaVerify.EnrollmentOptions',
    platforms: ['macOS'],
    description:
      'Okta Verify opens automatically, with the organization filled in, when an unregistered Mac opens an app that Okta protects.',
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
      'The organization URL and the management hint, which register the device as managed. The user notices nothing.',
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
  'The downloadable Okta Verify package does not support Okta Device Trust on a Mac. Okta Device Trust requires the App Store version from Apps and Books.';
