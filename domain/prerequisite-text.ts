// What each prerequisite is called, and how an admin fixes it in Okta.
import { OKTA_SCOPES, type PrerequisiteCheck, type PrerequisiteId } from './setup-wizard.ts';

export const PREREQUISITE_TEXTS: Readonly<
  Record<PrerequisiteId, { readonly title: string; readonly remedy: string }>
> = {
  token: {
    title: 'Okta accepts the credentials',
    remedy: 'Go back to the credentials and enter them again.',
  },
  scopes: {
    title: 'The scopes are granted',
    remedy: `Grant ${OKTA_SCOPES.join(', ')} to the integration or app in Okta, then check again.`,
  },
  devices_readable: {
    title: 'Okta shows Odette the devices',
    remedy:
      'Give the app an admin role that can view devices and authenticators: Okta admin console > Applications > the app > Admin roles.',
  },
  clock: {
    title: "This server's clock is right",
    remedy:
      'Set the clock of the server (NTP), then check again: Okta rejects requests that Odette signs with a wrong time, and certificates take their dates from this clock.',
  },
  identity_engine: {
    title: 'The tenant runs Okta Identity Engine',
    remedy: 'Upgrade the tenant: Okta admin console > Dashboard > OIE upgrade hub.',
  },
  okta_verify_active: {
    title: 'Okta Verify is active',
    remedy: 'Okta admin console > Security > Authenticators > Add authenticator > Okta Verify.',
  },
  fastpass_active: {
    title: 'Okta FastPass is active',
    remedy:
      'Okta admin console > Security > Authenticators > Okta Verify > Actions > Edit > Okta FastPass (all platforms).',
  },
  okta_verify_licenses: {
    title: 'Okta Verify licenses in Apps and Books',
    remedy:
      'Apple Business Manager > Apps and Books > Okta Verify > get licenses (free of charge); then upload the token: odette apps-and-books set FILE.',
  },
  adaptive_mfa: {
    title: 'The tenant has Adaptive MFA',
    remedy: 'Okta shows Security > Device integrations only with Adaptive MFA. Check there, then tick this.',
  },
};

/** A check that could not be made may be confirmed by the admin. */
export const canBeConfirmed = ({ result }: PrerequisiteCheck): boolean => result === 'not_checked';
