// The newest check of each integration: what is shown and alarmed of it until the next one.
import {
  authorityChange,
  type AuthorityCertificate,
  type AuthorityChange,
  type IntegrationCheck,
} from '../../../domain/integration-check.ts';
import { appendAudit } from '../base/audit.ts';
import type { Sql } from '../base/database.ts';
import { appendEvent } from '../base/events.ts';
import type { IntegrationRow } from './integrations.ts';

export interface IntegrationCheckRow extends Omit<IntegrationCheck, 'authority'> {
  readonly checkedAt: Date;
  /** Certificates as they were seen last; null: never. */
  readonly authority: readonly AuthorityCertificate[] | null;
  readonly authorityChangedAt: Date | null;
  readonly authorityChange: AuthorityChange | null;
}

export async function findIntegrationCheck(
  sql: Sql,
  integrationId: string,
): Promise<IntegrationCheckRow | undefined> {
  const [row] = await sql.query<IntegrationCheckRow>(
    `select checked_at, prerequisites, custom_domain, stray_domains,
            failure_code, authority, authority_changed_at, authority_change
       from integration_checks where integration_id = $1`,
    [integrationId],
  );
  return row;
}

/** A check that could not see the authority keeps the one seen before. An integration that is gone has none. */
export async function recordIntegrationCheck(
  sql: Sql,
  integrationId: string,
  check: IntegrationCheck,
): Promise<void> {
  // The lock: of two checks at once the second compares with what the first has seen.
  const [integration] = await sql.query('select 1 from integrations where id = $1 for update', [
    integrationId,
  ]);
  if (integration === undefined) return;
  const before = await findIntegrationCheck(sql, integrationId);
  const known = before?.authority ?? null;
  const change =
    known === null || check.authority === null ? undefined : authorityChange(known, check.authority);
  await sql.query(
    `insert into integration_checks (integration_id, checked_at, prerequisites, custom_domain, stray_domains, failure_code, authority,
                                     authority_changed_at, authority_change)
     values ($1, now(), $2::jsonb, $3, $4, $5, $6::jsonb, case when $7::jsonb is null then null else now() end, $7::jsonb)
     on conflict (integration_id) do update set checked_at = excluded.checked_at, prerequisites = excluded.prerequisites,
       custom_domain = excluded.custom_domain, stray_domains = excluded.stray_domains, failure_code = excluded.failure_code,
       authority = coalesce(excluded.authority, integration_checks.authority),
       authority_changed_at = coalesce(excluded.authority_changed_at, integration_checks.authority_changed_at),
       authority_change = coalesce(excluded.authority_change, integration_checks.authority_change)`,
    [
      integrationId,
      JSON.stringify(check.prerequisites),
      check.customDomain,
      check.strayDomains,
      check.failureCode,
      check.authority === null ? null : JSON.stringify(check.authority),
      change === undefined ? null : JSON.stringify(change),
    ],
  );
  const subject = `integration:${integrationId}`;
  if (change !== undefined) {
    await appendAudit(sql, {
      actor: 'system',
      action: 'integration.authority_changed',
      subject,
      detail: { text: change.text, before: known, now: check.authority },
    });
    await appendEvent(sql, { kind: 'integration.authority_changed', subject, data: { text: change.text } });
  }
  await appendEvent(sql, { kind: 'integration.checked', subject });
}

/** What was found of a platform's SCEP server that is another one now, or of a tenant that was answered anew. */
export async function deleteAuthority(sql: Sql, integrationId: string): Promise<void> {
  await sql.query(
    'update integration_checks set authority = null, authority_changed_at = null, authority_change = null where integration_id = $1',
    [integrationId],
  );
}

/** The custom domains that devices have, beside the tenant that they belong to. */
export const integrationDomains = ({ oktaOrgId, channel, customDomain, settings }: IntegrationRow) => ({
  oktaOrgId,
  channel,
  customDomain,
  furtherDomains: settings.furtherDomains ?? [],
});
