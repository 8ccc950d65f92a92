// How often the sweeps of an integration run.
import { integrationSettingsOf, type IntegrationSettings } from '../../../domain/integration-settings.ts';
import type { Sql } from '../base/database.ts';

export interface SweepIntervals {
  readonly trustMinutes: number;
  readonly enforcementMinutes: number;
  readonly expiryMinutes: number;
}

/** undefined: there is no such integration (any more). */
export async function findSweepIntervals(
  sql: Sql,
  integrationId: string,
): Promise<SweepIntervals | undefined> {
  const [row] = await sql.query<{ settings: Partial<IntegrationSettings> }>(
    'select settings from integrations where id = $1',
    [integrationId],
  );
  if (!row) return undefined;
  const settings = integrationSettingsOf(row.settings);
  return {
    trustMinutes: settings.trustSweepMinutes,
    enforcementMinutes: settings.enforcementSweepMinutes,
    expiryMinutes: settings.expirySweepMinutes,
  };
}

/** All numbers of an integration, defaults filled in. undefined: there is no such integration (any more). */
export async function findSettings(
  sql: Sql,
  integrationId: string,
): Promise<IntegrationSettings | undefined> {
  const [row] = await sql.query<{ settings: Partial<IntegrationSettings> }>(
    'select settings from integrations where id = $1',
    [integrationId],
  );
  return row && integrationSettingsOf(row.settings);
}
