// The doctor: why Okta does not count a device as managed, from what the tables hold. Each cause with its evidence; no cause without.
// The causes follow Okta's and other products' published reports (docs/doctor.md). Times are milliseconds since the epoch.
import type { CertificateUse } from './certificate-use.ts';
import { OKTA_VERIFY_SETTINGS } from './channel-findings.ts';
import type { Platform } from './device.ts';
import { DOCTOR_CAUSES, type DoctorAction, type DoctorCause } from './doctor-causes.ts';
import type { FindingKind } from './okta-finding.ts';
import { urgencyOf, type CertificateLife, type RenewalSettings } from './renewal-policy.ts';
import { minuteText } from './trust-text.ts';
import type { TruthStates } from './trust.ts';

export interface DoctorCertificate extends CertificateLife {
  readonly serialNumber: string | null;
  readonly issuer: string | null;
  readonly use: CertificateUse;
}

/** What is known of a device that an item asks to be trusted. */
export interface DoctorFacts {
  readonly deviceId: string;
  readonly platform: Platform;
  readonly nowMs: number;
  readonly settings: RenewalSettings;
  readonly isPlatformConfigured: boolean;
  readonly truths: TruthStates;
  readonly failureCode: string | null;
  /** The rollout is under way. */
  readonly isInProgress: boolean;
  readonly finding: { readonly kind: FindingKind; readonly evidence: string };
  readonly record: { readonly lastUpdatedAtMs: number } | null;
  /** It had a record in Okta before. */
  readonly wasRegistered: boolean;
  /** The newest that the device listed. */
  readonly certificate: DoctorCertificate | null;
  /** Common names of what CertificateList holds; null: never said. */
  readonly listedNames: readonly string[] | null;
  readonly ownCertificates: number;
  readonly failedDeliveriesToday: number;
  readonly wasAcceptedNotThere: boolean;
  /** Other devices on which the same certificate was listed. */
  readonly sharedWith: readonly string[];
  /** Of profiles that are not Odette's. */
  readonly foreignProfiles: readonly {
    readonly name: string;
    /** The tool that put it there; null: its identifier names none. */
    readonly vendor: string | null;
    readonly payloadTypes: readonly string[];
  }[];
  /** Identities of Okta's authority that no delivery of Odette's brought. */
  readonly foreignCertificates: readonly {
    readonly name: string;
    readonly issuer: string;
    /** The tool that requested it; null: its subject names none. */
    readonly vendor: string | null;
    readonly notAfterMs: number;
  }[];
  readonly appIsForeign: boolean;
  /** When the app configuration with the secret key was sent (iPhone and iPad). */
  readonly configuredAtMs: number | null;
  /** Failure codes of the integration's connections now. */
  readonly connectionFailures: readonly string[];
  readonly waitingCommand: { readonly requestType: string; readonly sinceMs: number } | null;
}

export interface Diagnosis {
  readonly cause: DoctorCause;
  readonly evidence: string;
  /** What Odette can do about it now, at a click. */
  readonly action: DoctorAction | null;
}

/** undefined: nothing speaks for it. */
type Rule = (facts: DoctorFacts) => string | undefined;

/** By this long after its proof a sign-in counts as one with the certificate. */
const CLOCKS_APART_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
const WAITS_LONG_MS = 60 * 60_000;

const isNotManaged = ({ finding }: DoctorFacts): boolean => finding.kind === 'not_managed';
const day = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10);

const urgency = ({ certificate, settings, deviceId, nowMs }: DoctorFacts) =>
  certificate === null ? 'none' : urgencyOf(certificate, settings, deviceId, nowMs);
const ends = ({ certificate }: DoctorFacts): string =>
  certificate === null ? '' : `It expires on ${day(certificate.notAfterMs)}.`;

const onFinding =
  (...kinds: readonly FindingKind[]): Rule =>
  ({ finding }) =>
    kinds.includes(finding.kind) ? finding.evidence : undefined;

const onConnection =
  (...codes: readonly string[]): Rule =>
  ({ connectionFailures, failureCode }) => {
    const code = codes.find((each) => connectionFailures.includes(each) || failureCode === each);
    return code === undefined ? undefined : `The last request ended with ${code}.`;
  };

