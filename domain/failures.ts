// The catalogue of everything that can go wrong: the code, whether Odette tries again by itself, who acts, what to do.
// One table and nothing else, so it is as long as the list of failures: it is read by looking a code up, and one place for all
// keeps codes unique and their words alike.
// Codes are `area.what_happened`. Adapters throw an error with a `code`; activities/as-failure.ts makes Temporal's failure of it,
// api/http/problem.ts an HTTP answer; docs/errors.md is generated from here. Nobody matches text.

export type Owner = 'nobody' | 'admin' | 'user' | 'operator';

export interface CatalogueEntry {
  /** What happened, one sentence. */
  readonly title: string;
  /** What to do next. */
  readonly remedy: string;
  /** Tried again by Odette itself. */
  readonly isRetried: boolean;
  readonly owner: Owner;
  /** HTTP status when an API call ends with it. */
  readonly status: number;
}

const entry = (
  title: string,
  remedy: string,
  owner: Owner,
  isRetried: boolean,
  status: number,
): CatalogueEntry => ({ title, remedy, isRetried, owner, status });

export const FAILURES = {
  // The request itself
  'request.invalid': entry(
    'The request is not what this address expects.',
    'Correct the fields named in `errors`.',
    'admin',
    false,
    400,
  ),
  'request.unsupported_media_type': entry(
    'The body is not of a type this address reads.',
    'Send JSON (application/json).',
    'admin',
    false,
    415,
  ),
  'request.too_large': entry('The request body is too large.', 'Send less.', 'admin', false, 413),
  'request.not_found': entry(
    'There is nothing at this address.',
    'Check the address and the id in it.',
    'admin',
    false,
    404,
  ),
  'request.method_not_allowed': entry(
    'This address does not take this method.',
    'Use a method named in `Allow`.',
    'admin',
    false,
    405,
  ),
  'request.not_signed_in': entry(
    'This needs a signed-in person or an API token.',
    'Sign in, or send `Authorization: Bearer TOKEN`.',
    'admin',
    false,
    401,
  ),
  'request.not_allowed': entry('Your role does not allow this.', 'Ask an admin.', 'admin', false, 403),
  'request.too_many': entry('Too many attempts.', 'Wait for the time in `Retry-After`.', 'nobody', true, 429),
  'request.idempotency_key_reused': entry(
    'This Idempotency-Key was used with another body.',
    'Use a new key for a new request.',
    'admin',
    false,
    422,
  ),
  'request.changed_meanwhile': entry(
    'It was changed by somebody else meanwhile.',
    'Read it again and repeat your change.',
    'admin',
    false,
    412,
  ),
  'request.conflict': entry(
    'This does not fit the present state.',
    'Read it again; `detail` says what is in the way.',
    'admin',
    false,
    409,
  ),
  'server.unavailable': entry(
    'A part of Odette is not answering.',
    'Nothing is lost. Try again shortly; `odette status` names the part.',
    'operator',
    true,
    503,
  ),
  'server.failed': entry('Odette made an error.', 'Report it with the request id.', 'operator', false, 500),

  // Setup
  'setup.wrong_step': entry(
    'The setup is at another step.',
    'Continue at the step named in `detail`.',
    'admin',
    false,
    409,
  ),
  'setup.check_running': entry(
    'A check of this setup is still running.',
    'Wait for it to end, then answer.',
    'admin',
    false,
    409,
  ),
  'setup.prerequisites_missing': entry(
    'Some prerequisites are missing in Okta.',
    'See the list, put them right in Okta, then check again.',
    'admin',
    false,
    422,
  ),
  'setup.not_open': entry(
    'This setup is finished or abandoned.',
    'Start a new setup, or change the integration.',
    'admin',
    false,
    409,
  ),
  'setup.integration_exists': entry(
    'This Okta tenant is connected already.',
    'Change the existing integration.',
    'admin',
    false,
    409,
  ),
  'setup.url_not_on_tenant': entry(
    'This URL is not on the host of the Okta tenant.',
    'Paste the URL that Okta shows under Device integrations: it is on the Okta domain or its custom domain.',
    'admin',
    false,
    422,
  ),
  'setup.other_tenant': entry(
    'This is another Okta tenant than the one of this integration.',
    'Start a new setup for the other tenant.',
    'admin',
    false,
    422,
  ),

  // People
  'people.sign_in_refused': entry(
    'Name or password is wrong.',
    'Try again; an admin can set a new password.',
    'admin',
    false,
    401,
  ),
  'people.first_run_refused': entry(
    'This first-run link is wrong or was used.',
    'Use the link that Odette printed at its last start, or sign in.',
    'admin',
    false,
    403,
  ),
  'people.last_admin': entry(
    'Nobody would be left who can administer Odette.',
    'Make another local admin first.',
    'admin',
    false,
    409,
  ),

  // Signing in through the identity provider
  'sign_in.attempt_over': entry(
    'This sign-in is over: it took too long, was finished already, or was not begun in this browser.',
    'Sign in again.',
    'user',
    false,
    400,
  ),
  'sign_in.provider_unreachable': entry(
    'The identity provider does not answer.',
    'Try again shortly, or sign in with a local account.',
    'admin',
    false,
    503,
  ),
  'sign_in.host_not_allowed': entry(
    'The identity provider is at a private address that may not be called.',
    'Use a public address, or allow the private one (ODETTE_ALLOWED_PRIVATE_HOSTS).',
    'admin',
    false,
    503,
  ),
  'sign_in.provider_refused': entry(
    'The identity provider did not sign you in.',
    'Sign in there as a person to whom Odette is assigned; else ask whoever runs it.',
    'user',
    false,
    403,
  ),
  'sign_in.client_refused': entry(
    'The identity provider refused Odette itself.',
    'An admin compares client ID, client secret and redirect address with those at the provider.',
    'admin',
    false,
    503,
  ),
  'sign_in.response_refused': entry(
    "The identity provider's answer was not the one to this sign-in.",
    'Sign in again; if it stays so, an admin compares the issuer with the one at the provider.',
    'admin',
    false,
    403,
  ),
  'sign_in.no_role': entry(
    'You are known at the identity provider, but no group of yours has a role in Odette.',
    'Ask an admin to put you into such a group, then sign in again.',
    'user',
    false,
    403,
  ),
  'sign_in.disabled': entry(
    'An admin of Odette has disabled you.',
    'Ask an admin of Odette.',
    'user',
    false,
    403,
  ),

  // Library
  'library.confirmation_needed': entry(
    'Turning Okta Device Trust on must be confirmed.',
    "Confirm that the item's own managed app configuration gives way.",
    'admin',
    false,
    422,
  ),
  'library.blueprint_taken': entry(
    'A blueprint has another Okta Verify item already.',
    'Unassign it there first.',
    'admin',
    false,
    409,
  ),

  // Okta
  'okta.not_okta': entry(
    'This address is not an Okta tenant.',
    'Enter the tenant address, e.g. acme.okta.com.',
    'admin',
    false,
    422,
  ),
  'okta.host_not_allowed': entry(
    'This host may not be called.',
    'Use a public host, or allow the private one (ODETTE_ALLOWED_PRIVATE_HOSTS).',
    'admin',
    false,
    422,
  ),
  'okta.classic_engine': entry(
    'This tenant runs Okta Classic Engine; FastPass needs Identity Engine.',
    'Upgrade the tenant to Okta Identity Engine.',
    'admin',
    false,
    422,
  ),
  'okta.unreachable': entry(
    'Okta could not be reached.',
    'Nothing; Odette tries again. If it lasts: check DNS, proxy and status.okta.com.',
    'nobody',
    true,
    502,
  ),
  'okta.unexpected_response': entry(
    'Okta answered something that was not expected.',
    'Check the address; if it is right, report it.',
    'operator',
    false,
    502,
  ),
  'okta.rate_limited': entry(
    'Okta asks to slow down.',
    'Nothing; Odette waits as long as Okta says.',
    'nobody',
    true,
    503,
  ),
  'okta.client_id_unknown': entry(
    'Okta does not know this client ID.',
    'Copy the client ID again; check that it belongs to this tenant.',
    'admin',
    false,
    422,
  ),
  'okta.client_secret_wrong': entry(
    'Okta refuses the client secret.',
    'Copy it again, or create a new secret in Okta.',
    'admin',
    false,
    422,
  ),
  'okta.client_refused': entry(
    'Okta refuses these client credentials.',
    'Check client ID and secret or key.',
    'admin',
    false,
    422,
  ),
  'okta.key_required': entry(
    'This app needs a key pair, not a client secret.',
    'Choose "API Services app" and paste the public key into Okta.',
    'admin',
    false,
    422,
  ),
  'okta.key_refused': entry(
    'Okta does not accept the key of this app.',
    'Paste the public key that Odette shows into the app in Okta, and check the client ID.',
    'admin',
    false,
    422,
  ),
  'okta.wrong_app_type': entry(
    'This client is not a service app.',
    'Use an API service integration or an API Services app.',
    'admin',
    false,
    422,
  ),
  'okta.scope_not_granted': entry(
    'Okta has not granted the needed scopes.',
    'Grant okta.devices.manage, okta.devices.read, okta.authenticators.read.',
    'admin',
    false,
    422,
  ),
  'okta.dpop_required': entry(
    'This app demands DPoP.',
    'Switch off "Require Demonstrating Proof of Possession" in the app.',
    'admin',
    false,
    422,
  ),
  'okta.network_zone': entry(
    'Okta refuses requests from this network.',
    "Add this server's address to the allowed network zone.",
    'admin',
    false,
    422,
  ),
  'okta.access_denied': entry(
    'Okta denies the access.',
    'Check the admin role and the scopes of the app.',
    'admin',
    false,
    422,
  ),
  'okta.token_invalid': entry(
    'Okta refuses the access token.',
    'Nothing; a new one is fetched once.',
    'nobody',
    true,
    502,
  ),
  'okta.not_found': entry(
    'Okta does not know what was asked for.',
    'Nothing, if it was deleted in Okta; else check the address.',
    'operator',
    false,
    404,
  ),
  'okta.device_gone': entry(
    'The device was deleted in Okta.',
    'Nothing; a new certificate is issued.',
    'nobody',
    false,
    410,
  ),
  'okta.challenge_credentials_refused': entry(
    'Okta refuses the challenge user name or password.',
    'Reset the password in Okta > Device integrations and enter it in Odette.',
    'admin',
    false,
    422,
  ),
  'okta.challenge_url_gone': entry(
    'The challenge URL does not exist (any more).',
    'Check the macOS platform in Okta > Device integrations.',
    'admin',
    false,
    422,
  ),
  'okta.challenge_unexpected_page': entry(
    'The challenge URL answered a page without a challenge.',
    'Check the challenge URL; a proxy or sign-in page may be in between.',
    'admin',
    false,
    422,
  ),
  'okta.scep_unexpected_response': entry(
    'The SCEP URL does not answer GetCACert.',
    'Copy the SCEP URL again from Okta > Device integrations.',
    'admin',
    false,
    422,
  ),
  'okta.scep_unreachable': entry(
    'The SCEP URL could not be reached.',
    'Nothing; Odette tries again. If it lasts: check the SCEP URL.',
    'nobody',
    true,
    502,
  ),

  // Apple push, Apps and Books
  'apns.certificate_missing': entry(
    'There is no push certificate.',
    'odette push-certificate set FILE --access-rights trust-only (or full)',
    'admin',
    false,
    422,
  ),
  'apns.certificate_refused': entry(
    'Apple refuses the push certificate.',
    'Renew it at identity.apple.com/pushcert (renew, never replace) and upload it.',
    'admin',
    false,
    502,
  ),
  'apns.certificate_invalid': entry(
    'This is not a usable push certificate.',
    'Upload certificate and key as PEM or PKCS#12.',
    'admin',
    false,
    422,
  ),
  'apns.other_topic': entry(
    'Devices are enrolled with another topic than that of this push certificate.',
    'Choose Renew, never Create, at identity.apple.com/pushcert, with the Apple Account of the present one. Only if that account is lost: ' +
      'confirm the other topic, and enroll every device again.',
    'admin',
    false,
    409,
  ),
  'apns.access_rights_missing': entry(
    'Nobody has chosen yet what enrolled devices let Odette do.',
    'Choose `trust_only` (nobody can ever lock or erase a device through this enrollment) or `full` (people read that all data may be ' +
      'erased). It cannot be changed for enrolled devices.',
    'admin',
    false,
    422,
  ),
  'apns.access_rights_fixed': entry(
    'The access rights of this topic were chosen before and cannot be changed.',
    'Leave `accessRights` out to keep them. Other rights need a push certificate with another topic, and every device enrolls again.',
    'admin',
    false,
    409,
  ),
  'apns.token_gone': entry(
    'Apple no longer knows this device for this topic.',
    'The device must be enrolled again.',
    'operator',
    false,
    502,
  ),
  'apns.unreachable': entry(
    'Apple push could not be reached.',
    'Nothing; Odette tries again.',
    'nobody',
    true,
    502,
  ),
  'apns.unexpected_response': entry(
    'Apple push answered something that was not expected.',
    'Report it.',
    'operator',
    false,
    502,
  ),
  'apns.rate_limited': entry('Apple push asks to slow down.', 'Nothing; Odette waits.', 'nobody', true, 503),
  'apps_and_books.token_missing': entry(
    'There is no Apps and Books token.',
    'odette apps-and-books set FILE',
    'admin',
    false,
    422,
  ),
  'apps_and_books.token_invalid': entry(
    'This is not an Apps and Books token.',
    'Download the server token of your location in Apple Business Manager.',
    'admin',
    false,
    422,
  ),
  'apps_and_books.token_refused': entry(
    'Apple refuses the Apps and Books token.',
    'Download a new server token in Apple Business Manager.',
    'admin',
    false,
    502,
  ),
  'apps_and_books.no_license_left': entry(
    'No license of Okta Verify is left.',
    'Get more licenses of Okta Verify in Apple Business Manager.',
    'admin',
    true,
    422,
  ),
  'apps_and_books.association_pending': entry(
    'Apple is still assigning the license.',
    'Nothing; Odette waits.',
    'nobody',
    true,
    503,
  ),
  'apps_and_books.association_failed': entry(
    'Apple could not assign the license.',
    'Look at the device in Apple Business Manager; then replay.',
    'operator',
    false,
    502,
  ),
  'apps_and_books.unreachable': entry(
    'Apps and Books could not be reached.',
    'Nothing; Odette tries again.',
    'nobody',
    true,
    502,
  ),
  'apps_and_books.rate_limited': entry(
    'Apps and Books asks to slow down.',
    'Nothing; Odette waits.',
    'nobody',
    true,
    503,
  ),
  'apps_and_books.unexpected_response': entry(
    'Apps and Books answered something that was not expected.',
    'Report it.',
    'operator',
    false,
    502,
  ),

  // The device
  'mdm.profile_refused': entry(
    'The device refuses a profile.',
    'See the error chain of the step; then replay.',
    'operator',
    false,
    502,
  ),
  'mdm.profile_absent': entry(
    'The profile to be removed is not on the device.',
    'Nothing; it is what was wanted.',
    'nobody',
    false,
    404,
  ),
  'mdm.command_refused': entry(
    'The device refuses a command.',
    'See the error chain of the step; then replay.',
    'operator',
    false,
    502,
  ),
  'mdm.not_enrolled': entry(
    'The device is not enrolled.',
    'Enroll it with the enrollment link.',
    'operator',
    false,
    409,
  ),
  'mdm.device_silent': entry(
    'The device has not answered.',
    'Switch it on and connect it. The rollout starts again when it is heard of.',
    'user',
    false,
    504,
  ),
  'mdm.user_refused_app': entry(
    'The user refused the installation of Okta Verify.',
    'Ask the user to accept; then replay.',
    'user',
    false,
    409,
  ),
  'mdm.license_not_found': entry(
    'The device found no license for Okta Verify.',
    'Nothing; the license is assigned again.',
    'nobody',
    true,
    502,
  ),
  'mdm.app_not_installed': entry(
    'Okta Verify did not become managed on the device.',
    'Look at the device; then replay.',
    'operator',
    false,
    504,
  ),
  'mdm.app_not_from_app_store': entry(
    'Okta Verify on this Mac is not the one of the App Store.',
    'Remove the downloaded package; Okta Device Trust needs the App Store app.',
    'operator',
    false,
    409,
  ),
  'mdm.identity_refused': entry(
    'This identity does not belong to the device.',
    'Enroll the device again with a fresh code.',
    'operator',
    false,
    403,
  ),
  'mdm.signature_refused': entry(
    'The message is not signed by the device it names.',
    'Nothing; it is refused and recorded.',
    'nobody',
    false,
    400,
  ),
  'mdm.message_unreadable': entry(
    'The message could not be read.',
    'Nothing; it is kept for inspection.',
    'nobody',
    false,
    400,
  ),
  'enrollment.code_refused': entry(
    'This enrollment code is wrong, used up, revoked or expired.',
    'Ask your admin for a new code.',
    'user',
    false,
    403,
  ),
  'enrollment.takeover_refused': entry(
    'This device asks to enroll again, but its earlier enrollment has not ended.',
    'Allow or refuse it on the device\'s page, or with "odette device allow-return".',
    'admin',
    false,
    403,
  ),

  // Certificates
  'scep.challenge_expired': entry(
    'The challenge grew old before the device used it.',
    'Nothing; a new one is fetched.',
    'nobody',
    true,
    504,
  ),
  'scep.enrollment_failed': entry(
    'The device could not get its certificate.',
    "Nothing; Odette tries again. If it lasts: check the authority and the device's network.",
    'nobody',
    true,
    502,
  ),
  'scep.request_refused': entry(
    'The certificate request was refused.',
    'See the log of the request.',
    'operator',
    false,
    400,
  ),
  'certificate.unreadable': entry(
    'This is not a certificate, or its password is wrong.',
    'Check the file (PEM, DER or PKCS#12) and its password.',
    'admin',
    false,
    422,
  ),
  'certificate.not_seen': entry(
    'The certificate is not on the device.',
    'Nothing; it is delivered again.',
    'nobody',
    true,
    504,
  ),
  'certificate.not_renewed': entry(
    'The certificate was not renewed in time.',
    'Switch the device on and connect it; Odette tries until it works.',
    'user',
    true,
    504,
  ),

  // Odette's own
  'secrets.key_missing': entry(
    'The key that sealed a secret is missing.',
    'Put the key file back (ODETTE_KEY_FILE).',
    'operator',
    false,
    500,
  ),
  'secrets.key_file_exposed': entry(
    'The key file can be read by others, or belongs to another user.',
    'Give the key file (ODETTE_KEY_FILE) to the user that Odette runs as, with mode 600.',
    'operator',
    false,
    500,
  ),
  'secrets.key_file_unreadable': entry(
    'The key file is not a key ring.',
    'Restore the key file from its backup.',
    'operator',
    false,
    500,
  ),
  'secrets.not_found': entry(
    'There is no secret under this handle.',
    'Enter the secret again.',
    'admin',
    false,
    409,
  ),
  'secrets.other_address': entry(
    'This secret was entered for another address.',
    'Enter the secret again: Odette never sends a stored secret to a new address.',
    'admin',
    false,
    422,
  ),
  'secrets.other_owner': entry(
    'A secret belongs to something else than what asked for it, or is of another kind.',
    'Find out who reaches the Temporal server: Odette itself does not ask so.',
    'operator',
    false,
    409,
  ),
  'secrets.tampered': entry(
    'A sealed secret does not open.',
    'Restore database and key file from the same backup.',
    'operator',
    false,
    500,
  ),
  'temporal.unauthenticated': entry(
    'Something that Odette did not seal reached Temporal; it was refused.',
    'Find out who reaches the Temporal server; its ports belong to Odette alone.',
    'operator',
    false,
    500,
  ),
  'store.unavailable': entry(
    'The database is not answering.',
    'Nothing is lost; Odette tries again.',
    'operator',
    true,
    503,
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type FailureCode = keyof typeof FAILURES;

export const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

/** The code of an error, a stored text or the type of a Temporal failure; anything unknown is Odette's own failure. */
export function failureCodeOf(cause: unknown): FailureCode {
  const code = cause instanceof CataloguedError ? cause.code : cause;
  return typeof code === 'string' && isFailureCode(code) ? code : 'server.failed';
}

/**
 * Thrown by adapters. `message` is safe to log: it never holds a response body, a URL with a secret, or a secret.
 * `retryAfterMs`: the other side said how long to wait, in milliseconds.
 */
export class CataloguedError extends Error {
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;
  /** Extra facts, safe to show: e.g. {status: 429}. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: FailureCode,
    options: {
      readonly retryAfterMs?: number;
      readonly facts?: Readonly<Record<string, string | number | boolean>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(
      `${code}: ${FAILURES[code].title}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'CataloguedError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.facts = options.facts ?? {};
  }
}
