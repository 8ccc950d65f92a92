// What a look at a connected tenant shows, daily or when a person asks: prerequisites, custom domains, clock, and the certificates of Okta's authority.
import { CataloguedError, FAILURES, type FailureCode } from './failures.ts';
import { findPrerequisites, type PrerequisiteSources } from './prerequisites.ts';
import {
  neededBy,
  PREREQUISITES,
  type PrerequisiteCheck,
  type SetupChannel,
  type Tenant,
} from './setup-wizard.ts';

/** One certificate that GetCACert returns. */
export interface AuthorityCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** RFC 4514. */
  readonly subject: string;
  /** false: a registration authority, with which SCEP messages are exchanged. */
  readonly isAuthority: boolean;
  /** ISO 8601. */
  readonly notAfter: string;
}

export interface IntegrationCheck {
  /** Empty when the tenant itself could not be read. */
  readonly prerequisites: readonly PrerequisiteCheck[];
  /** The custom domain that Okta names now; null: none. */
  readonly customDomain: string | null;
  /** Custom domains on devices that do not lead to the tenant. */
  readonly strayDomains: readonly string[];
  /** null: no macOS platform, or GetCACert could not be read. */
  readonly authority: readonly AuthorityCertificate[] | null;
  /** Why the tenant itself could not be read; null: it was. */
  readonly failureCode: FailureCode | null;
}

/** The integration as it is stored. */
interface KnownTenant {
  readonly oktaOrgId: string;
  readonly channel: SetupChannel;
  readonly customDomain: string | null;
  readonly furtherDomains: readonly string[];
}

export interface CheckSources extends Pick<
  PrerequisiteSources,
  'oktaClient' | 'appsAndBooks' | 'appsAndBooksId'
> {
  /** Of the integration's own host, or of a custom domain. */
  organization(host?: string): Promise<Tenant>;
  /** null: there is no macOS platform. */
  authority(): Promise<readonly AuthorityCertificate[] | null>;
}

/** @throws CataloguedError what passes by itself: the check is made again */
export async function checkTenant(known: KnownTenant, sources: CheckSources): Promise<IntegrationCheck> {
  const nothing = { prerequisites: [], customDomain: known.customDomain, strayDomains: [], authority: null };
  try {
    const tenant = await sources.organization();
    if (tenant.orgId !== known.oktaOrgId) return { ...nothing, failureCode: 'setup.other_tenant' };
    const { prerequisites } = await findPrerequisites({ ...sources, tenant, confirmed: PREREQUISITES });
    return {
      prerequisites: neededBy(known.channel, prerequisites),
      customDomain: tenant.customDomain ?? null,
      strayDomains: await findStrays(known, sources),
      authority: await readAuthority(sources),
      failureCode: null,
    };
  } catch (error) {
    return { ...nothing, failureCode: lastingCode(error) };
  }
}

/** @throws what it is given, when that passes by itself or is no failure of the catalogue */
function lastingCode(error: unknown): FailureCode {
  if (!(error instanceof CataloguedError) || FAILURES[error.code].isRetried) throw error;
  return error.code;
}

/** Rethrows what is no answer from outside. */
function assertFromOutside(error: unknown): asserts error is CataloguedError {
  if (!(error instanceof CataloguedError)) throw error;
}

async function findStrays(known: KnownTenant, sources: CheckSources): Promise<readonly string[]> {
  const strays: string[] = [];
  for (const host of customDomainsOf(known)) {
    try {
      if ((await sources.organization(host)).orgId !== known.oktaOrgId) strays.push(host);
    } catch (error) {
      assertFromOutside(error);
      // One that cannot be reached from here may be reached by people.
      if (!FAILURES[error.code].isRetried) strays.push(host);
    }
  }
  return strays;
}

async function readAuthority(sources: CheckSources): Promise<readonly AuthorityCertificate[] | null> {
  try {
    return await sources.authority();
  } catch (error) {
    // The health of the connection tells it; the next check sees it again.
    assertFromOutside(error);
    return null;
  }
}

const customDomainsOf = (known: Omit<KnownTenant, 'oktaOrgId' | 'channel'>): readonly string[] => [
  ...new Set([...(known.customDomain === null ? [] : [known.customDomain]), ...known.furtherDomains]),
];

