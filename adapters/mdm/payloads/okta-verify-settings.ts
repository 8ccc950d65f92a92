// Okta Verify's managed preferences on a Mac. The app and its sign-in extension read a domain each, so both get the same keys
// (Okta, "Managed app configurations for macOS devices").
import { OKTA_VERIFY } from '../../../domain/device-report.ts';
import { CataloguedError } from '../../../domain/failures.ts';
import type { PlistDict, PlistValue } from '../plist.ts';
import type { Payload } from './profile.ts';

export interface OktaVerifySettings {
  /** The address with which users sign in, e.g. `https://acme.okta.com`. */
  readonly orgUrl: string;
  /** `SilentEnrollmentEnabled` launches Okta Verify by itself on a device that is not registered yet. */
  readonly enrollmentOptions: string;
  /** `HideMainWindow` keeps its window closed when it is launched. */
  readonly launchOptions: string;
  /** The admin's own keys, as JSON. They never replace the three above or the keys of the payload itself. */
  readonly extraKeys?: Readonly<Record<string, unknown>>;
}

/** @throws CataloguedError `request.invalid` for an extra value that a property list cannot hold (null) */
export function oktaVerifySettings(settings: OktaVerifySettings): Payload[] {
  const content: PlistDict = {
    ...plistDictOf(settings.extraKeys ?? {}),
    'OktaVerify.OrgUrl': settings.orgUrl,
    'OktaVerify.EnrollmentOptions': settings.enrollmentOptions,
    'OktaVerify.LaunchOptions': settings.launchOptions,
  };
  return [
    { type: OKTA_VERIFY.bundleId, name: 'okta-verify', displayName: 'Okta Verify', content },
    {
      type: OKTA_VERIFY.ssoExtension,
      name: 'okta-verify-extension',
      displayName: 'Okta Verify extension',
      content,
    },
  ];
}

const plistDictOf = (json: Readonly<Record<string, unknown>>): PlistDict =>
  Object.fromEntries(Object.entries(json).map(([key, value]) => [key, plistValueOf(key, value)]));

function plistValueOf(key: string, value: unknown): PlistValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item) => plistValueOf(key, item));
  if (typeof value === 'object' && value !== null) return plistDictOf(value as Record<string, unknown>);
  throw new CataloguedError('request.invalid', { facts: { reason: 'not for a property list', key } });
}
