// The prerequisite list of the wizard: each passes, fails, or could not be checked, with what that means.
import { OKTA_VERIFY } from './device-report.ts';
import { CataloguedError, FAILURES } from './failures.ts';
import {
  includesScope,
  NEEDED_SCOPES,
  OKTA_SCOPES,
  PREREQUISITES,
  type PrerequisiteCheck,
  type PrerequisiteId,
  type Tenant,
} from './setup-wizard.ts';

/** What is asked of a tenant; the client of adapters/okta can. */
export interface TenantChecks {
  token(): Promise<{ readonly scopes: readonly string[] }>;
  /** Reads one device: a role may show authenticators and no devices. */
  checkDevices(): Promise<{
    /** This server's clock minus Okta's; undefined: Okta did not say, or they agree within what a network leaves open. */
    readonly clockSeconds?: number | undefined;
  }>;
  checkFastPass(): Promise<{
    readonly oktaVerifyActive: boolean;
    readonly fastPassActive: boolean;
    readonly warnings: readonly string[];
  }>;
}

/** What is asked of Apps and Books. */
interface LicenseChecks {
  asset(adamId: string): Promise<readonly { readonly available: number; readonly total: number }[]>;
  /** Which MDM server claimed the location last; without an id none did. */
  location(): Promise<{ readonly name: string; readonly mdmId?: string; readonly mdmName?: string }>;
}

export interface PrerequisiteSources {
  readonly tenant: Tenant;
  /** Ticked by the admin where it cannot be checked. */
  readonly confirmed: readonly PrerequisiteId[];
  oktaClient(): Promise<TenantChecks>;
  appsAndBooks(): Promise<LicenseChecks>;
  /** Under which this installation claims a location. */
  appsAndBooksId(): Promise<string>;
}

type Finding = Omit<PrerequisiteCheck, 'id' | 'confirmed'>;

const passed = (detail: string): Finding => ({ result: 'passed', detail });
const failed = (detail: string): Finding => ({ result: 'failed', detail });
const unchecked = (detail: string): Finding => ({ result: 'not_checked', detail });

function failedBy(error: unknown, because = ''): Finding {
  // Odette's own tables are no prerequisite in Okta: the whole check is tried again.
  if (!(error instanceof CataloguedError) || error.code === 'store.unavailable') throw error;
  const { title, isRetried } = FAILURES[error.code];
  return {
    result: isRetried ? 'not_checked' : 'failed',
    detail: `${because}${error.code === 'okta.clock_off' ? String(error.facts['reason']) : title}`,
    failureCode: error.code,
  };
}

export async function findPrerequisites(
  sources: PrerequisiteSources,
): Promise<{ prerequisites: PrerequisiteCheck[]; grantedScopes: readonly string[] }> {
  const findings = new Map<PrerequisiteId, Finding>();
  const { pipeline, host } = sources.tenant;
  findings.set(
    'identity_engine',
    pipeline === 'idx' ? passed(`${host} runs Identity Engine.`) : failed(`${host} runs Classic Engine.`),
  );
  const grantedScopes = await readOktaState(sources, findings);
  findings.set('okta_verify_licenses', await requestLicenses(sources));
  findings.set(
    'adaptive_mfa',
    unchecked(
      'Okta has no API for this. Okta shows Device integrations only if the tenant has Adaptive MFA.',
    ),
  );
  const prerequisites = PREREQUISITES.map((id) => {
    const finding = findings.get(id) ?? unchecked('Odette cannot check this without a token.');
    return { id, ...finding, confirmed: finding.result === 'not_checked' && sources.confirmed.includes(id) };
  });
  return { prerequisites, grantedScopes };
}

async function readOktaState(
  sources: PrerequisiteSources,
  findings: Map<PrerequisiteId, Finding>,
): Promise<readonly string[]> {
  let client: TenantChecks;
  let scopes: readonly string[];
  try {
    client = await sources.oktaClient();
    scopes = (await client.token()).scopes;
  } catch (error) {
    // Nothing is known while Okta cannot be reached: the whole check is tried again.
    if (error instanceof CataloguedError && FAILURES[error.code].isRetried) throw error;
    findings.set('token', failedBy(error));
    return [];
  }
  findings.set('token', passed('Okta issued a token.'));
  findings.set('scopes', judgeScopes(scopes));
  try {
    const { clockSeconds } = await client.checkDevices();
    findings.set('devices_readable', passed('Okta lets Odette read devices.'));
    findings.set('clock', judgeClock(clockSeconds));
  } catch (error) {
    if (error instanceof CataloguedError && FAILURES[error.code].isRetried) throw error;
    findings.set('devices_readable', failedBy(error));
  }
  try {
    const { oktaVerifyActive, fastPassActive, warnings } = await client.checkFastPass();
    findings.set(
      'okta_verify_active',
      oktaVerifyActive ? passed('Okta Verify is active.') : failed('Okta Verify is not active.'),
    );
    const detail = ['Okta FastPass is active.', ...warnings].join(' ');
    findings.set('fastpass_active', fastPassActive ? passed(detail) : failed('Okta FastPass is not active.'));
  } catch (error) {
    if (error instanceof CataloguedError && FAILURES[error.code].isRetried) throw error;
    findings.set('okta_verify_active', failedBy(error));
    findings.set('fastpass_active', failedBy(error));
  }
  return scopes;
}

function judgeClock(seconds: number | undefined): Finding {
  if (seconds === undefined) return passed("This server's clock agrees with Okta's.");
  return { ...failed(clockText(seconds)), failureCode: 'okta.clock_off' };
}

/** @param seconds this server's clock minus Okta's */
export const clockText = (seconds: number): string =>
  `The clock of this server is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} Okta's.`;

/** The manage scope is asked for as in Okta's catalogue, and never used: without it nothing is lacking. */
function judgeScopes(scopes: readonly string[]): Finding {
  const lacking = OKTA_SCOPES.filter((scope) => !includesScope(scopes, scope));
  if (lacking.length === 0) return passed('All three scopes are granted.');
  const names = `Not granted: ${lacking.join(', ')}.`;
  if (NEEDED_SCOPES.some((scope) => lacking.includes(scope)))
    return { ...failed(names), failureCode: 'okta.scope_not_granted' };
  return passed(`${names} Odette works without it, because Odette changes nothing in Okta.`);
}

async function requestLicenses({ appsAndBooks, appsAndBooksId }: PrerequisiteSources): Promise<Finding> {
  try {
    const client = await appsAndBooks();
    const { name, mdmId, mdmName } = await client.location();
    if (mdmId !== undefined && mdmId !== (await appsAndBooksId()))
      return {
        ...failed(`“${mdmName ?? mdmId}” also uses the Apps and Books location “${name}”.`),
        failureCode: 'apps_and_books.held_by_other',
      };
    const assets = await client.asset(OKTA_VERIFY.adamId);
    const total = assets.reduce((sum, asset) => sum + asset.total, 0);
    const available = assets.reduce((sum, asset) => sum + asset.available, 0);
    return total > 0
      ? passed(`${available} of ${total} licenses left.`)
      : failed('There are no Okta Verify licenses.');
  } catch (error) {
    if (error instanceof CataloguedError && error.code === 'apps_and_books.token_missing')
      return { ...unchecked('No Apps and Books token is uploaded.'), failureCode: error.code };
    return failedBy(error);
  }
}
