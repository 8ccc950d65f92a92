// What a rollout decides from: the desired state and what the device last reported, both cut down to what matters.
// It is read from the tables in one go (adapters/store/rollout/rollout-state.ts) and small enough for a workflow's history.
import type { DeviceFamily, EnrollmentStatus, Platform } from './device.ts';
import type { ChannelAbilities } from './device-channel.ts';
import type { IntegrationSettings } from './integration-settings.ts';
import type { PayloadScope, ProfileKind, WantedProfileKind } from './profile-identifier.ts';

export interface WantedProfile {
  readonly kind: WantedProfileKind;
  readonly identifier: string;
  /** Derives from identifier and revision, so that ProfileList proves the revision. */
  readonly payloadUuid: string;
  readonly revision: string;
}

export interface DesiredState {
  readonly integrationId: string;
  readonly settings: IntegrationSettings;
  readonly wantsCertificate: boolean;
  readonly certificateScope: PayloadScope;
  /** In the order of delivery. */
  readonly profiles: readonly WantedProfile[];
  /** iPhone and iPad only. */
  readonly appConfigurationRevision: string | null;
  /** Okta Verify comes from elsewhere (Macs only): it is neither licensed nor installed, and any that is there counts. */
  readonly appComesFromElsewhere: boolean;
}

/** What is left to do when the desired state is none. */
export interface RemovalTerms {
  readonly delayMinutes: number;
  /** The item asked for the app to go too: its user loses FastPass on this device. */
  readonly removesApp: boolean;
}

export interface ReportedOdetteProfile {
  readonly identifier: string;
  readonly uuid: string;
  readonly kind: ProfileKind;
  readonly integrationId: string;
  /** Over which channel it was listed. */
  readonly scope: PayloadScope;
}

export interface ReportedState {
  /** Odette's profiles only; null: the device never said. */
  readonly profiles: readonly ReportedOdetteProfile[] | null;
  /** Ids of the deliveries whose certificates the device lists; null: the device never said. */
  readonly certificates: readonly string[] | null;
  /** Okta Verify's status in ManagedApplicationList; null: not in it, or the device never said. */
  readonly appStatus: string | null;
  /** Okta Verify on a Mac came from elsewhere than the App Store. */
  readonly appIsForeign: boolean;
  /** Okta Verify is on the Mac, from wherever. */
  readonly appIsInstalled: boolean;
  /** The configuration that was read back and found equal. */
  readonly appConfigurationRevision: string | null;
}

export interface RolloutView {
  readonly deviceId: string;
  readonly family: DeviceFamily;
  readonly platform: Platform;
  /** What its channel can do. */
  readonly can: ChannelAbilities;
  readonly enrollmentStatus: EnrollmentStatus;
  /** New at each Authenticate: what was known before counts no more. */
  readonly enrollmentId: string;
  readonly appRefusals: number;
  readonly lastRefusedAtMs: number | null;
  readonly desired: DesiredState | null;
  readonly removal: RemovalTerms;
  readonly reported: ReportedState;
  /** A certificate of the desired integration and scope that has not ended is on the device, in a profile that is on the device. */
  readonly hasCertificate: boolean;
  /** A user of the Mac has opened a channel of their own in this enrollment. */
  readonly hasUserChannel: boolean;
  /** A certificate was sent, of whatever integration, and was not seen to be gone: it is on the device or on its way. */
  readonly hasOpenDelivery: boolean;
  /** Odette's app configuration was sent and not taken back. */
  readonly configurationWasSent: boolean;
  /** A license was asked for, and not given back. */
  readonly holdsLicense: boolean;
  /** Why the last rollout failed, if it did. */
  readonly failureCode: string | null;
}

/** The certificate belongs into a login keychain, and no user of the Mac has logged in: their channel opens when one does. */
export const waitsForUserChannel = (
  { hasUserChannel, hasCertificate }: RolloutView,
  desired: DesiredState | null,
): boolean =>
  desired?.certificateScope === 'User' && desired.wantsCertificate && !hasUserChannel && !hasCertificate;

/** Apple's words for an app that is there and managed (an update under way changes nothing about that). */
const MANAGED_STATES = ['Managed', 'PromptingForUpdate', 'PromptingForUpdateLogin', 'ValidatingUpdate'];
const MORE_MANAGED_STATES = ['Updating', 'UpdateRejected'];
const UNDER_WAY = [
  'Queued',
  'NeedsRedemption',
  'Redeeming',
  'Prompting',
  'PromptingForLogin',
  'ValidatingPurchase',
  'Installing',
  'PromptingForManagement',
];
const REFUSED = ['UserRejected', 'ManagementRejected'];

export const isManagedApp = (status: string | null): boolean =>
  status !== null && (MANAGED_STATES.includes(status) || MORE_MANAGED_STATES.includes(status));
export const isAppUnderWay = (status: string | null): boolean =>
  status !== null && UNDER_WAY.includes(status);
export const isRefusedApp = (status: string | null): boolean => status !== null && REFUSED.includes(status);
