// What Okta said of a device, what it means, and who acts: one reading for texts, alarms, and what Odette does by itself.
// Okta's words: developer.okta.com Devices API (status, managementStatus); help.okta.com "Device lifecycle" for suspended and deactivated.
import type { Platform } from './device.ts';

/**
 * How a record was found. serial_number: a Mac, by serial number and UDID. user_and_model: the only one of an iPhone's user and model.
 * likely: the newest of several, made after this enrollment was configured; another device of the same user may match too.
 * ambiguous: several, and nothing tells them apart.
 */
export type OktaMatch = 'serial_number' | 'user_and_model' | 'likely' | 'ambiguous';

export interface OktaUser {
  readonly login: string;
  /** MANAGED | NOT_MANAGED | … as Okta says it. */
  readonly managementStatus: string;
}

export interface OktaFacts {
  readonly match: OktaMatch;
  /** ACTIVE | SUSPENDED | UNSUSPENDED | DEACTIVATED | CREATED | … as Okta says it. */
  readonly status: string;
  readonly registered: boolean;
  readonly users: readonly OktaUser[];
  readonly lastUpdatedAtMs: number;
}

export interface FindingFacts {
  readonly platform: Platform;
  /** null: Okta has no record that matches. */
  readonly okta: OktaFacts | null;
  /** The login that Odette expects; null: whoever signs in. */
  readonly userName: string | null;
  /** The integration counts a device as managed for whatever user. */
  readonly countsAnyUser: boolean;
}

export const FINDING_KINDS = [
  'no_record',
  'user_unknown',
  'records_alike',
  'suspended',
  'deactivated',
  'not_registered',
  'not_managed',
  'managed_for_other',
  'managed',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** okta_admin: in Okta; Odette never acts against what an Okta admin did. */
type FindingOwner = 'nobody' | 'user' | 'admin' | 'okta_admin';

export interface OktaFinding {
  readonly kind: FindingKind;
  readonly owner: FindingOwner;
  /** In Okta's own words. */
  readonly evidence: string;
  /** The one cure; null: nothing to do. */
  readonly remedy: string | null;
  /** managed: the login that counts. managed_for_other: the one that Okta names. */
  readonly user?: string;
}

const SIGN_IN = 'The user signs in once with Okta FastPass.';

export function findingOf(facts: FindingFacts): OktaFinding {
  const { okta, platform, userName } = facts;
  // Okta's records of iPhones and iPads hold no serial number: without the user there is nothing to look for.
  if (platform === 'iOS' && userName === null)
    return {
      kind: 'user_unknown',
      owner: 'admin',
      evidence:
        "Odette matches Okta's records of iPhones and iPads by user and model, but does not know the user of this device.",
      remedy: 'Set the user of the device.',
    };
  if (okta === null)
    return {
      kind: 'no_record',
      owner: 'user',
      evidence: 'Okta has no record of this device.',
      remedy: SIGN_IN,
    };
  if (okta.match === 'ambiguous')
    return {
      kind: 'records_alike',
      owner: 'admin',
      evidence: 'Several records in Okta match this device.',
      remedy: 'Deactivate the old records in Okta.',
    };
  return findingOfStatus(facts, okta, ` (${MATCH_TEXT[okta.match]})`);
}

/** Okta's schema names both for a device that may be used. */
export const ACTIVE_STATUSES: readonly string[] = ['ACTIVE', 'UNSUSPENDED'];

/** Of a record by itself: the device is under another MDM server, and whoever signs in counts. */
export const findingOfRecord = (record: Omit<OktaFacts, 'match'>): OktaFinding =>
  findingOfStatus({ userName: null, countsAnyUser: true }, record, '');

type Expected = Pick<FindingFacts, 'userName' | 'countsAnyUser'>;

/** `how`: how the record was found, in parentheses. */
function findingOfStatus(facts: Expected, okta: Omit<OktaFacts, 'match'>, how: string): OktaFinding {
  const said = `Okta says ${okta.status}`;
  switch (okta.status) {
    case 'SUSPENDED':
      return {
        kind: 'suspended',
        owner: 'okta_admin',
        evidence: `${said}${how}. Its certificate is unaffected.`,
        remedy: 'Only an Okta admin can unsuspend the device.',
      };
    case 'DEACTIVATED':
      return {
        kind: 'deactivated',
        owner: 'okta_admin',
        evidence: `${said}${how}: the device may have been reported lost or compromised.`,
        remedy:
          'Only an Okta admin can reactivate the device. The user then adds the account in Okta Verify again.',
      };
    case 'ACTIVE':
    case 'UNSUSPENDED':
      return findingOfActive(facts, okta, how);
    default:
      return {
        kind: 'not_registered',
        owner: 'user',
        evidence: `${said}${how}.`,
        remedy: SIGN_IN,
      };
  }
}

function findingOfActive(
  { userName, countsAnyUser }: Expected,
  okta: Omit<OktaFacts, 'match'>,
  how: string,
): OktaFinding {
  if (!okta.registered)
    return {
      kind: 'not_registered',
      owner: 'user',
      evidence: `Okta says ${okta.status}, not registered${how}.`,
      remedy: SIGN_IN,
    };
  const managed = okta.users.filter(({ managementStatus }) => managementStatus === 'MANAGED');
  const isExpected = ({ login }: OktaUser): boolean => login.toLowerCase() === userName?.toLowerCase();
  const counted = userName === null || countsAnyUser ? managed[0] : managed.find(isExpected);
  if (counted !== undefined)
    return {
      kind: 'managed',
      owner: 'nobody',
      evidence: `Okta says MANAGED for ${counted.login}${how}.`,
      remedy: null,
      user: counted.login,
    };
  const [other] = managed;
  if (other !== undefined)
    return {
      kind: 'managed_for_other',
      owner: 'admin',
      evidence: `Okta says MANAGED for ${other.login}; Odette expects ${userName ?? ''}${how}.`,
      remedy: `If ${other.login} uses this device, set that user on the device; otherwise ${userName ?? 'the user'} signs in with Okta FastPass.`,
      user: other.login,
    };
  const said = okta.users.find(isExpected)?.managementStatus ?? okta.users[0]?.managementStatus;
  return {
    kind: 'not_managed',
    owner: 'user',
    evidence:
      said === undefined
        ? `Okta lists no user on this device${how}.`
        : `Okta says ${said}${how} and gives no reason. The status changes only with a FastPass sign-in.`,
    remedy: SIGN_IN,
  };
}

export const MATCH_TEXT: Readonly<Record<OktaMatch, string>> = {
  serial_number: 'matched by serial number and UDID',
  user_and_model: 'matched by user and model',
  likely: 'likely this device: the newest record of its user and model',
  ambiguous: 'cannot be told apart',
};

/**
 * Only where Okta says that the device is active and not managed does a new certificate help; an Okta admin's act is never worked
 * against, and of a record that only likely belongs to the device nothing is concluded.
 */
export const asksForCertificate = (finding: OktaFinding, match: OktaMatch | null): boolean =>
  (finding.kind === 'not_managed' || finding.kind === 'no_record') && match !== 'likely';

/** While Okta says so, the device gets no challenge and no certificate. */
export const forbidsCertificates = (status: string | null): boolean =>
  status === 'SUSPENDED' || status === 'DEACTIVATED';
