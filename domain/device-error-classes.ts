// What an error of a device means for what Odette does next. Pure.
// Apple warns that its numbers may change (archived MDM Protocol Reference, "Error Codes"), so an error that no row knows is retried for a
// day before a person is asked. Add a row where a public report or Apple's documentation shows an error that needs another next step.
// Long, because it is one table, a row with its source for each error.
import type { FailureCode } from './failures.ts';

interface DeviceErrorCause {
  readonly code: number;
  readonly domain: string;
  readonly description: string;
}

/** As a device reports it: the outermost cause first, the deepest last. */
export type DeviceErrorChain = readonly DeviceErrorCause[];

export type DeviceErrorClass =
  /** What was asked for is there already, or on its way: look, as after an acknowledgment. */
  | 'on_its_way'
  /** Passes by itself: retried over hours, within the integration's patience. */
  | 'passes'
  /** The license is assigned anew, then the command is retried. */
  | 'needs_license'
  /** The SCEP challenge is used up or expired: the next delivery fetches a fresh one. */
  | 'needs_challenge'
  /** Only the person at the device can change it. */
  | 'needs_user'
  /** The same command will be refused again: a person has to act. */
  | 'permanent'
  /** Retried for a day, then a person has to act. */
  | 'unknown';

export interface DeviceErrorRow {
  /** Exactly Apple's error domain, or a pattern. */
  readonly domain: string | RegExp;
  /** Absent: every code of the domain. A pair is a range. */
  readonly codes?: readonly (number | readonly [from: number, to: number])[];
  /** In the device's own words; for errors whose number says too little. */
  readonly description?: RegExp;
  /** Absent: of every command. */
  readonly requestTypes?: readonly string[];
  readonly class: DeviceErrorClass;
  readonly failure: FailureCode;
  /** A public report, or the list of Apple's archived reference. */
  readonly source: string;
}

const APPLE = 'Apple, MDM Protocol Reference (archived), "Error Codes"';
const APP = ['InstallApplication'];
const PROFILE = ['InstallProfile'];

/** The first row that fits the deepest cause counts; then the cause above it, and so on. */
export const DEVICE_ERRORS: readonly DeviceErrorRow[] = [
  {
    domain: 'ASDErrorDomain',
    codes: [506],
    requestTypes: APP,
    class: 'on_its_way',
    failure: 'mdm.app_on_its_way',
    source: 'fleetdm/fleet #25132, #36724: "Duplicate request"',
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12025],
    requestTypes: APP,
    class: 'on_its_way',
    failure: 'mdm.app_already_installed',
    source: 'fleetdm/fleet #32400: app already installed',
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12026, 12047, 12064],
    requestTypes: APP,
    class: 'needs_license',
    failure: 'mdm.license_not_found',
    source: `${APPLE}: license not found; no assignment`,
  },
  {
    domain: 'ASDServerErrorDomain',
    codes: [9610],
    requestTypes: APP,
    class: 'needs_license',
    failure: 'mdm.license_not_found',
    source: 'fleetdm/fleet #36724, #50909: the store does not see the license yet',
  },
  {
    domain: /./,
    description: /licen[cs]e not found/i,
    requestTypes: APP,
    class: 'needs_license',
    failure: 'mdm.license_not_found',
    source: 'fleetdm/fleet #50909',
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12040],
    requestTypes: APP,
    class: 'needs_license',
    failure: 'mdm.app_needs_account',
    source: `${APPLE}: iTunes Store login required`,
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12063],
    requestTypes: APP,
    class: 'needs_user',
    failure: 'mdm.user_refused_app',
    source: `${APPLE}: user rejected app`,
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12023],
    requestTypes: APP,
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: `${APPLE}: the store's id could not be validated`,
  },
  {
    domain: 'NSURLErrorDomain',
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: 'Apple, Foundation, "URL Loading System Error Codes": the network of the device',
  },
  {
    domain: 'MCInstallationErrorDomain',
    codes: [4009],
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: `${APPLE}: device locked`,
  },
  {
    domain: 'NSOSStatusErrorDomain',
    codes: [-603, -909],
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: 'micromdm/micromdm #436, fleetdm/fleet #8167: a retry succeeds',
  },
  {
    domain: 'ConfigProfilePluginDomain',
    codes: [-319],
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: 'fleetdm/fleet #8167: a retry succeeds',
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12029, 12038],
    requestTypes: ['Settings'],
    class: 'passes',
    failure: 'mdm.device_error_passes',
    source: `${APPLE}: app not managed (yet)`,
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12075],
    requestTypes: ['RemoveProfile'],
    class: 'on_its_way',
    failure: 'mdm.profile_absent',
    source: `${APPLE}: specified profile not installed`,
  },
  {
    domain: 'MCInstallationErrorDomain',
    codes: [4024],
    requestTypes: ['RemoveProfile'],
    class: 'on_its_way',
    failure: 'mdm.profile_absent',
    source: `${APPLE}: profile not found`,
  },
  {
    domain: 'MDMClientError',
    codes: [89],
    requestTypes: ['RemoveProfile'],
    class: 'on_its_way',
    failure: 'mdm.profile_absent',
    source: 'fleetdm/fleet #21891, #21713: "Profile with identifier \'…\' not found"',
  },
  {
    domain: 'MCSCEPErrorDomain',
    requestTypes: PROFILE,
    class: 'needs_challenge',
    failure: 'scep.enrollment_failed',
    source: `${APPLE}: 22000 to 22013`,
  },
  {
    domain: /SCEP/i,
    requestTypes: PROFILE,
    class: 'needs_challenge',
    failure: 'scep.enrollment_failed',
    source: 'fleetdm/fleet #34780: "MDM-SCEP (15002)"',
  },
  {
    domain: /./,
    codes: [15002],
    description: /SCEP/i,
    requestTypes: PROFILE,
    class: 'needs_challenge',
    failure: 'scep.enrollment_failed',
    source: 'fleetdm/fleet #34780, #46291',
  },
  {
    domain: 'MCSSOErrorDomain',
    codes: [34001],
    requestTypes: PROFILE,
    class: 'permanent',
    failure: 'mdm.sso_host_claimed',
    source: `${APPLE}: invalid URL match pattern; another profile has the host`,
  },
  {
    domain: 'MCSSOErrorDomain',
    requestTypes: PROFILE,
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: `${APPLE}: 34000 to 34004`,
  },
  // 1009 "profile installation failure" only wraps the cause below it.
  {
    domain: 'MCProfileErrorDomain',
    codes: [[1000, 1008], 1010],
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: `${APPLE}: malformed profile, missing or unsupported field`,
  },
  {
    domain: 'MCPayloadErrorDomain',
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: `${APPLE}: 2000 to 2005`,
  },
  // 4001 "installation failure" only wraps the cause below it.
  {
    domain: 'MCInstallationErrorDomain',
    codes: [4002, 4008, 4010, 4014, 4015, 4022],
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: APPLE,
  },
  {
    domain: 'MCCertificateErrorDomain',
    codes: [9005, 9006],
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: `${APPLE}: malformed certificate; not an identity`,
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12013],
    requestTypes: ['RemoveProfile'],
    class: 'permanent',
    failure: 'mdm.profile_refused',
    source: `${APPLE}: profile not managed by MDM`,
  },
  {
    domain: 'MCMDMErrorDomain',
    codes: [12007, 12009, 12012, 12020, 12021, 12022],
    class: 'permanent',
    failure: 'mdm.command_refused',
    source: `${APPLE}: not authorized; invalid request`,
  },
];

