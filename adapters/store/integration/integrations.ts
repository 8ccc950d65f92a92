// Integrations, their platforms, and the health of their connections.
import type { Platform } from '../../../domain/device.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import {
  DEFAULT_INTEGRATION_SETTINGS,
  type IntegrationSettings,
} from '../../../domain/integration-settings.ts';
import type { CredentialsKind, SetupChannel } from '../../../domain/setup-wizard.ts';
import type { Sql } from '../base/database.ts';

export interface IntegrationRow {
  readonly id: string;
  readonly name: string;
  readonly oktaOrgId: string;
  /** host[:port] of the tenant, no scheme. */
  readonly oktaHost: string;
  readonly customDomain: string | null;
  readonly channel: SetupChannel;
  readonly credentialsKind: CredentialsKind;
  readonly clientId: string;
  readonly credentialsSecretId: string;
  readonly grantedScopes: readonly string[];
  /** What differs from the defaults. */
  readonly settings: Partial<IntegrationSettings>;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

export interface PlatformRow {
  readonly integrationId: string;
  readonly platform: Platform;
  readonly scepUrl: string | null;
  readonly challengeUrl: string | null;
  readonly challengeUsername: string | null;
  readonly providerName: string | null;
  /** Challenge password (macOS) or secret key (iOS). */
  readonly secretId: string;
  readonly changedAt: Date;
}

const COLUMNS = `id, name, okta_org_id, okta_host, custom_domain, channel,
  credentials_kind, client_id, credentials_secret_id,
  granted_scopes, settings, created_at, changed_at`;
const PLATFORM_COLUMNS = `integration_id as integration_id, platform, scep_url, challenge_url,
  challenge_username, provider_name, secret_id, changed_at`;

export const listIntegrations = (sql: Sql): Promise<IntegrationRow[]> =>
  sql.query<IntegrationRow>(`select ${COLUMNS} from integrations order by created_at`);

export async function findIntegration(
  sql: Sql,
  id: string,
): Promise<(IntegrationRow & { readonly credentialsVersion: number }) | undefined> {
  const [row] = await sql.query<IntegrationRow & { readonly credentialsVersion: number }>(
    `select ${COLUMNS}, (select version from secrets where id = credentials_secret_id) as credentials_version
       from integrations where id = $1`,
    [id],
  );
  return row;
}

export async function findIntegrationOfOrg(sql: Sql, oktaOrgId: string): Promise<IntegrationRow | undefined> {
  const [row] = await sql.query<IntegrationRow>(
    `select ${COLUMNS} from integrations where okta_org_id = $1`,
    [oktaOrgId],
  );
  return row;
}

type NumberOf<Settings> = {
  [Name in keyof Settings]: Settings[Name] extends number ? Name : never;
}[keyof Settings];

/** SQL for one number of the row called `integration`, its default included, as double precision. */
export const settingSql = (name: NumberOf<IntegrationSettings>): string =>
  `coalesce((integration.settings->>'${name}')::float8, ${DEFAULT_INTEGRATION_SETTINGS[name]})`;

export type NewIntegration = Omit<IntegrationRow, 'settings' | 'createdAt' | 'changedAt'>;

/** Adds the integration, or changes it when its id is known. Integration settings of a known one stay. */
export async function saveIntegration(sql: Sql, integration: NewIntegration): Promise<void> {
  await sql.query(
    `insert into integrations (id, name, okta_org_id, okta_host, custom_domain, credentials_kind, client_id, credentials_secret_id, granted_scopes, channel)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (id) do update set okta_host = excluded.okta_host, custom_domain = excluded.custom_domain,
       credentials_kind = excluded.credentials_kind, client_id = excluded.client_id,
       credentials_secret_id = excluded.credentials_secret_id, granted_scopes = excluded.granted_scopes,
       channel = excluded.channel, changed_at = now()`,
    [
      integration.id,
      integration.name,
      integration.oktaOrgId,
      integration.oktaHost,
      integration.customDomain,
      integration.credentialsKind,
      integration.clientId,
      integration.credentialsSecretId,
      integration.grantedScopes,
      integration.channel,
    ],
  );
}

export async function changeIntegration(
  sql: Sql,
  id: string,
  change: {
    readonly name?: string | undefined;
    readonly settings?: Partial<IntegrationSettings> | undefined;
  },
): Promise<void> {
  await sql.query(
    `update integrations set name = coalesce($2, name), settings = settings || coalesce($3::jsonb, '{}'), changed_at = now() where id = $1`,
    [id, change.name ?? null, change.settings ? JSON.stringify(change.settings) : null],
  );
}

export const listPlatforms = (sql: Sql, integrationId: string): Promise<PlatformRow[]> =>
  sql.query<PlatformRow>(
    `select ${PLATFORM_COLUMNS} from integration_platforms where integration_id = $1 order by platform desc`,
    [integrationId],
  );

export async function savePlatform(sql: Sql, platform: Omit<PlatformRow, 'changedAt'>): Promise<void> {
  await sql.query(
    `insert into integration_platforms (integration_id, platform, scep_url, challenge_url, challenge_username, provider_name, secret_id)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (integration_id, platform) do update set scep_url = excluded.scep_url, challenge_url = excluded.challenge_url,
       challenge_username = excluded.challenge_username, provider_name = excluded.provider_name, secret_id = excluded.secret_id,
       changed_at = now()`,
    [
      platform.integrationId,
      platform.platform,
      platform.scepUrl,
      platform.challengeUrl,
      platform.challengeUsername,
      platform.providerName,
      platform.secretId,
    ],
  );
}

export type Connection = 'okta' | 'challenge' | 'scep' | 'apps_and_books';

export interface HealthRow {
  readonly connection: Connection;
  readonly ok: boolean;
  readonly failureCode: FailureCode | null;
  readonly at: Date;
}

/**
 * A success of a busy connection is written once a minute; a change at once, with an event for who watches. Whoever sees that it is written does not
 * wait for the row: a fleet of devices would stand in line for it.
 */
export async function recordHealth(
  sql: Sql,
  integrationId: string,
  connection: Connection,
  failureCode: FailureCode | undefined,
): Promise<void> {
  await sql.query(
    `with before as (select failure_code, at from connection_health where integration_id = $1 and connection = $2),
     noted as (
       insert into connection_health (integration_id, connection, ok, failure_code, at)
       select id, $2, $3::text is null, $3, now() from integrations
        where id = $1 and not exists (
          select from before where failure_code is not distinct from $3 and at >= now() - interval '1 minute')
       on conflict (integration_id, connection) do update set ok = excluded.ok, failure_code = excluded.failure_code, at = excluded.at
        where connection_health.failure_code is distinct from excluded.failure_code or connection_health.at < now() - interval '1 minute'
       returning failure_code),
     told as (
       insert into events (kind, subject, data)
       select 'integration.health_changed', 'integration:' || $1::text, jsonb_build_object('connection', $2, 'failureCode', failure_code) from noted
        where failure_code is distinct from (select failure_code from before) returning 1)
     select pg_notify('odette_events', '') from told`,
    [integrationId, connection, failureCode ?? null],
  );
}

export const listHealth = (sql: Sql, integrationId: string): Promise<HealthRow[]> =>
  sql.query<HealthRow>(
    'select connection, ok, failure_code, at from connection_health where integration_id = $1 order by connection',
    [integrationId],
  );
