// What a field test may keep of an exchange with a real device or tenant: names and values from lists, and the form of everything else.

/** Published in the process by who talks (node:diagnostics_channel); nobody listens unless ODETTE_FIELD_TEST_DIR is set. */
export const EXCHANGE_CHANNEL = 'odette.exchange';

/** As it went over the wire, secrets and all: it never leaves the process. */
export type Exchange =
  | {
      readonly kind: 'device';
      readonly method: string;
      /** Path and query. */
      readonly url: string;
      readonly signature: string | undefined;
      readonly request: Uint8Array;
      readonly status: number;
      readonly response: Uint8Array;
    }
  | {
      readonly kind: 'okta';
      readonly method: string;
      readonly url: URL;
      readonly status: number;
      readonly contentType: string | undefined;
      readonly response: Uint8Array;
    };

/** Names that Apple and Okta publish. Another one is counted and not told: an admin may have made it up. */
const NAMES = new Set(
  `AdHocCodeSigned AppStoreVendable ApplicationConfigurations AvailableDeviceCapacity AwaitingConfiguration BetaApp BootstrapToken
  BuildVersion BundleSize CertificateList Challenge ChangeManagementState Command CommandUUID CommonName Configuration Data
  DeviceCapacity DeviceName DownloadCancelled DownloadFailed DownloadPaused DownloadWaiting DynamicSize Endpoint EnrollmentID
  EnrollmentUserID ErrorChain ErrorCode ErrorDomain ExternalVersionIdentifier HasConfiguration HasFeedback HasRemovalPasscode
  HasUpdateAvailable HostName IMEI Identifier Identifiers InstallAsManaged InstalledApplicationList Installing IsAppClip IsAppleSilicon
  IsEncrypted IsIdentity IsManaged IsSupervised IsValidated Item LocalizedDescription LocalHostName MEID ManagedApplicationList
  ManagedAppsOnly ManagedOnly ManagementFlags MessageType Model ModelName Name NotOnConsole OSVersion Options Payload PayloadContent
  PayloadDescription PayloadDisplayName PayloadIdentifier PayloadOrganization PayloadRemovalDisallowed PayloadType PayloadUUID
  PayloadVersion ProductName ProfileList PurchaseMethod PushMagic Queries QueryResponses RejectionReason RequestType SerialNumber
  Settings ShortVersion SignerCertificates Source State Status Token Topic UDID USEnglishDescription UnlockToken UserID UserLongName
  UserShortName Version iTunesStoreID com.okta.mobile
  _embedded _links access_token activate activated algorithm algorithms all allow alternate answer appInstanceId changePassword
  changeRecoveryQuestion channelBinding city clientVersion compliance costCenter countryCode created credentials deactivate department
  description device digestAlgorithm diskEncryptionType displayName division email employeeNumber error error_description errorCauses
  errorCode errorId errorLink errorSummary expirePassword expires_in fips firstName forgotPassword GET hash hints honorificPrefix
  honorificSuffix hook href id imei integrityJailbreak iterationCount key keyProtection keySize lastLogin lastName lastUpdated locale
  login managed managementStatus manager managerId manufacturer meid methods middleName mobilePhone model name nickName organization
  osVersion password passwordChanged payload payloadVersion pipeline platform POST postalAddress preferredLanguage primaryPhone profile
  profileUrl provider providers question reactivate realmId recovery_question registered required resetFactors resetPassword
  resourceAlternateId resourceDisplayName resourceId resourceType salt saltOrder schema scope screenLockType secondEmail
  secureHardwarePresent self sensitive serialNumber settings showSignInWithOV sid state status statusChanged streetAddress style
  suspend templated timeIntervalInSeconds passCodeLength encoding timezone title token_type tpmPublicKeyHash transitioningToStatus type udid unlock unsuspend user userId users
  userType userVerification value workFactor zipCode`.split(/\s+/),
);