const onProfile = (
  isOfInterest: (payloadType: string) => boolean,
  { foreignProfiles }: DoctorFacts,
): string | undefined => {
  const found = foreignProfiles.filter(({ payloadTypes }) => payloadTypes.some(isOfInterest));
  if (found.length === 0) return undefined;
  const names = found.map(({ name, vendor }) => (vendor === null ? `"${name}"` : `"${name}" of ${vendor}`));
  const types = new Set(found.flatMap(({ payloadTypes }) => payloadTypes.filter(isOfInterest)));
  return `The device lists ${names.join(', ')} with ${[...types].join(', ')}.`;
};
const isSso = (payloadType: string): boolean => payloadType === 'com.apple.extensiblesso';
const isScep = (payloadType: string): boolean => payloadType === 'com.apple.security.scep';

const foreignCertificates = ({ foreignCertificates: all }: DoctorFacts): string | undefined =>
  all.length === 0
    ? undefined
    : `The device lists ${all
        .map(
          ({ name, issuer, vendor, notAfterMs }) =>
            `"${name}" (issued by ${issuer}, ${vendor === null ? '' : `requested by ${vendor}, `}expires on ${day(notAfterMs)})`,
        )
        .join(', ')}.`;

/** Without it the Mac has no valid Okta certificate at all. iPhones and iPads need none. */
const needsForeignCertificate = (facts: DoctorFacts): boolean =>
  facts.platform === 'macOS' &&
  facts.truths.certificatePresent !== 'held' &&
  facts.foreignCertificates.some(({ notAfterMs }) => notAfterMs > facts.nowMs);

/** Signed in with the certificate on the device, and still not managed. */
const signedInInVain = (facts: DoctorFacts): boolean =>
  isNotManaged(facts) &&
  facts.certificate !== null &&
  facts.record !== null &&
  facts.record.lastUpdatedAtMs > facts.certificate.provenAtMs + CLOCKS_APART_MS;

