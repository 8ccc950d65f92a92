// What keepCertificate does next: two slots, one certificate that counts, never more than two on the device. Pure.
import type { CertificateUse } from './certificate-use.ts';
import type { IntegrationSettings } from './integration-settings.ts';
import { forbidsCertificates } from './okta-finding.ts';
import { profileIdentifier, slotOf, type CertificateSlot, type PayloadScope } from './profile-identifier.ts';
import { decideRenewal, type RenewalDecision, type Urgency } from './renewal-policy.ts';
import { isEnrolled, type EnrollmentStatus } from './device.ts';
import type { ReportedOdetteProfile } from './rollout-view.ts';

/** A delivery as the tables know it; times in milliseconds since the epoch. */
export interface Delivery {
  readonly id: string;
  readonly integrationId: string;
  readonly slot: CertificateSlot;
  readonly scope: PayloadScope;
  readonly payloadUuid: string;
  readonly state: 'sent' | 'proven' | 'failed' | 'superseded' | 'removed';
  readonly commandUuid: string;
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  readonly provenAtMs: number | null;
  readonly use: CertificateUse;
  /** It was issued because its predecessor was not proven used. */
  readonly isReissue: boolean;
}

export interface CertificateView {
  readonly deviceId: string;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrollmentId: string;
  readonly settings: IntegrationSettings;
  /** Newest first; failed and removed ones left out. */
  readonly deliveries: readonly Delivery[];
  /** Certificate profiles of Odette on the device, of whatever integration; null: never said. */
  readonly profiles: readonly ReportedOdetteProfile[] | null;
  /** Deliveries whose certificates the device lists, with what it says of them; null: never said. */
  readonly certificates: readonly ReportedDelivery[] | null;
  /** In Okta's words; null: Okta has no record of the device. */
  readonly oktaStatus: string | null;
  /** The integration whose switched-on item asks for a certificate on this device now. */
  readonly wantedBy: string | null;
  /** Into which keychain that item's certificate goes. */
  readonly scope: PayloadScope;
  /** A user of the Mac has opened a channel of their own in this enrollment. */
  readonly hasUserChannel: boolean;
}