export interface AuthorityChange {
  /** Names what changed and what it means. */
  readonly text: string;
  /** Certificates that Okta issues from now on have another issuer. */
  readonly isAuthority: boolean;
}

/** undefined: the same certificates, in whatever order. */
export function authorityChange(
  before: readonly AuthorityCertificate[],
  now: readonly AuthorityCertificate[],
): AuthorityChange | undefined {
  const had = (one: AuthorityCertificate) =>
    before.some(({ fingerprint }) => fingerprint === one.fingerprint);
  const has = (one: AuthorityCertificate) => now.some(({ fingerprint }) => fingerprint === one.fingerprint);
  const arrived = now.filter((one) => !had(one));
  const left = before.filter((one) => !has(one));
  if (arrived.length === 0 && left.length === 0) return undefined;
  const authorities = arrived.filter(({ isAuthority }) => isAuthority);
  const lostAuthorities = left.filter(({ isAuthority }) => isAuthority);
  if (authorities.length === 0 && lostAuthorities.length === 0)
    return {
      isAuthority: false,
      text: 'Okta renewed the registration authority of its SCEP server. Certificates are not affected. No action needed.',
    };
  const [newest] = authorities;
  if (newest === undefined)
    return {
      isAuthority: true,
      text: `Okta's SCEP server no longer presents the authority ${names(lostAuthorities)}. Okta may have retired it.`,
    };
  const isKnownName = before.some((one) => one.isAuthority && one.subject === newest.subject);
  return {
    isAuthority: true,
    text: isKnownName
      ? `Okta renewed its authority ${newest.subject} (now valid until ${newest.notAfter.slice(0, 10)}). Devices that trust the old certificate through a profile need the new one: Okta admin console > Security > Device integrations > Certificate authority.`
      : `Okta's SCEP server presents another authority: ${newest.subject} instead of ${names(before.filter((one) => one.isAuthority))}. Okta changed its authority, someone added the platform again in Okta, or something between Odette and Okta responds in its place.`,
  };
}

const names = (certificates: readonly AuthorityCertificate[]): string =>
  certificates.map(({ subject }) => subject).join(', ') || 'none';

/** How long an alarm tells of a changed authority, in milliseconds: nobody has to confirm it. */
const AUTHORITY_TOLD_MS = 7 * 86_400_000;

interface StoredCheck extends Omit<IntegrationCheck, 'authority'> {
  readonly authorityChangedAt: Date | null;
  readonly authorityChange: AuthorityChange | null;
}

/** What of a check somebody should know without looking. */
export function checkTroubles(
  check: StoredCheck,
  known: Omit<KnownTenant, 'oktaOrgId' | 'channel'>,
  now: Date,
): { readonly code: FailureCode; readonly text: string; readonly since?: Date }[] {
  if (check.failureCode !== null)
    return [
      {
        code: check.failureCode,
        text: `Odette cannot read the tenant. ${FAILURES[check.failureCode].title}`,
      },
    ];
  const { authorityChange: change, authorityChangedAt: changedAt } = check;
  const isTold = changedAt !== null && now.getTime() - changedAt.getTime() < AUTHORITY_TOLD_MS;
  return [
    ...check.prerequisites
      .filter(({ result }) => result === 'failed')
      .map(({ detail, failureCode }) => ({
        code: failureCode ?? ('setup.prerequisites_missing' as const),
        text: `The tenant no longer meets a prerequisite. ${detail}`,
      })),
    ...(check.customDomain === known.customDomain
      ? []
      : [
          {
            code: 'okta.custom_domain_changed' as const,
            text: domainText(known.customDomain, check.customDomain),
          },
        ]),
    ...check.strayDomains.map((host) => ({
      code: 'okta.custom_domain_changed' as const,
      text: `The custom domain ${host}, which devices use, does not lead to this tenant.`,
    })),
    ...(change?.isAuthority === true && isTold
      ? [{ code: 'okta.authority_changed' as const, text: change.text, since: changedAt }]
      : []),
  ];
}

const domainText = (before: string | null, now: string | null): string =>
  `Okta's custom domain is ${now ?? 'none'}; devices use ${before ?? 'none'}.`;
