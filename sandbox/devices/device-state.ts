// Everything a pretend device keeps on disk: its hardware, enrollment, keychain, profiles, apps, and how it is told to behave.
import type { DeviceFamily } from '../../domain/device.ts';
import type { ErrorLink } from './refusal.ts';

export interface Hardware {
  readonly udid: string;
  readonly serialNumber: string;
  /** Apple's ProductName, e.g. `Mac14,2`. */
  readonly productName: string;
  readonly modelName: string;
  readonly deviceName: string;
  readonly osVersion: string;
  readonly buildVersion: string;
}

export interface DeviceUser {
  /** Name the user signs in to Okta with. */
  login: string;
  /** `auto`: signs in by FastPass once Okta Verify asks for it; `manual`: only by order of the management port. */
  signsIn: 'auto' | 'manual';
}

/** A key with its certificate. `isUsableByAll` is AllowAllAppsAccess: other apps than the system's may sign with the key. */
export interface KeychainItem {
  readonly id: string;
  /** PayloadIdentifier of the profile it came with. */
  readonly profile: string;
  readonly certificate: string; // base64 DER
  readonly privateKey?: string; // PKCS#8 PEM
  readonly isExtractable: boolean;
  readonly isUsableByAll: boolean;
  /** In the login keychain of its user; absent: in the System keychain. */
  readonly scope?: 'User';
}

export interface InstalledProfile {
  readonly identifier: string;
  readonly uuid: string;
  /** The property list as it was signed, base64. */
  readonly content: string;
  /** Certificates of the signature, base64 DER. */
  readonly signers: readonly string[];
  readonly isManaged: boolean;
  /** Of its user; absent: of the device. */
  readonly scope?: 'User';
  readonly installedAt: string;
}

/** `appStore`: with a receipt; `package`: the downloadable package, which nobody but the user manages. */
export type AppSource = 'appStore' | 'package';

export interface InstalledApp {
  readonly bundleId: string;
  readonly name: string;
  readonly version: string;
  source: AppSource;
  /** Apple's word for a managed app; absent for an app that is not managed. */
  status?: string;
  /** By the sandbox's clock: until then it downloads, or asks its user. */
  until?: string;
  /** What follows when `until` is over. */
  next?: 'Managed' | 'Unmanaged' | 'Failed' | 'Accepted' | 'UserRejected';
  managementFlags: number;
  configuration?: string; // XML property list, base64
}

/** A command type that responds with an error. */
export interface Break {
  requestType: string;
  times: number;
  status: 'Error' | 'CommandFormatError';
  errorChain: ErrorLink[];
  /** Only of a profile whose PayloadIdentifier holds this; absent: of every command of the type. */
  profile?: string;
  /** Of a refused InstallApplication. */
  rejectionReason?: string;
}

export interface DeviceKnobs {
  /** Responds NotNow to so many commands (of these types, if named). */
  notNow?: { times: number; requestTypes?: string[] };
  breaks: Break[];
  /** Milliseconds a command takes. */
  commandMs: number;
  /** Sends every response twice, as Apple says a device may. */
  respondsTwice: boolean;
  downloadSeconds: number;
  downloadFails: boolean;
  /** What the user of an unsupervised iPhone or iPad answers to an install prompt, and after how long. */
  promptAnswer: 'accept' | 'refuse' | 'wait';
  promptSeconds: number;
  /** Whose key signs a SCEP request: macOS makes one for the message, iOS takes the request's. Default: as the family does. */
  scepSigner?: 'own' | 'request';
  /** Acknowledges a profile whose SCEP enrollment came to nothing. */
  losesCertificates: boolean;
  /** A profile whose replacement fails is gone, too (false: stays). */
  losesOldOnFailedReplace: boolean;
  /** Seconds from "Okta Verify is set up" to the user's sign-in. */
  signInSeconds: number;
  /** A Mac escrows a bootstrap token, where its server offers to keep it, and asks for it back. */
  escrowsBootstrapToken: boolean;
  /** A Mac also speaks for its users, where its server offers to listen. */
  speaksForUsers: boolean;
  /** A locked keychain takes no profile; a user who is logged out sends nothing. */
  userSession: 'open' | 'locked' | 'logged_out';
  /** Seconds until the device asks by itself again after its last word was NotNow. */
  notNowSeconds: number;
}

