// The causes that Okta, Apple and other products document for a device that Okta does not count as managed, and what each needs.

/** renew: a new certificate. check: ask the device, and bring what is missing. take_user_over: name the user whom Okta names. */
export type DoctorAction = 'renew' | 'check' | 'take_user_over';

interface Cause {
  readonly title: string;
  readonly remedy: string;
  readonly owner: 'nobody' | 'user' | 'admin' | 'okta_admin' | 'operator';
  /** What Odette can do about it at a click. */
  readonly action: DoctorAction | null;
}

const cause = (
  title: string,
  owner: Cause['owner'],
  remedy: string,
  action: DoctorAction | null = null,
): Cause => ({ title, owner, remedy, action });

export const DOCTOR_CAUSES = {
  certificate_expired: cause(
    'The certificate has expired.',
    'user',
    'Turn the Mac on and connect it to the internet; Odette then replaces the certificate.',
    'renew',
  ),
  certificate_late: cause(
    'The Mac did not renew the certificate in time.',
    'user',
    'Turn the Mac on and connect it to the internet before the certificate expires.',
    'renew',
  ),
  too_many_certificates: cause(
    'The Mac has more certificates from Odette than it needs.',
    'nobody',
    'Odette removes the old ones when the Mac responds.',
    'check',
  ),
  deliveries_fail: cause(
    'Every delivery of the certificate fails.',
    'nobody',
    'Read the reason in the timeline of the Mac. Odette fetches a new challenge for each attempt, when the Mac is awake.',
    'renew',
  ),
  accepted_not_there: cause(
    'The Mac accepted a certificate profile but does not list the certificate.',
    'nobody',
    'No action needed. Odette trusts the list of certificates, not the acknowledgement, and delivers the certificate again.',
    'renew',
  ),
  challenge_password_wrong: cause(
    'Okta refuses the challenge user name or password.',
    'admin',
    'Enter the current challenge password in the integration. Reset it in Okta only if nobody has it.',
  ),
  challenge_denied: cause(
    'Okta, or something between Odette and Okta, denies the challenge request. The password is not the cause.',
    'admin',
    'Check the network zones in Okta, and any firewall between Odette and Okta. Do not reset the password.',
  ),
  challenge_page_unreadable: cause(
    'The challenge URL returns a page without a challenge.',
    'admin',
    'Check the challenge URL in the integration, and any proxy between Odette and Okta.',
  ),
  needs_sign_in: cause(
    'Everything is on the device. Okta changes the status only with a FastPass sign-in.',
    'user',
    'The user signs in once with Okta FastPass.',
  ),
  certificate_unused: cause(
    'Odette knows of no sign-in with the certificate. Okta revokes an unused certificate on day 91.',
    'user',
    'The user signs in with Okta FastPass; otherwise Odette replaces the certificate before day 91.',
    'renew',
  ),
  deleted_in_okta: cause(
    'Someone deleted the device in Okta, and Okta revoked its certificate.',
    'user',
    'Odette requests a new certificate. The user removes the account in Okta Verify and adds it again.',
    'renew',
  ),
  shared_certificate: cause(
    'Another device has the same certificate, for example after a migration or a clone. Okta accepts it from one device only.',
    'operator',
    'Request a new certificate for this Mac.',
    'renew',
  ),
  older_certificate: cause(
    'The status stayed NOT_MANAGED after a sign-in with the certificate installed: Okta Verify may use another certificate, or may not trust this one.',
    'user',
    'In Keychain Access, delete old Okta certificates from "login" (it comes before "System"), then sign in again.',
    'renew',
  ),
  issuer_not_listed: cause(
    "The Mac does not list the authority that issued its certificate: it may show 'certificate is not trusted'.",
    'admin',
    'Download the x509 certificate at Device integrations > Certificate authority in Okta, and install it on the Mac.',
  ),
  secret_key_reset: cause(
    'The user signed in after the configuration arrived, but the device is not managed: the secret key in Okta may differ.',
    'admin',
    'If someone reset the secret key in Okta, rotate it: open the integration, then Rotate secrets.',
  ),
  being_set_up: cause(
    'The rollout of the device is not finished. A FastPass sign-in counts as managed only after that.',
    'nobody',
    'Wait until the rollout ends, then sign in.',
  ),
  foreign_certificate_needed: cause(
    'The Mac has a valid Okta certificate from another source and none from Odette yet.',
    'nobody',
    'Keep that certificate and the profile that installed it until the certificate from Odette is on the Mac.',
  ),
  foreign_scep_profile: cause(
    'Another profile on the Mac contains its own SCEP payload.',
    'admin',
    'If the payload is for an older Okta certificate, have the tool that installed the profile remove it: Okta Verify takes the newest certificate that it finds.',
  ),
  foreign_certificate: cause(
    'The Mac has an Okta certificate that Odette did not deliver, for example from an earlier MDM.',
    'admin',
    'Have the tool that installed its profile remove it, or delete the certificate from the keychain: Okta Verify may use it instead of the new one.',
  ),
  foreign_settings: cause(
    'Another profile on the device contains Okta Verify settings.',
    'admin',
    'Copy its settings to the library item, then have the tool that installed the profile remove it: the device merges both, and which value wins is undefined.',
  ),
  platform_not_configured: cause(
    'The platform of this device is not set up in the integration.',
    'admin',
    'Add the platform in Okta under Device integrations, then in the integration.',
  ),
  okta_limits_requests: cause(
    'Okta is rate-limiting requests from Odette.',
    'nobody',
    'No action needed. Odette waits as long as Okta asks.',
  ),
  command_waits: cause(
    'A command is waiting for the device. Odette does not send it twice.',
    'user',
    'Unlock the device and connect it to the internet.',
  ),
  suspended: cause(
    'An Okta admin suspended the device.',
    'okta_admin',
    'Only an Okta admin can unsuspend it.',
  ),
  deactivated: cause(
    'An Okta admin deactivated the device: it may have been reported lost.',
    'okta_admin',
    'Only an Okta admin can reactivate it; the user then adds the account in Okta Verify again.',
  ),
  managed_for_other_user: cause(
    'Okta counts the device as managed for another user.',
    'admin',
    'Set that user on the device, or ask the current user to sign in with Okta FastPass.',
    'take_user_over',
  ),
  records_alike: cause(
    'Several records in Okta match the device.',
    'okta_admin',
    'Deactivate the old records in Okta.',
  ),
  user_unknown: cause('The user of the device is unknown.', 'admin', 'Set the user of the device.'),
  settings_outdated: cause(
    'The device does not have the current settings: Okta Verify may use the wrong Okta host.',
    'nobody',
    'No action needed. Odette sends them again with the next check.',
    'check',
  ),
  host_claimed: cause(
    'Another single sign-on extension on the device claims the Okta host, or might.',
    'admin',
    'Remove the host from the other profile: only one extension can claim a host.',
    'check',
  ),
  app_from_elsewhere: cause(
    'Okta Verify on this Mac was not installed from the App Store.',
    'admin',
    'Remove the package. If Platform SSO needs it, turn on "Okta Verify comes from elsewhere on Macs" in the library item instead.',
    'check',
  ),
} as const satisfies Readonly<Record<string, Cause>>;

export type DoctorCause = keyof typeof DOCTOR_CAUSES;