/** InstallApplication's RejectionReason (Apple, device-management, `application.install`); "Other" says nothing. */
export const REJECTION_REASONS: Readonly<Record<string, Pick<DeviceErrorRow, 'class' | 'failure'>>> = {
  AppAlreadyInstalled: { class: 'on_its_way', failure: 'mdm.app_already_installed' },
  AppAlreadyQueued: { class: 'on_its_way', failure: 'mdm.app_on_its_way' },
  ManagementChangeNotSupported: { class: 'on_its_way', failure: 'mdm.app_already_installed' },
  CouldNotVerifyAppID: { class: 'passes', failure: 'mdm.device_error_passes' },
  AppStoreDisabled: { class: 'permanent', failure: 'mdm.command_refused' },
  NotAnApp: { class: 'permanent', failure: 'mdm.command_refused' },
  NotSupported: { class: 'permanent', failure: 'mdm.command_refused' },
  PurchaseMethodNotSupported: { class: 'permanent', failure: 'mdm.command_refused' },
  PurchaseMethodNotSupportedInMultiUser: { class: 'permanent', failure: 'mdm.command_refused' },
};

const UNKNOWN: Pick<DeviceErrorRow, 'class' | 'failure'> = {
  class: 'unknown',
  failure: 'mdm.device_error_unknown',
};

/** The most specific fact first: the causes from the deepest up, then the reason of a rejected installation. */
export function classify(
  requestType: string,
  chain: DeviceErrorChain,
  rejectionReason?: string,
): Pick<DeviceErrorRow, 'class' | 'failure'> {
  for (const cause of chain.toReversed()) {
    const row = DEVICE_ERRORS.find((each) => fits(each, requestType, cause));
    if (row !== undefined) return row;
  }
  const reason = rejectionReason ?? '';
  return (Object.hasOwn(REJECTION_REASONS, reason) ? REJECTION_REASONS[reason] : undefined) ?? UNKNOWN;
}

function fits(row: DeviceErrorRow, requestType: string, cause: DeviceErrorCause): boolean {
  if (row.requestTypes !== undefined && !row.requestTypes.includes(requestType)) return false;
  if (typeof row.domain === 'string' ? row.domain !== cause.domain : !row.domain.test(cause.domain))
    return false;
  if (row.description !== undefined && !row.description.test(cause.description)) return false;
  if (row.codes === undefined) return true;
  return row.codes.some((code) =>
    typeof code === 'number' ? code === cause.code : code[0] <= cause.code && cause.code <= code[1],
  );
}

const CLASSES: Readonly<Partial<Record<FailureCode, DeviceErrorClass>>> = {
  ...Object.fromEntries(
    [...DEVICE_ERRORS, ...Object.values(REJECTION_REASONS)].map((row) => [row.failure, row.class]),
  ),
  [UNKNOWN.failure]: UNKNOWN.class,
};

/** A failure that is no device's error is permanent here: whoever waits for it has its own patience. */
export const classOf = (failure: FailureCode): DeviceErrorClass => CLASSES[failure] ?? 'permanent';

/** The deepest words of a device: `SCEP server returned an invalid response (MDM-SCEP 15002)`. undefined: it said nothing. */
export function deviceWords(chain: DeviceErrorChain): string | undefined {
  const cause = chain.findLast(({ description }) => description !== '') ?? chain.at(-1);
  if (cause === undefined) return undefined;
  const name = `${cause.domain.replace(/ErrorDomain$/, '')} ${cause.code}`.trim();
  return cause.description === '' ? name : `${cause.description} (${name})`;
}