export interface ReportedDelivery {
  readonly deliveryId: string;
  /** Over which channel it was listed. */
  readonly scope: PayloadScope;
  readonly serialNumber: string;
  readonly issuer: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What each channel lists of certificates. */
export const CERTIFICATE_LISTS = {
  System: ['CertificateList', 'ProfileList'],
  User: ['UserCertificateList', 'UserProfileList'],
} as const;

/** The step of a rollout's queue under which one of these lists is asked for. */
export const certificateListStep = (type: (typeof CERTIFICATE_LISTS)[PayloadScope][number]): string =>
  `certificate.${type}`;

export interface CertificateMemory {
  /** The device has listed its profiles and certificates since anything changed. */
  readonly isFresh: boolean;
  /** Its user's channel has, too. */
  readonly isUserFresh: boolean;
  readonly integrationId: string | null;
  readonly isWanted: boolean;
  /** Somebody asked for a new one, whatever the calendar says. */
  readonly forced: boolean;
}

export type InstalledProfile = Pick<ReportedOdetteProfile, 'identifier' | 'scope'>;

export type CertificateAction =
  | { readonly do: 'waitForEnrollment' }
  /** For the lists of these channels. */
  | {
      readonly do: 'ask';
      readonly scopes: readonly PayloadScope[];
      /** The proven delivery that counts whatever they say. */
      readonly keeps: string | null;
    }
  /** Only over a user's channel, and no user of the Mac has opened one yet. */
  | { readonly do: 'waitForUser' }
  /** A delivery that was sent is on the device: keep its proof, tell the rollout. */
  | { readonly do: 'prove'; readonly delivery: Delivery; readonly certificate: ReportedDelivery }
  /** `keeps`: the proven delivery beside which they go. */
  | { readonly do: 'remove'; readonly profiles: readonly InstalledProfile[]; readonly keeps: string | null }
  | {
      readonly do: 'deliver';
      readonly slot: CertificateSlot;
      readonly scope: PayloadScope;
      readonly reason: string;
      readonly urgency: Urgency;
    }
  | { readonly do: 'sleep'; readonly delivery: Delivery; readonly decision: RenewalDecision }
  | { readonly do: 'waitToBeWanted' }
  /** The item is off, or the device left it: nothing new is sent, and what is there waits for the rollout that takes it away. */
  | { readonly do: 'waitForScope' }
  /** An Okta admin suspended or deactivated the device: no challenge, no certificate, until Okta says otherwise. */
  | { readonly do: 'waitForOkta' }
  | { readonly do: 'end' };

export function planCertificate(
  view: CertificateView,
  memory: CertificateMemory,
  nowMs: number,
): CertificateAction {
  if (!isEnrolled(view.enrollmentStatus)) return { do: 'waitForEnrollment' };
  // A device in scope keeps its certificate, whatever the workflow was told.
  const isWanted = memory.isWanted || view.wantedBy !== null;
  const integrationId = memory.isWanted ? memory.integrationId : (view.wantedBy ?? memory.integrationId);
  const hasHistory = view.deliveries.length > 0 || (view.profiles?.length ?? 0) > 0;
  if (!isWanted) return planEnd(view, memory);
  if (integrationId === null) return { do: 'waitToBeWanted' };
  const isInScope = view.wantedBy === integrationId;
  const renew = (reason: string, urgency: Urgency): CertificateAction => {
    if (!isInScope) return { do: 'waitForScope' };
    if (forbidsCertificates(view.oktaStatus)) return { do: 'waitForOkta' };
    if (view.scope === 'User' && !view.hasUserChannel) return { do: 'waitForUser' };
    return deliver(view, integrationId, reason, urgency);
  };
  if (!isInScope && !hasHistory) return { do: 'end' };
  // Nothing was ever sent and nothing is there: no need to ask first.
  const stale = hasHistory ? staleScopes(view, memory) : [];
  if (stale.length > 0) return { do: 'ask', scopes: stale, keeps: null };

  return planHeld(view, { integrationId, isForced: memory.forced && isInScope, memory }, renew, nowMs);
}

/** Of the channels on which the certificate depends, those that have not been asked since anything changed. */
function staleScopes(view: CertificateView, memory: CertificateMemory): PayloadScope[] {
  const asksUser = view.hasUserChannel && view.scope === 'User';
  return [
    ...(memory.isFresh ? [] : (['System'] as const)),
    ...(asksUser && !memory.isUserFresh ? (['User'] as const) : []),
  ];
}

/** Nobody wants a certificate: every one goes. */
function planEnd(view: CertificateView, memory: CertificateMemory): CertificateAction {
  if (!memory.isFresh) return { do: 'ask', scopes: ['System'], keeps: null };
  const profiles = view.profiles ?? [];
  const ofDevice = profiles.filter(({ scope }) => scope === 'System');
  return removal(ofDevice, null) ?? removalForUser(view, memory, null) ?? { do: 'end' };
}

/**
 * What is left in a login keychain goes after its user's channel was asked: whoever is away is waited for. Without a channel it is out
 * of reach, and gone with the enrollment.
 */
function removalForUser(
  view: CertificateView,
  memory: CertificateMemory,
  current: Delivery | null,
): CertificateAction | undefined {
  if (!view.hasUserChannel) return undefined;
  const keeps = current?.id ?? null;
  const left = (view.profiles ?? []).filter(({ scope }) => scope === 'User');
  const isDoubtful = view.deliveries.some(({ scope, state }) => scope === 'User' && state === 'sent');
  if (!memory.isUserFresh && (left.length > 0 || isDoubtful)) return { do: 'ask', scopes: ['User'], keeps };
  return removal(left, keeps);
}

type Renew = (reason: string, urgency: Urgency) => CertificateAction;

interface Held {
  readonly integrationId: string;
  /** A person asked for a new certificate. */
  readonly isForced: boolean;
  readonly memory: CertificateMemory;
}

/** Of a device that has listed what it holds. */
function planHeld(
  view: CertificateView,
  { integrationId, isForced, memory }: Held,
  renew: Renew,
  nowMs: number,
): CertificateAction {
  const onDevice = deliveriesOnDevice(view);
  const unproven = onDevice.find(
    ({ delivery }) => delivery.state === 'sent' && delivery.scope === view.scope,
  );
  if (unproven !== undefined) return { do: 'prove', ...unproven };

  const current = onDevice.find(
    ({ delivery: { integrationId: each, scope, state } }) =>
      each === integrationId && scope === view.scope && state === 'proven',
  );
  // Nothing for System waits for a user who is away: what is in their keychain goes last.
  const isLate = ({ scope }: InstalledProfile) => scope === 'User' && view.scope === 'System';
  const profiles = (view.profiles ?? []).filter((each) => !isLate(each));
  if (current === undefined) {
    // An old one of another integration or keychain stays until the new one is there; a third certificate is never allowed.
    const [firstOther] = onDevice;
    const spare = profiles.filter(({ uuid }) => uuid !== firstOther?.delivery.payloadUuid);
    return removal(spare, null) ?? renew('wanted', 'due');
  }
  const others = profiles.filter(({ uuid }) => uuid !== current.delivery.payloadUuid);
  const removed = removal(others, current.delivery.id);
  if (removed !== undefined) return removed;
  if (isForced) return renew('asked for', 'due');
  const decision = decideRenewal(
    {
      notBeforeMs: current.certificate.notBeforeMs,
      notAfterMs: current.certificate.notAfterMs,
      provenAtMs: current.delivery.provenAtMs ?? current.certificate.notBeforeMs,
    },
    view.settings,
    view.deviceId,
    current.delivery,
    nowMs,
  );
  if (decision.kind === 'renew') return renew(decision.reason, decision.urgency);
  const late = view.scope === 'System' ? removalForUser(view, memory, current.delivery) : undefined;
  return late ?? { do: 'sleep', delivery: current.delivery, decision };
}

/** undefined: there are none. */
const removal = (
  profiles: readonly InstalledProfile[],
  keeps: string | null,
): CertificateAction | undefined =>
  profiles.length === 0
    ? undefined
    : { do: 'remove', profiles: profiles.map(({ identifier, scope }) => ({ identifier, scope })), keeps };

/** Deliveries whose profile and certificate the device lists, newest first. */
function deliveriesOnDevice(view: CertificateView) {
  return view.deliveries.flatMap((delivery) => {
    const certificate = view.certificates?.find(
      ({ deliveryId, scope }) => deliveryId === delivery.id && scope === delivery.scope,
    );
    const isInstalled =
      view.profiles?.some(({ uuid, scope }) => uuid === delivery.payloadUuid && scope === delivery.scope) ===
      true;
    return certificate !== undefined && isInstalled ? [{ delivery, certificate }] : [];
  });
}

/** Into the slot of this integration that is free on the device, or else in the keychain that is meant. */
function deliver(
  view: CertificateView,
  integrationId: string,
  reason: string,
  urgency: Urgency,
): CertificateAction {
  const { scope } = view;
  const ours = (view.profiles ?? []).filter((profile) => profile.integrationId === integrationId);
  const slotsOf = (profiles: typeof ours) => profiles.map(({ kind }) => slotOf(kind));
  const all = slotsOf(ours);
  const taken =
    all.includes('a') && all.includes('b') ? slotsOf(ours.filter((each) => each.scope === scope)) : all;
  return { do: 'deliver', slot: taken.includes('a') ? 'b' : 'a', scope, reason, urgency };
}

export const certificateIdentifier = (
  integrationId: string,
  deviceId: string,
  slot: CertificateSlot,
): string => profileIdentifier(integrationId, deviceId, `certificate.${slot}`);
