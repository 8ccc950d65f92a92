// The catalogue of failures: code, title, remedy, owner, and whether Odette retries.
// Long, because it is one table and nothing else: one place keeps codes unique and texts consistent.
// Codes are `area.what_happened`. Adapters throw an error with a `code`; activities/as-failure.ts makes Temporal's failure of it,
// api/http/problem.ts an HTTP answer; docs/errors.md is generated from here. Nobody matches text.

type Owner = 'nobody' | 'admin' | 'user' | 'operator';

export interface CatalogueEntry {
  /** What happened, one sentence in the present tense. */
  readonly title: string;
  /** What the owner does next, as a request. */
  readonly remedy: string;
  /** Odette retries automatically. */
  readonly isRetried: boolean;
  readonly owner: Owner;
  /** HTTP status when an API call ends with it. */
  readonly status: number;
  /** Where Odette goes on by itself: what to do when that does not help, as a request. */
  readonly ifItPersists?: string;
}

const entry = (
  title: string,
  remedy: string,
  owner: Owner,
  isRetried: boolean,
  status: number,
): CatalogueEntry => ({ title, remedy, isRetried, owner, status });

/** What Odette sees to by itself. `does`: how. */
const byItself = (
  title: string,
  does: string,
  isRetried: boolean,
  status: number,
  ifItPersists?: string,
): CatalogueEntry => ({
  title,
  remedy: [`No action needed. ${does}`, ...persisting(ifItPersists)].join(' '),
  isRetried,
  owner: 'nobody',
  status,
  ...(ifItPersists !== undefined && { ifItPersists }),
});

/** What passes by itself: a workflow that meets it tries again, with no end. */
const passing = (title: string, status: number, ifItPersists?: string): CatalogueEntry =>
  byItself(title, 'Odette retries automatically.', true, status, ifItPersists);

const persisting = (request: string | undefined): readonly string[] =>
  request === undefined ? [] : [`If this persists, ${request.slice(0, 1).toLowerCase()}${request.slice(1)}`];

