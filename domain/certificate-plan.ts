// What keepCertificate does next: two slots, one certificate that counts, never more than two on the device. Pure.
import type { CertificateUse } from './certificate-use.ts';
import type { IntegrationSettings } from './integration-settings.ts';
import { forbidsCertificates } from './okta-finding.ts';
import { profileIdentifier, slotOf, type CertificateSlot } from './profile-identifier.ts';
import { decideRenewal, type RenewalDecision, type Urgency } from './renewal-policy.ts';
import type { EnrollmentStatus, ReportedOdetteProfile } from './rollout-view.ts';

/** A delivery as the tables know it; times in milliseconds since the epoch. */
export interface Delivery {
  readonly id: string;
  readonly integrationId: string;
  readonly slot: CertificateSlot;
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
}

export interface ReportedDelivery {
  readonly deliveryId: string;
  readonly serialNumber: string;
  readonly issuer: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateMemory {
  /** The device has listed its profiles and certificates since anything changed. */
  readonly isFresh: boolean;
  readonly integrationId: string | null;
  readonly isWanted: boolean;
  /** Somebody asked for a new one, whatever the calendar says. */
  readonly forced: boolean;
}

export type CertificateAction =
  | { readonly do: 'waitForEnrollment' }
  | { readonly do: 'ask' }
  /** A delivery that was sent is on the device: keep its proof, tell the rollout. */
  | { readonly do: 'prove'; readonly delivery: Delivery; readonly certificate: ReportedDelivery }
  /** `keeps`: the proven delivery beside which they go. */
  | { readonly do: 'remove'; readonly identifiers: readonly string[]; readonly keeps: string | null }
  | {
      readonly do: 'deliver';
      readonly slot: CertificateSlot;
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
  if (view.enrollmentStatus === 'authenticated' || view.enrollmentStatus === 'checked_out')
    return { do: 'waitForEnrollment' };
  // A device in scope keeps its certificate, whatever the workflow was told.
  const isWanted = memory.isWanted || view.wantedBy !== null;
  const integrationId = memory.isWanted ? memory.integrationId : (view.wantedBy ?? memory.integrationId);
  const hasHistory = view.deliveries.length > 0 || (view.profiles?.length ?? 0) > 0;
  if (!isWanted)
    return memory.isFresh ? (removeProfiles(view.profiles ?? [], null) ?? { do: 'end' }) : { do: 'ask' };
  if (integrationId === null) return { do: 'waitToBeWanted' };
  const isInScope = view.wantedBy === integrationId;
  const renew = (reason: string, urgency: Urgency): CertificateAction => {
    if (!isInScope) return { do: 'waitForScope' };
    if (forbidsCertificates(view.oktaStatus)) return { do: 'waitForOkta' };
    return deliver(view, integrationId, reason, urgency);
  };
  if (!isInScope && !hasHistory) return { do: 'end' };
  // Nothing was ever sent and nothing is there: no need to ask first.
  if (!memory.isFresh && hasHistory) return { do: 'ask' };

  return planHeld(view, integrationId, memory.forced && isInScope, renew, nowMs);
}

type Renew = (reason: string, urgency: Urgency) => CertificateAction;

/** Of a device that has listed what it holds. `isForced`: a person asked for a new certificate. */
function planHeld(
  view: CertificateView,
  integrationId: string,
  isForced: boolean,
  renew: Renew,
  nowMs: number,
): CertificateAction {
  const onDevice = deliveriesOnDevice(view);
  const unproven = onDevice.find(({ delivery }) => delivery.state === 'sent');
  if (unproven !== undefined) return { do: 'prove', ...unproven };

  const current = onDevice.find(({ delivery }) => delivery.integrationId === integrationId);
  const profiles = view.profiles ?? [];
  if (current === undefined) {
    // An old one of another integration stays until the new one is there; a third certificate is never allowed.
    const [firstOther] = onDevice;
    const spare = profiles.filter(({ uuid }) => uuid !== firstOther?.delivery.payloadUuid);
    return removeProfiles(spare, null) ?? renew('wanted', 'due');
  }
  const others = profiles.filter(({ uuid }) => uuid !== current.delivery.payloadUuid);
  const removal = removeProfiles(others, current.delivery.id);
  if (removal !== undefined) return removal;
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
  return { do: 'sleep', delivery: current.delivery, decision };
}

/** undefined: there are none. */
const removeProfiles = (
  profiles: readonly { readonly identifier: string }[],
  keeps: string | null,
): CertificateAction | undefined =>
  profiles.length === 0
    ? undefined
    : { do: 'remove', identifiers: profiles.map(({ identifier }) => identifier), keeps };

/** Deliveries whose profile and certificate the device lists, newest first. */
function deliveriesOnDevice(view: CertificateView) {
  return view.deliveries.flatMap((delivery) => {
    const certificate = view.certificates?.find(({ deliveryId }) => deliveryId === delivery.id);
    const isInstalled = view.profiles?.some(({ uuid }) => uuid === delivery.payloadUuid) === true;
    return certificate !== undefined && isInstalled ? [{ delivery, certificate }] : [];
  });
}

/** Into the slot of this integration that is free on the device. */
function deliver(
  view: CertificateView,
  integrationId: string,
  reason: string,
  urgency: Urgency,
): CertificateAction {
  const taken = (view.profiles ?? [])
    .filter((profile) => profile.integrationId === integrationId)
    .map(({ kind }) => slotOf(kind));
  return { do: 'deliver', slot: taken.includes('a') ? 'b' : 'a', reason, urgency };
}

export const certificateIdentifier = (
  integrationId: string,
  deviceId: string,
  slot: CertificateSlot,
): string => profileIdentifier(integrationId, deviceId, `certificate.${slot}`);