const RULES: Readonly<Record<DoctorCause, Rule>> = {
  suspended: onFinding('suspended'),
  deactivated: onFinding('deactivated'),
  user_unknown: onFinding('user_unknown'),
  records_alike: onFinding('records_alike'),
  managed_for_other_user: onFinding('managed_for_other'),
  deleted_in_okta: ({ finding, wasRegistered }) =>
    finding.kind === 'no_record' && wasRegistered
      ? 'Okta had a record of the device but no longer has one.'
      : undefined,
  platform_not_configured: ({ isPlatformConfigured, platform }) =>
    isPlatformConfigured ? undefined : `The integration has no ${platform} platform.`,
  certificate_expired: (facts) => (urgency(facts) === 'expired' ? ends(facts) : undefined),
  certificate_late: (facts) => (urgency(facts) === 'late' ? ends(facts) : undefined),
  shared_certificate: ({ sharedWith }) =>
    sharedWith.length === 0 ? undefined : `Also listed by ${sharedWith.join(', ')}.`,
  challenge_password_wrong: onConnection('okta.challenge_credentials_refused'),
  challenge_denied: onConnection('okta.challenge_denied'),
  challenge_page_unreadable: onConnection('okta.challenge_unexpected_page', 'okta.challenge_url_gone'),
  okta_limits_requests: onConnection('okta.rate_limited'),
  accepted_not_there: ({ wasAcceptedNotThere }) =>
    wasAcceptedNotThere
      ? 'The device acknowledged the last delivery but does not list its certificate.'
      : undefined,
  deliveries_fail: ({ failedDeliveriesToday }) =>
    failedDeliveriesToday < 3
      ? undefined
      : `${failedDeliveriesToday} deliveries failed in the last 24 hours.`,
  foreign_certificate_needed: (facts) =>
    needsForeignCertificate(facts) ? foreignCertificates(facts) : undefined,
  host_claimed: (facts) =>
    facts.failureCode === 'mdm.sso_host_claimed'
      ? `The device refused the SSO extension: another profile claims the host. ${onProfile(isSso, facts) ?? 'It lists no other profile with an SSO extension: check whether an app claims the host.'}`
      : onProfile(isSso, facts),
  settings_outdated: ({ truths, isInProgress }) =>
    truths.delivered === 'not_held' && !isInProgress
      ? 'The device does not list every profile in its newest revision.'
      : undefined,
  app_from_elsewhere: ({ appIsForeign, truths }) =>
    appIsForeign && truths.oktaVerifyManaged !== 'held'
      ? 'The device says that Okta Verify is not from the App Store.'
      : undefined,
  secret_key_reset: (facts) => {
    const { configuredAtMs, record, platform } = facts;
    if (platform !== 'iOS' || !isNotManaged(facts) || configuredAtMs === null || record === null)
      return undefined;
    if (record.lastUpdatedAtMs <= configuredAtMs + CLOCKS_APART_MS) return undefined;
    return `Okta's record changed on ${minuteText(record.lastUpdatedAtMs)}, after the configuration of ${minuteText(configuredAtMs)}. ${facts.finding.evidence}`;
  },
  older_certificate: (facts) =>
    signedInInVain(facts) && facts.record !== null
      ? `Okta's record changed on ${minuteText(facts.record.lastUpdatedAtMs)}. ${facts.finding.evidence}`
      : undefined,
  issuer_not_listed: (facts) => {
    const issuer = /CN=([^,+]+)/i.exec(facts.certificate?.issuer ?? '')?.[1];
    if (!signedInInVain(facts) || issuer === undefined || facts.listedNames === null) return undefined;
    return facts.listedNames.includes(issuer) ? undefined : `The device lists no certificate "${issuer}".`;
  },
  // iPhones and iPads have no certificate of Okta's that another could stand before.
  foreign_scep_profile: (facts) =>
    facts.platform === 'macOS' && !needsForeignCertificate(facts) ? onProfile(isScep, facts) : undefined,
  foreign_certificate: (facts) => (needsForeignCertificate(facts) ? undefined : foreignCertificates(facts)),
  foreign_settings: (facts) => onProfile((type) => OKTA_VERIFY_SETTINGS.test(type), facts),
  too_many_certificates: ({ ownCertificates }) =>
    ownCertificates <= 2 ? undefined : `The device lists ${ownCertificates}.`,
  certificate_unused: ({ certificate, settings, nowMs }) => {
    if (certificate === null || certificate.use === 'proven') return undefined;
    const days = Math.floor((nowMs - certificate.provenAtMs) / DAY_MS);
    return days < settings.unusedWarnDays ? undefined : `It has been on the device for ${days} days.`;
  },
  command_waits: ({ waitingCommand, nowMs }) =>
    waitingCommand === null || nowMs - waitingCommand.sinceMs < WAITS_LONG_MS
      ? undefined
      : `${waitingCommand.requestType} has been waiting since ${minuteText(waitingCommand.sinceMs)}.`,
  needs_sign_in: (facts) => {
    const { truths, finding } = facts;
    const isThere = [truths.delivered, truths.certificatePresent, truths.oktaVerifyManaged].every(
      (state) => state === 'held' || state === 'not_applicable',
    );
    const isSignIn = ['not_managed', 'not_registered', 'no_record'].includes(finding.kind);
    return isThere && isSignIn ? finding.evidence : undefined;
  },
  being_set_up: ({ isInProgress }) => (isInProgress ? 'Its rollout is under way.' : undefined),
};

const CAUSES = Object.keys(RULES) as DoctorCause[];

/** Every cause that something speaks for; what only an admin can lift comes first. */
export function diagnose(facts: DoctorFacts): Diagnosis[] {
  return CAUSES.flatMap((cause): Diagnosis[] => {
    const evidence = RULES[cause](facts);
    return evidence === undefined ? [] : [{ cause, evidence, action: actionOf(cause, facts) }];
  });
}

/** Nothing is done against what an Okta admin did: while it stands, no certificate is sent. */
function actionOf(cause: DoctorCause, { finding }: DoctorFacts): DoctorAction | null {
  const isHeld = finding.kind === 'suspended' || finding.kind === 'deactivated';
  const { action } = DOCTOR_CAUSES[cause];
  return isHeld && action === 'renew' ? null : action;
}