export const FAILURES = {
  // The request itself
  'request.invalid': entry('The request is invalid.', 'Correct the fields in `errors`.', 'admin', false, 400),
  'request.unsupported_media_type': entry(
    'Unsupported media type.',
    'Send JSON (application/json).',
    'admin',
    false,
    415,
  ),
  'request.wrong_host': entry(
    'This host is not the console.',
    'Open the console at the address in ODETTE_CONSOLE_URL, or set that variable to the address in use.',
    'operator',
    false,
    421,
  ),
  'request.too_large': entry('The request body is too large.', 'Send a smaller body.', 'admin', false, 413),
  'request.not_found': entry('Not found.', 'Check the path and the ID in it.', 'admin', false, 404),
  'request.method_not_allowed': entry(
    'Method not allowed.',
    'Use a method listed in the `Allow` header.',
    'admin',
    false,
    405,
  ),
  'request.not_signed_in': entry(
    'Authentication required.',
    'Sign in, or send an API token: `Authorization: Bearer TOKEN`.',
    'admin',
    false,
    401,
  ),
  'request.not_allowed': entry(
    'Your role does not allow this.',
    'Ask an admin for a higher role.',
    'admin',
    false,
    403,
  ),
  'request.too_many': entry(
    'Too many requests.',
    'Wait as long as the `Retry-After` header says.',
    'nobody',
    true,
    429,
  ),
  'request.idempotency_key_reused': entry(
    'This Idempotency-Key belongs to a different request.',
    'Use a new key for a new request.',
    'admin',
    false,
    422,
  ),
  'request.changed_meanwhile': entry(
    'Someone else changed this in the meantime.',
    'Reload, then repeat your change.',
    'admin',
    false,
    412,
  ),
  'request.conflict': entry(
    'The request conflicts with the current state.',
    'Reload; `detail` names the conflict.',
    'admin',
    false,
    409,
  ),
  'server.unavailable': entry(
    'A component of Odette does not respond.',
    'No data is lost. Try again shortly; `odette status` names the component.',
    'operator',
    true,
    503,
  ),
  'server.failed': entry(
    'Internal error.',
    'Report this error with its request ID. For a rollout, include the related lines of the worker log.',
    'operator',
    false,
    500,
  ),

  // Setup
  'setup.wrong_step': entry(
    'The setup is at another step.',
    'Continue at the step in `detail`.',
    'admin',
    false,
    409,
  ),
  'setup.check_running': entry(
    'A check of this setup is still running.',
    'Wait until the check finishes, then answer.',
    'admin',
    false,
    409,
  ),
  'setup.prerequisites_missing': entry(
    'Some prerequisites are missing in Okta.',
    'Fix the listed prerequisites in Okta, then check again.',
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
    'This Okta tenant is already connected.',
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
    'This Okta tenant is not the one this integration belongs to.',
    'Start a new setup for the other tenant.',
    'admin',
    false,
    422,
  ),

  // People
  'people.sign_in_refused': entry(
    'The user name or password is wrong.',
    'Try again, or ask an admin for a new password.',
    'admin',
    false,
    401,
  ),
  'people.code_needed': entry(
    'Enter the code of your authenticator app.',
    'Enter the six digits that the app shows now, or one of your recovery codes.',
    'user',
    false,
    401,
  ),
  'people.code_refused': entry(
    'The code is wrong, expired or already used.',
    'Wait for the next code of the app, or use a recovery code. An admin can turn off your second factor.',
    'user',
    false,
    401,
  ),
  'people.second_factor_required': entry(
    'Odette requires a second factor for local accounts.',
    'Open Account in the console and set up an authenticator app.',
    'user',
    false,
    403,
  ),
  'people.first_run_refused': entry(
    'This first-run link is wrong, expired or already used.',
    'Use the link that Odette printed at its last start, or sign in.',
    'admin',
    false,
    403,
  ),
  'people.last_admin': entry(
    'Odette needs at least one local admin.',
    'Create another local admin first.',
    'admin',
    false,
    409,
  ),

  // Signing in through the identity provider
  'sign_in.attempt_over': entry(
    'This sign-in expired, is already complete, or started in another browser.',
    'Sign in again.',
    'user',
    false,
    400,
  ),
  'sign_in.provider_unreachable': entry(
    'The identity provider does not respond.',
    'Try again shortly, or sign in with a local account.',
    'admin',
    false,
    503,
  ),
  'sign_in.host_not_allowed': entry(
    'The identity provider has a private address, which Odette does not call.',
    'Use a public address, or add this one to ODETTE_ALLOWED_PRIVATE_HOSTS.',
    'admin',
    false,
    503,
  ),
  'sign_in.provider_refused': entry(
    'The identity provider did not sign you in.',
    'Sign in as a user to whom Odette is assigned, or ask an admin of the identity provider.',
    'user',
    false,
    403,
  ),
  'sign_in.client_refused': entry(
    'The identity provider rejected the client credentials of Odette.',
    'Compare the client ID, client secret and redirect URI with the ones at the provider.',
    'admin',
    false,
    503,
  ),
  'sign_in.response_refused': entry(
    'The response of the identity provider does not belong to this sign-in.',
    'Sign in again. If that fails, ask an admin to compare the issuer in Odette with the one at the provider.',
    'admin',
    false,
    403,
  ),
  'sign_in.no_role': entry(
    'None of your groups has a role in Odette.',
    'Ask an admin to add you to a group with a role, then sign in again.',
    'user',
    false,
    403,
  ),
  'sign_in.disabled': entry(
    'An admin disabled your account.',
    'Ask an Odette admin to enable it.',
    'user',
    false,
    403,
  ),

  // Library
  'library.confirmation_needed': entry(
    'Turning on Okta Device Trust needs a confirmation.',
    "Confirm that Okta Device Trust overrides the item's own managed app configuration.",
    'admin',
    false,
    422,
  ),
  'library.policy_in_force': entry(
    'A policy in Okta that requires managed devices would lock users out.',
    'Lift the policy in Okta for these users first (the page Enforcement readiness names them). Then confirm that it is lifted.',
    'admin',
    false,
    422,
  ),
  'removal.not_confirmed': entry(
    'The removal was not confirmed.',
    'Type the text exactly as the preview shows it.',
    'admin',
    false,
    422,
  ),
  'removal.policy_in_force': entry(
    'A policy in Okta that requires managed devices would deny access from these devices.',
    'Lift the policy in Okta first: Security > Authentication Policies. Then confirm that it is lifted.',
    'admin',
    false,
    422,
  ),
  'library.blueprint_taken': entry(
    'A blueprint already has another Okta Verify item.',
    'Unassign that item from the blueprint first.',
    'admin',
    false,
    409,
  ),

  // Okta
  'okta.not_okta': entry(
    'There is no Okta tenant at this address.',
    'Enter the domain of the tenant, for example acme.okta.com.',
    'admin',
    false,
    422,
  ),
  'okta.host_not_allowed': entry(
    'Odette does not call this host.',
    'Use a public host, or add this one to ODETTE_ALLOWED_PRIVATE_HOSTS.',
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
  'okta.unreachable': passing('Odette cannot reach Okta.', 502, 'Check DNS, the proxy and status.okta.com.'),
  'okta.unexpected_response': entry(
    'Okta sent an unexpected response.',
    'Check the address. If it is correct, report this error.',
    'operator',
    false,
    502,
  ),
  'okta.rate_limited': passing('Okta is rate-limiting requests.', 503),
  // Notifications
  'notify.address_refused': entry(
    'Odette does not send notifications to this address.',
    'Use a public https address or mail server, or add a private one to ODETTE_ALLOWED_PRIVATE_HOSTS.',
    'admin',
    false,
    422,
  ),
  'notify.unreachable': entry(
    'The receiver of a notification does not respond.',
    'Check its address, DNS, the proxy and the receiver. Odette retries for a day.',
    'admin',
    true,
    503,
  ),
  'notify.refused': entry(
    'The receiver rejected a notification.',
    'Check the receiver; the delivery shows its response. Odette retries for a day.',
    'admin',
    true,
    502,
  ),
  'notify.credentials_refused': entry(
    'The mail server rejected the user name or password.',
    'Enter them again under Settings > Notifications. Odette retries for a day.',
    'admin',
    true,
    502,
  ),
  'notify.tls_refused': entry(
    'The receiver of a notification does not offer TLS that Odette accepts.',
    'Check its certificate and host name; for email, also check the port and the kind of TLS. Odette retries for a day.',
    'admin',
    true,
    502,
  ),
  'notify.gone': entry(
    'The receiver no longer exists (HTTP 410), so Odette turned the target off.',
    'Correct the address and turn the target on again, or delete it.',
    'admin',
    false,
    410,
  ),
  'notify.not_delivered': entry(
    'Notifications do not arrive.',
    'Open Settings > Notifications, where each target shows its last deliveries. Correct the failing target and send a test.',
    'admin',
    true,
    503,
  ),
  'okta.client_id_unknown': entry(
    'Okta does not know this client ID.',
    'Copy the client ID again, and check that it belongs to this tenant.',
    'admin',
    false,
    422,
  ),
  'okta.client_secret_wrong': entry(
    'Okta rejected the client secret.',
    'Copy the client secret again, or create a new one in Okta.',
    'admin',
    false,
    422,
  ),
  'okta.client_refused': entry(
    'Okta rejected the client credentials.',
    'Check the client ID and the client secret or key.',
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
    'Okta rejected the key of this app.',
    'Paste the public key that Odette shows into the app in Okta, and check the client ID.',
    'admin',
    false,
    422,
  ),
  'okta.clock_off': entry(
    "The clock of this server differs from Okta's, so Okta rejects what Odette signs.",
    'Set the clock of the server (NTP), then check again. The key is not the cause.',
    'operator',
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
    'The Okta app lacks required scopes.',
    'Grant okta.devices.manage, okta.devices.read, okta.authenticators.read.',
    'admin',
    false,
    422,
  ),
  'okta.dpop_refused': entry(
    'Okta rejected the proof of possession (DPoP).',
    'Check the clock of this server: proofs are valid for minutes. If the clock is right, report this error.',
    'admin',
    false,
    422,
  ),
  'okta.network_zone': entry(
    'Okta rejects requests from this network.',
    'Add the IP address of this server to the allowed network zone in Okta.',
    'admin',
    false,
    422,
  ),
  'okta.access_denied': entry(
    'Okta denied access.',
    'Check the admin role and the scopes of the app.',
    'admin',
    false,
    422,
  ),
  'okta.token_invalid': byItself(
    'Okta rejected the access token.',
    'Odette requests a new token.',
    true,
    502,
  ),
  'okta.not_found': entry(
    'Okta does not have the requested object.',
    'Check the address, unless someone deleted the object in Okta.',
    'operator',
    false,
    404,
  ),
  'okta.device_gone': byItself(
    'Someone deleted the device in Okta.',
    'Odette requests a new certificate.',
    false,
    410,
  ),
  'okta.challenge_credentials_refused': entry(
    'Okta rejected the user name or password of the challenge URL.',
    'Enter the current user name and password of the macOS platform (Okta > Device integrations) in Odette. Reset the password only if nobody has it: after a reset, everything that uses this platform needs the new one.',
    'admin',
    false,
    422,
  ),
  'okta.challenge_denied': entry(
    'The challenge URL denied the request of this server (403).',
    'Check what blocks the request: a network zone in Okta, a firewall or a proxy. The password is not the cause.',
    'admin',
    false,
    422,
  ),
  'okta.challenge_url_gone': entry(
    'The challenge URL does not exist.',
    'Check the macOS platform in Okta > Device integrations.',
    'admin',
    false,
    422,
  ),
  'okta.challenge_unexpected_page': entry(
    'The challenge URL returned a page without a challenge.',
    'Check the challenge URL. A proxy or a sign-in page may intercept the request.',
    'admin',
    false,
    422,
  ),
  'okta.scep_unexpected_response': entry(
    'The SCEP URL does not respond to GetCACert.',
    'Copy the SCEP URL again from Okta > Device integrations.',
    'admin',
    false,
    422,
  ),
  'okta.scep_unreachable': passing('Odette cannot reach the SCEP URL.', 502, 'Check the SCEP URL.'),

  // Apple push, Apps and Books
  'apns.certificate_missing': entry(
    'No push certificate is uploaded.',
    'Upload one under Settings, or run `odette push-certificate set FILE`.',
    'admin',
    false,
    422,
  ),
  'apns.certificate_refused': entry(
    'Apple rejected the push certificate.',
    'Renew it at identity.apple.com/pushcert (renew, never replace) and upload it.',
    'admin',
    false,
    502,
  ),
  'apns.certificate_invalid': entry(
    'The file is not a valid push certificate with its private key.',
    'Upload the certificate and its private key as PEM or PKCS#12.',
    'admin',
    false,
    422,
  ),
  'apns.key_unknown': entry(
    'Odette has no private key for this push certificate.',
    "Upload the certificate that Apple issued for Odette's request (`odette push-certificate request`), or add its private key.",
    'admin',
    false,
    422,
  ),
  'apns.request_missing': entry(
    'There is no push certificate request.',
    'Make one under Settings, or run `odette push-certificate request`.',
    'admin',
    false,
    404,
  ),
  'apns.vendor_certificate_invalid': entry(
    'Odette cannot sign the request with this MDM vendor certificate.',
    "Provide the vendor certificate with its private key, and the certificates between it and Apple's root (apple.com/certificateauthority).",
    'admin',
    false,
    422,
  ),
  'apns.signed_request_invalid': entry(
    'Apple would refuse this signed request.',
    'Send the request to the signing service again, or let another MDM vendor sign it.',
    'admin',
    false,
    422,
  ),
  'apns.signing_service_unreachable': entry(
    'Odette cannot reach the signing service for push certificate requests.',
    'Try again later, or let another MDM vendor sign the request.',
    'admin',
    false,
    502,
  ),
  'apns.signing_service_refused': entry(
    'The signing service refused the push certificate request.',
    'Register the email address there (a work address; free mail is refused), and check the key that its operators gave you.',
    'admin',
    false,
    502,
  ),
  'apns.other_topic': entry(
    'Enrolled devices use a different push topic than this certificate.',
    'Choose Renew, never Create, at identity.apple.com/pushcert, with the Apple Account of the current certificate. Only if you lost that account: ' +
      'confirm the new topic and enroll every device again.',
    'admin',
    false,
    409,
  ),
  'apns.access_rights_missing': entry(
    'The first push certificate needs a choice of access rights.',
    'Choose `trust_only` (nobody can ever lock or erase a device through this enrollment) or `full` (the enrollment screen says that ' +
      'all data may be erased). Enrolled devices keep this choice.',
    'admin',
    false,
    422,
  ),
  'apns.access_rights_fixed': entry(
    'The access rights of this topic cannot be changed.',
    'Leave `accessRights` out to keep them. Other rights need a push certificate with another topic, and every device enrolls again.',
    'admin',
    false,
    409,
  ),
  'apns.token_gone': entry(
    'Apple no longer accepts the push token of this device.',
    'Enroll the device again.',
    'operator',
    false,
    502,
  ),
  'apns.unreachable': passing('Odette cannot reach the Apple Push Notification service.', 502),
  'apns.unexpected_response': entry(
    'The Apple Push Notification service sent an unexpected response.',
    'Report this error.',
    'operator',
    false,
    502,
  ),
  'apns.rate_limited': passing('Apple is rate-limiting push notifications.', 503),
  'channel.unreachable': passing(
    'Odette cannot reach the other MDM server.',
    502,
    'Check the address of the channel, and that the server runs.',
  ),
  'channel.host_not_allowed': entry(
    'Odette does not call this MDM server.',
    'Add its host to ODETTE_ALLOWED_PRIVATE_HOSTS, and use https:// unless it is on this machine.',
    'admin',
    false,
    422,
  ),
  'channel.key_refused': entry(
    'The other MDM server rejects the API key of the channel.',
    'Enter the API key of that server in the channel.',
    'admin',
    true,
    422,
  ),
  'channel.unexpected_response': entry(
    'The other MDM server sent an unexpected response.',
    'Check that the address of the channel leads to the API of a supported version.',
    'admin',
    true,
    502,
  ),
  'channel.command_refused': entry(
    'The other MDM server rejected a command.',
    'Check that the device is enrolled in that server, and read its log.',
    'operator',
    true,
    502,
  ),
  'channel.role_refused': entry(
    'The user of the API key does not have the required role in the other MDM server.',
    'Give that user a role that may run MDM commands (in Fleet: maintainer or admin).',
    'admin',
    true,
    422,
  ),
  'channel.rate_limited': passing('The other MDM server is rate-limiting requests.', 503),
  'channel.push_failed': entry(
    'The other MDM server could not wake the device.',
    'Check the push certificate of that server. The device gets its commands at its next check-in.',
    'operator',
    true,
    502,
  ),
  'channel.webhook_refused': entry(
    'The webhook is not signed with the key of the channel.',
    'Set the same key in the channel and in `-webhook-hmac-key` of the other MDM server.',
    'admin',
    false,
    400,
  ),
  'tls.certificate_expires': entry(
    'The TLS certificate for devices expires soon, or has expired.',
    'Renew it. Odette reloads ODETTE_TLS_CERT_FILE and ODETTE_TLS_KEY_FILE when they change. If a proxy terminates TLS, renew the certificate there.',
    'admin',
    false,
    502,
  ),
  'tls.not_accepted': entry(
    'Apple devices do not accept the TLS connection of the public URL.',
    'Configure TLS 1.3, or TLS 1.2 with ECDHE and extended master secret, and a valid certificate for its host name.',
    'admin',
    false,
    502,
  ),
  'apps_and_books.token_missing': entry(
    'No Apps and Books token is uploaded.',
    'Upload one under Settings, or run `odette apps-and-books set FILE`.',
    'admin',
    false,
    422,
  ),
  'apps_and_books.token_invalid': entry(
    'The file is not an Apps and Books server token.',
    'Download the server token of your location in Apple Business Manager.',
    'admin',
    false,
    422,
  ),
  'apps_and_books.token_refused': entry(
    'Apple rejected the Apps and Books token.',
    'Download a new server token in Apple Business Manager.',
    'admin',
    false,
    502,
  ),
  'apps_and_books.held_by_other': entry(
    'Another MDM server uses this Apps and Books location.',
    'Use the token of a location that no other server uses: two servers on one location take licenses from each other. Or confirm that Odette takes over the location.',
    'admin',
    false,
    409,
  ),
  'apps_and_books.no_license_left': entry(
    'No Okta Verify license is available.',
    'Get more Okta Verify licenses in Apple Business Manager.',
    'admin',
    true,
    422,
  ),
  'apps_and_books.association_failed': entry(
    'Apple could not assign the license.',
    'Check the device in Apple Business Manager, then replay the rollout.',
    'operator',
    false,
    502,
  ),
  'apps_and_books.unreachable': passing('Odette cannot reach Apps and Books.', 502),
  'apps_and_books.rate_limited': passing('Apple is rate-limiting Apps and Books requests.', 503),
  'apps_and_books.unexpected_response': entry(
    'Apps and Books sent an unexpected response.',
    'Report this error.',
    'operator',
    false,
    502,
  ),

  // The device
  'mdm.profile_refused': entry(
    'The device rejected a profile.',
    'Read the error that the device reported. Odette retries every day.',
    'operator',
    false,
    502,
  ),
  'mdm.profile_absent': byItself(
    'The profile is not on the device.',
    'Odette wanted to remove the profile anyway.',
    false,
    404,
  ),
  'mdm.command_refused': entry(
    'The device rejected a command.',
    'Read the error that the device reported. Odette retries every day.',
    'operator',
    false,
    502,
  ),
  'mdm.app_on_its_way': byItself(
    'Okta Verify is already being installed.',
    'Odette waits until the device manages it.',
    true,
    409,
    'Check the App Store on the device.',
  ),
  'mdm.app_already_installed': entry(
    'Okta Verify is installed, but the device does not manage it.',
    'Ask the user to accept the prompt to manage Okta Verify. Odette shows it again every day.',
    'user',
    true,
    409,
  ),
  'mdm.app_needs_account': entry(
    'The device asks for an Apple Account: no Okta Verify license is assigned to the device.',
    'Check in Apple Business Manager that the license is assigned to the serial number of the device. Odette retries every day.',
    'operator',
    false,
    409,
  ),
  'mdm.device_error_passes': passing(
    'The device cannot carry out a command at the moment.',
    502,
    'Read the error that the device reported.',
  ),
  'mdm.device_error_unknown': entry(
    'The device reported an error that Odette does not know.',
    'Read the error that the device reported. Odette retries every day.',
    'operator',
    true,
    502,
  ),
  'mdm.sso_host_claimed': entry(
    'Another profile on the device already claims this SSO host.',
    'Remove the single sign-on extension for this host from the other profile. Odette retries every day.',
    'operator',
    false,
    409,
  ),
  'devices.users_unreadable': entry(
    'The list of device users has errors.',
    'Correct the named lines. The first line names the columns: `id`, `udid` or `serialNumber`, and `user`. Odette changed nothing.',
    'operator',
    false,
    422,
  ),
  'mdm.not_enrolled': entry(
    'The device is not enrolled.',
    'Enroll the device with an enrollment link, or in its MDM server.',
    'operator',
    false,
    409,
  ),
  'rollout.canceled': entry(
    'An operator canceled the rollout in Temporal.',
    'Replay the rollout. Otherwise the daily check continues it.',
    'operator',
    true,
    409,
  ),
  'mdm.device_silent': entry(
    'The device has not responded.',
    'Turn the device on and connect it to the internet. The rollout restarts when the device checks in again.',
    'user',
    false,
    504,
  ),
  'mdm.user_refused_app': entry(
    'The user declined the installation of Okta Verify.',
    'Ask the user to accept Okta Verify, then replay the rollout.',
    'user',
    false,
    409,
  ),
  'mdm.license_not_found': byItself(
    'The device has no license for Okta Verify.',
    'Odette assigns the license again.',
    true,
    502,
    'Check in Apple Business Manager that the license is assigned to the serial number of the device.',
  ),
  'mdm.app_not_installed': entry(
    'Okta Verify is not installed as a managed app on the device.',
    'Check the App Store on the device. Odette retries every day.',
    'operator',
    false,
    504,
  ),
  'mdm.app_not_from_app_store': entry(
    'Okta Verify on this Mac was not installed from the App Store.',
    'If Platform SSO (Okta Device Access) needs the package, turn on "Okta Verify comes from elsewhere on Macs" in the library item: removing the package breaks Platform SSO. Otherwise remove the package; Odette then installs the App Store version.',
    'operator',
    false,
    409,
  ),
  'mdm.identity_refused': entry(
    'This identity certificate does not belong to the device.',
    'Enroll the device again with a new enrollment code.',
    'operator',
    false,
    403,
  ),
  'mdm.signature_refused': byItself(
    'The message is not signed by the device that it names.',
    'Odette rejects and logs the message.',
    false,
    400,
  ),
  'mdm.message_unreadable': byItself(
    'Odette cannot read the message.',
    'Odette keeps the message for inspection.',
    false,
    400,
    'Read the message with `odette device responses`.',
  ),
  'enrollment.platform_refused': entry(
    'This enrollment code is for another platform.',
    'Use a code that names the platform of this device.',
    'admin',
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
  'scep.enrollment_failed': passing(
    'The device cannot get its certificate.',
    502,
    'Check the certificate authority in Okta and the network of the device.',
  ),
  'scep.request_refused': entry(
    'Odette rejected the certificate request.',
    'Read the log entry of the request.',
    'operator',
    false,
    400,
  ),
  'certificate.unreadable': entry(
    'The file is not a certificate, or its password is wrong.',
    'Check the file (PEM, DER or PKCS#12) and its password.',
    'admin',
    false,
    422,
  ),
  'certificate.not_seen': byItself(
    'The certificate is not on the device.',
    'Odette delivers it again.',
    true,
    504,
    'Find out what removes or blocks the certificate on the device.',
  ),
  'certificate.gone_from_many': entry(
    'Many devices in scope lost their Okta certificate within a day.',
    'Find out what removed the certificates: a change on the devices, a change in Okta, or someone with access to Temporal or the database.',
    'operator',
    false,
    500,
  ),
  'okta.not_synced': entry(
    'No sync of devices from Okta has succeeded for some time.',
    'Read the cause in the alarm. A proxy, a captive portal or a firewall may respond in place of Okta. Odette retries automatically.',
    'operator',
    true,
    503,
  ),
  'okta.custom_domain_changed': entry(
    'The custom domain in Okta differs from the one on the devices.',
    'Check Customizations > Brands > Domains in Okta. Then change the Okta domain of the integration, or add the domain to its further custom domains. Until then, users who sign in at the new domain see a prompt to open Okta Verify.',
    'admin',
    false,
    409,
  ),
  'okta.authority_changed': entry(
    'The certificate of the authority behind the SCEP URL changed.',
    'Compare it with Okta admin console > Security > Device integrations > Certificate authority. If Okta renewed it, you have nothing to do in Odette. Otherwise, enter the SCEP URL of the macOS platform again.',
    'admin',
    false,
    409,
  ),
  'okta.many_lost_trust': entry(
    'Many devices lost "managed" in Okta within a short time, so Odette halted automatic re-issues.',
    'Find the cause in Okta. Then resume re-issues: on the page of the integration, or with `odette reissue resume`.',
    'operator',
    false,
    409,
  ),
  'certificate.not_renewed': entry(
    'The device did not renew the certificate in time.',
    'Turn the device on and connect it to the internet. Odette retries until the renewal succeeds.',
    'user',
    true,
    504,
  ),

  // Odette's own
  'secrets.key_missing': entry(
    'The key that encrypts a secret is missing.',
    'Restore the key file (ODETTE_KEY_FILE).',
    'operator',
    false,
    500,
  ),
  'secrets.key_file_exposed': entry(
    'Other users can read the key file, or it belongs to another user.',
    'Set the owner of the key file (ODETTE_KEY_FILE) to the user that runs Odette, and the file mode to 600.',
    'operator',
    false,
    500,
  ),
  'secrets.key_file_unreadable': entry(
    'The key file is damaged.',
    'Restore the key file from its backup.',
    'operator',
    false,
    500,
  ),
  'secrets.not_found': entry('The secret does not exist.', 'Enter the secret again.', 'admin', false, 409),
  'secrets.other_address': entry(
    'This secret was entered for another address.',
    'Enter the secret again: Odette never sends a stored secret to a new address.',
    'admin',
    false,
    422,
  ),
  'secrets.other_owner': entry(
    'A request named a secret of another owner or of another kind.',
    'Find out who can reach the Temporal server: Odette itself never makes such a request.',
    'operator',
    false,
    409,
  ),
  'secrets.replaced': byItself(
    'A rotation replaced the secret just before Odette used it.',
    'Odette retries automatically with the new secret.',
    true,
    503,
  ),
  'secrets.tampered': entry(
    'Odette cannot decrypt a stored secret.',
    'Restore the database and the key file from the same backup.',
    'operator',
    false,
    500,
  ),
  'temporal.restored': entry(
    'Someone paused, ended or replaced sweeps or workflows of Odette in Temporal; Odette restored them.',
    'If no operator did this, find out who can reach the Temporal server. To keep others out, use your own Temporal server with mTLS.',
    'operator',
    false,
    500,
  ),
  'temporal.workflow_stuck': entry(
    'A workflow is stuck: it runs but makes no progress.',
    'Run the command that the alarm shows for the workflow.',
    'operator',
    false,
    500,
  ),
  'temporal.newer_workflows': entry(
    'Workflows are running that only a newer version of Odette can continue.',
    'Start the newer version again. To stay on this one, reset the workflows first: see "Upgrade" in the operations guide.',
    'operator',
    false,
    500,
  ),
  'temporal.unauthenticated': entry(
    'Odette refused a message in Temporal that it did not encrypt itself.',
    'Find out who can reach the Temporal server. Only Odette may reach its ports.',
    'operator',
    false,
    500,
  ),
  'store.unavailable': entry(
    'The database does not respond.',
    'No data is lost. Check that PostgreSQL is running. Odette continues when the database responds.',
    'operator',
    true,
    503,
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type FailureCode = keyof typeof FAILURES;

/**
 * What somebody does whose own request ended with it. Odette retries its workflows, never a request.
 * @param retryAfterMs how long the other side asked to wait
 */
export function remedyOfRequest(code: FailureCode, retryAfterMs?: number): string {
  const { owner, isRetried, remedy, ifItPersists }: CatalogueEntry = FAILURES[code];
  if (!isRetried || owner !== 'nobody') return remedy;
  const wait = retryAfterMs === undefined ? 'a moment' : `${Math.ceil(retryAfterMs / 1_000)} seconds`;
  return [`Try again in ${wait}.`, ...persisting(ifItPersists)].join(' ');
}

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