export const DEFAULT_KNOBS: DeviceKnobs = {
  breaks: [],
  commandMs: 0,
  respondsTwice: false,
  downloadSeconds: 1,
  downloadFails: false,
  promptAnswer: 'accept',
  promptSeconds: 1,
  losesCertificates: false,
  losesOldOnFailedReplace: false,
  signInSeconds: 1,
  escrowsBootstrapToken: true,
  speaksForUsers: true,
  userSession: 'open',
  notNowSeconds: 10,
};

/** What a Mac's user has told the server. */
export interface UserChannel {
  readonly userId: string;
  readonly shortName: string;
  readonly pushToken: string; // lower hex
  readonly pushMagic: string;
}

export interface MdmEnrollment {
  readonly profileIdentifier: string;
  readonly topic: string;
  readonly serverUrl: string;
  readonly checkInUrl: string;
  readonly signsMessages: boolean;
  readonly checksOut: boolean;
  readonly accessRights: number;
  readonly serverCapabilities: readonly string[];
  /** What the Mac escrowed with its server, base64. */
  bootstrapToken?: string;
  /** Keychain item of the identity. */
  identity: string;
  pushToken: string; // lower hex
  readonly pushMagic: string;
  user?: UserChannel;
  readonly enrolledAt: string;
}

export interface SignIn {
  readonly at: string;
  readonly tenant: string;
  readonly how: 'automatic' | 'ordered';
  /** The browser asked "Open Okta Verify?", because no SSO extension handled the host. */
  readonly showedPrompt: boolean;
  readonly evidence: 'certificate' | 'managementHint' | 'none';
  readonly certificateSerial?: string;
  readonly result: 'managed' | 'registered' | 'failed';
  readonly detail?: string;
}

interface OktaVerifyState {
  /** Okta's id of this installation, told at its registration; a reinstallation starts anew. */
  oktaDeviceId?: string;
  signIns: SignIn[];
  /** What the last automatic sign-in showed: a new one follows when this changes, and a day later. */
  lastShown?: string;
}

/** What the keychain held from this moment on. */
interface KeychainMoment {
  readonly at: string;
  /** Serial numbers of the certificates with a private key. */
  readonly identities: readonly string[];
}

interface LoggedMessage {
  readonly at: string;
  readonly message: string;
  readonly status?: string;
  readonly http: number;
}

export interface DeviceState {
  readonly name: string;
  readonly family: DeviceFamily;
  readonly hardware: Hardware;
  isSupervised: boolean;
  user: DeviceUser;
  /** How it signs its messages; real devices: `no-attributes-sha1`. */
  signature: 'attributes-sha256' | 'no-attributes-sha1';
  power: 'awake' | 'asleep' | 'off';
  /** Wakes by itself at this time of the sandbox's clock. */
  wakesAt?: string;
  knobs: DeviceKnobs;
  enrollment?: MdmEnrollment;
  /** Push tokens of earlier enrollments, with their topics: Apple returns 410 for them. */
  formerTokens: { token: string; topic: string }[];
  profiles: InstalledProfile[];
  keychain: KeychainItem[];
  /** One for each profile that came or went, the newest last, at most 100. */
  keychainHistory?: KeychainMoment[];
  apps: InstalledApp[];
  oktaVerify: OktaVerifyState;
  /** A response that Odette has not taken yet: sent again until it does. */
  unsent?: { requestType: string; status: string; body: string };
  counts: Record<string, number>;
  /** The newest last, at most 200. */
  log: LoggedMessage[];
}
