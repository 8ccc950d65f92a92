// What a device said last: each list replaces the one before as a whole.
import type {
  ReportedApplication,
  ReportedCertificate,
  ReportedInstalledApplication,
  ReportedProfile,
} from '../../../domain/device-report.ts';
import type { PayloadScope } from '../../../domain/profile-identifier.ts';
import { recordedText } from '../../../domain/recorded-text.ts';
import type { Sql } from '../base/database.ts';

export interface ReportedInventory {
  readonly profiles: readonly ReportedProfile[] | null;
  readonly profilesAt: Date | null;
  readonly certificates: readonly ReportedCertificate[] | null;
  readonly certificatesAt: Date | null;
  readonly applications: readonly ReportedApplication[] | null;
  readonly applicationsAt: Date | null;
  readonly installedApplications: readonly ReportedInstalledApplication[] | null;
  readonly installedApplicationsAt: Date | null;
  /** Of the configuration that was read back and found equal to an expected one; never the configuration itself. */
  readonly appConfigurationRevision: string | null;
  readonly appConfigurationAt: Date | null;
}

/** A column of `reported_inventory`, whose time is in the one with `_at`. */
export type List =
  | 'profiles'
  | 'certificates'
  | 'user_profiles'
  | 'user_certificates'
  | 'applications'
  | 'installed_applications';

/** The statement that replaces a list. @param source a query of the device's id, the entries as jsonb, and the time */
export const replacingList = (
  list: List,
  source: string,
): string => `insert into reported_inventory (device_id, ${list}, ${list}_at) ${source}
  on conflict (device_id) do update set ${list} = excluded.${list}, ${list}_at = excluded.${list}_at`;

async function replaceList(
  sql: Sql,
  deviceId: string,
  list: List,
  entries: readonly object[],
): Promise<void> {
  await sql.query(replacingList(list, 'values ($1, $2::jsonb, now())'), [
    deviceId,
    JSON.stringify(entries, recorded),
  ]);
}

/** The names in a certificate may hold anything. */
export const recorded = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? recordedText(value) : value;

/** `scope` User: of its user's channel. */
export const replaceProfiles = (
  sql: Sql,
  deviceId: string,
  profiles: readonly ReportedProfile[],
  scope: PayloadScope = 'System',
): Promise<void> => replaceList(sql, deviceId, scope === 'User' ? 'user_profiles' : 'profiles', profiles);

/** `scope` User: of the login keychain. */
export const replaceCertificates = (
  sql: Sql,
  deviceId: string,
  certificates: readonly ReportedCertificate[],
  scope: PayloadScope = 'System',
): Promise<void> =>
  replaceList(sql, deviceId, scope === 'User' ? 'user_certificates' : 'certificates', certificates);

/** A user's channel is gone: what it listed is out of reach, and proven no longer. */
export async function deleteUserLists(sql: Sql, deviceId: string): Promise<void> {
  await sql.query(
    `update reported_inventory set user_profiles = null, user_profiles_at = null, user_certificates = null, user_certificates_at = null
      where device_id = $1`,
    [deviceId],
  );
}

export const replaceApplications = (
  sql: Sql,
  deviceId: string,
  applications: readonly ReportedApplication[],
): Promise<void> => replaceList(sql, deviceId, 'applications', applications);

export const replaceInstalledApplications = (
  sql: Sql,
  deviceId: string,
  applications: readonly ReportedInstalledApplication[],
): Promise<void> => replaceList(sql, deviceId, 'installed_applications', applications);

/** `revision` null: what the device has is not what was expected (or nothing was expected). */
export async function recordAppConfiguration(
  sql: Sql,
  deviceId: string,
  revision: string | null,
): Promise<void> {
  await sql.query(
    `insert into reported_inventory (device_id, app_configuration_revision, app_configuration_at) values ($1, $2, now())
     on conflict (device_id) do update set app_configuration_revision = excluded.app_configuration_revision,
       app_configuration_at = excluded.app_configuration_at`,
    [deviceId, revision],
  );
}

export async function findInventory(sql: Sql, deviceId: string): Promise<ReportedInventory | undefined> {
  const [row] = await sql.query<ReportedInventory>(
    `select profiles, profiles_at, certificates, certificates_at, applications,
            applications_at, installed_applications,
            installed_applications_at, app_configuration_revision,
            app_configuration_at
       from reported_inventory where device_id = $1`,
    [deviceId],
  );
  return row;
}

/** So much of a device's last unusable responses is kept that a person sees what is wrong, and no device fills the disk. */
const MAX_KEPT_RESPONSES = 20;
const MAX_KEPT_BYTES = 64 * 1024;

/** A response that could not be used: kept for inspection. Its reader must have left out what may hold a secret. */
export async function recordUnparsedResponse(
  sql: Sql,
  response: { readonly deviceId: string; readonly reason: string; readonly body: Buffer },
): Promise<void> {
  await sql.query('insert into unparsed_responses (device_id, reason, body) values ($1, $2, $3)', [
    response.deviceId,
    response.reason,
    response.body.subarray(0, MAX_KEPT_BYTES),
  ]);
  await sql.query(
    `delete from unparsed_responses where id in (
       select id from unparsed_responses where device_id = $1 order by at desc, id offset ${MAX_KEPT_RESPONSES})`,
    [response.deviceId],
  );
}

export interface UnparsedResponse {
  readonly id: string;
  readonly at: Date;
  readonly reason: string;
  readonly body: Buffer;
}

/** The newest first. */
export const listUnparsedResponses = (sql: Sql, deviceId: string): Promise<UnparsedResponse[]> =>
  sql.query<UnparsedResponse>(
    'select id, at, reason, body from unparsed_responses where device_id = $1 order by at desc, id',
    [deviceId],
  );

/** Returns how many went. */
export async function pruneUnparsedResponses(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from unparsed_responses where id in (
       select id from unparsed_responses where at < now() - make_interval(days => $1) limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
