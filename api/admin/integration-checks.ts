// The newest check of each integration, as it is shown and alarmed; and the custom domains that an admin adds.
import type { z } from 'zod';
import { guardedHttp } from '../../adapters/okta/guarded-http.ts';
import { normalizeOktaHost } from '../../adapters/okta/host.ts';
import { readOrganization } from '../../adapters/okta/organization.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import {
  findIntegrationCheck,
  integrationDomains,
} from '../../adapters/store/integration/integration-checks.ts';
import { listIntegrations, type IntegrationRow } from '../../adapters/store/integration/integrations.ts';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { checkTroubles } from '../../domain/integration-check.ts';
import { PREREQUISITE_TEXTS } from '../../domain/prerequisite-text.ts';
import type { Integration } from '../contract/integrations.ts';
import { fieldProblem } from '../http/problem.ts';
import { failureOrNull } from './failure-view.ts';
import { showCheck } from './setup-view.ts';

export async function showIntegrationCheck(
  sql: Sql,
  id: string,
): Promise<z.input<typeof Integration>['check']> {
  const check = await findIntegrationCheck(sql, id);
  if (check === undefined) return null;
  const { authorityChange: change, authorityChangedAt } = check;
  return {
    at: check.checkedAt,
    failure: failureOrNull(check.failureCode),
    items: check.prerequisites.map(showCheck),
    customDomain: check.customDomain,
    strayDomains: [...check.strayDomains],
    authority: check.authority && [...check.authority],
    authorityChange: change && authorityChangedAt && { at: authorityChangedAt, text: change.text },
  };
}

export async function checksOf(sql: Sql) {
  const checks = [];
  for (const { id, name } of await listIntegrations(sql)) {
    const check = await findIntegrationCheck(sql, id);
    const failed = (check?.prerequisites ?? []).filter(({ result }) => result === 'failed');
    checks.push({
      integration: { id, name },
      at: check?.checkedAt ?? null,
      failed: failed.map((one) => PREREQUISITE_TEXTS[one.id].title),
    });
  }
  return checks;
}

/** What somebody should know without looking. */
export async function listCheckTroubles(sql: Sql, integrations: readonly IntegrationRow[]) {
  const found = [];
  for (const integration of integrations) {
    const check = await findIntegrationCheck(sql, integration.id);
    if (check === undefined) continue;
    for (const { code, text, since } of checkTroubles(check, integrationDomains(integration), new Date()))
      found.push({
        integrationId: integration.id,
        code,
        text: `${integration.name}: ${text}`,
        since: since ?? check.checkedAt,
      });
  }
  return found;
}

/** As they are stored: hosts that lead to the tenant, each once. @throws ProblemError naming one that does not */
export async function ownDomains(
  integration: IntegrationRow,
  domains: readonly string[] | undefined,
  allowedPrivateHosts: readonly string[],
): Promise<string[] | undefined> {
  if (domains === undefined) return undefined;
  const known = integration.settings.furtherDomains ?? [];
  const hosts = new Set<string>();
  for (const [index, domain] of domains.entries()) {
    const problem = (code: FailureCode) =>
      fieldProblem(code, `settings.furtherDomains.${index}`, { detail: domain });
    try {
      const host = normalizeOktaHost(domain, allowedPrivateHosts);
      if (!known.includes(host)) {
        const { orgId } = await readOrganization(host, guardedHttp(allowedPrivateHosts));
        if (orgId !== integration.oktaOrgId) throw problem('setup.other_tenant');
      }
      hosts.add(host);
    } catch (error) {
      throw error instanceof CataloguedError ? problem(error.code) : error;
    }
  }
  return [...hosts];
}