/** Values that are kept where they have this form; the form leaves no room for anybody's name, number or secret. */
const VALUES: Readonly<Record<string, RegExp>> = {
  MessageType:
    /^(Authenticate|TokenUpdate|CheckOut|(Set|Get)BootstrapToken|UserAuthenticate|DeclarativeManagement|GetToken)$/,
  Status:
    /^(Idle|Acknowledged|Error|CommandFormatError|NotNow|Managed|Installing|Queued|Prompting|PromptingForManagement|ValidatingPurchase|ManagedButUninstalled|UserInstalledApp|UserRejected|ManagementRejected|Failed|Unknown)$/,
  State: /^(Queued|Installing|Managed|Prompting|PromptingForManagement|Failed|Unknown)$/,
  RequestType:
    /^(DeviceInformation|SecurityInfo|(Install|Remove)Profile|ProfileList|CertificateList|(Install|Remove)Application|(Managed|Installed)ApplicationList|ManagedApplicationConfiguration|Settings)$/,
  RejectionReason:
    /^(AppAlreadyInstalled|AppAlreadyQueued|AppStoreDisabled|CouldNotVerifyAppID|ManagementChangeNotSupported|NotAnApp|NotSupported|Other|PurchaseMethodNotSupported)$/,
  ErrorDomain:
    /^(MC[A-Za-z]{2,20}ErrorDomain|ASD(Server)?ErrorDomain|NS(URL|Cocoa|OSStatus|POSIX)ErrorDomain|MDMClientError|MDM-SCEP|SPErrorDomain)$/,
  ErrorCode: /^-?\d{1,6}$/,
  OSVersion: /^\d{2}(\.\d{1,2}){0,2}$/,
  BuildVersion: /^\d{2}[A-Z]\d{2,4}[a-z]?$/,
  ProductName: /^(Mac|MacBookPro|MacBookAir|iMac|Macmini|MacPro|VirtualMac|iPhone|iPad)\d{1,2},\d{1,2}$/,
  ManagementFlags: /^[0145]$/,
  PayloadType:
    /^(Configuration|com\.apple\.(mdm|security\.(scep|pem|root|pkcs1)|extensiblesso|loginitems\.managed|servicemanagement)|com\.okta\.mobile(\.auth-service-extension)?)$/,
  Identifier: /^com\.okta\.mobile$/,
  Item: /^ApplicationConfiguration$/,
  status: /^(ACTIVE|INACTIVE|CREATED|SUSPENDED|DEACTIVATED)$/,
  managementStatus: /^(MANAGED|NOT_MANAGED)$/,
  platform: /^(MACOS|IOS|ANDROID|WINDOWS|CHROMEOS)$/,
  errorCode: /^E\d{7}$/,
  error:
    /^(invalid_client|invalid_scope|invalid_request|invalid_grant|unauthorized_client|invalid_dpop_proof|use_dpop_nonce)$/,
  token_type: /^(Bearer|DPoP)$/,
  key: /^(okta_verify|okta_password|okta_email)$/,
  type: /^(signed_nonce|push|totp|app|password|email)$/,
};

/** The same form without what is anybody's. Booleans are kept; they are the answers that a field test is for. */
export function redact(value: unknown, name = ''): unknown {
  if (typeof value === 'boolean' || value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map((each) => redact(each, name));
  if (value instanceof Uint8Array) return `<data of ${value.length} bytes>`;
  if (value instanceof Date) return '<date>';
  if (typeof value === 'object') return redactFields(value);
  const text = String(value as string | number | bigint);
  if (VALUES[name]?.test(text) === true) return typeof value === 'bigint' ? text : value;
  return typeof value === 'string' ? (value === '' ? '' : '<text>') : '<number>';
}

function redactFields(fields: object): Record<string, unknown> {
  let unknown = 0;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      NAMES.has(name) ? [name, redact(value, name)] : [`<unknown ${(unknown += 1)}>`, redact(value)],
    ),
  );
}

const SEGMENTS = new Set(
  'api v1 devices users authenticators methods oauth2 token .well-known okta-organization integrations api-services lifecycle mdm scep enroll pki'.split(
    ' ',
  ),
);

/** `/api/v1/devices/guo4a5u7JHHhjXrMK0g4/users` → `/api/v1/devices/<id>/users` */
export const redactPath = (path: string): string =>
  path
    .split('/')
    .map((segment) => (segment === '' || SEGMENTS.has(segment) ? segment : '<id>'))
    .join('/');

/** Names of a page's elements, in order: the form of a page of which no word is kept. */
export const redactPage = (html: string): string[] =>
  [
    ...html.matchAll(
      /<(html|head|title|meta|link|body|table|tr|td|th|p|b|br|h1|h2|h3|div|span|form|input|center|font)\b/gi,
    ),
  ].map(([, name = '']) => name.toLowerCase());
