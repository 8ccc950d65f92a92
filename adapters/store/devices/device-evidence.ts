// Everything that can be shown about one device beside its row in the list.
import type { PayloadScope } from '../../../domain/profile-identifier.ts';
import type {
  ReportedApplication,
  ReportedInstalledApplication,
  ReportedProfile,
} from '../../../domain/device-report.ts';
import type { CertificateUse } from '../../../domain/certificate-use.ts';
import type { SeenTimes } from '../../../domain/evidence-time.ts';
import type { Truth, TruthState } from '../../../domain/trust.ts';
import type { OktaMatch } from '../../../domain/okta-finding.ts';
import type { Sql } from '../base/database.ts';

export interface EvidenceRow {
  readonly truth: Truth;
  readonly state: TruthState;
  readonly evidence: string;
  readonly since: Date;
}

export const listEvidence = (sql: Sql, deviceId: string): Promise<EvidenceRow[]> =>
  sql.query<EvidenceRow>('select truth, state, evidence, since from device_truths where device_id = $1', [
    deviceId,
  ]);

/** SQL, of a `record` and the `reads` of its integration: a sweep that left it as it is has seen it too. */
const OBSERVED_AT = `case when record.unlisted_at is null then greatest(record.observed_at, reads.swept_at) else record.observed_at end`;

/** When the device listed each, and when Okta was asked. @param scope of the newest certificate: whose list counts */
export async function findSeenTimes(
  sql: Sql,
  deviceId: string,
  integrationId: string | null,
  scope: PayloadScope,
): Promise<SeenTimes> {
  const [row] = await sql.query<SeenTimes>(
    `select seen.profiles_at as profiles,
            case when $3 = 'User' then seen.user_certificates_at else seen.certificates_at end as certificates,
            coalesce(seen.applications_at, seen.installed_applications_at) as applications,
            coalesce(
              (select max(${OBSERVED_AT})
                 from okta_devices as record where record.device_id = $1 and record.integration_id = $2),
              reads.swept_at) as okta
       from (select $1::uuid as device_id) as wanted
       left join reported_inventory as seen on seen.device_id = wanted.device_id
       left join okta_reads as reads on reads.integration_id = $2`,
    [deviceId, integrationId, scope],
  );
  return row ?? { profiles: null, certificates: null, applications: null, okta: null };
}

export interface SentProfileRow {
  readonly kind: string;
  readonly identifier: string;
  readonly payloadUuid: string;
  readonly revision: string;
  readonly sentAt: Date;
}

export const listSentProfiles = (sql: Sql, deviceId: string): Promise<SentProfileRow[]> =>
  sql.query<SentProfileRow>(
    `select kind, identifier, payload_uuid, revision, sent_at from sent_profiles
      where device_id = $1 order by kind`,
    [deviceId],
  );

export interface ShownDelivery {
  readonly deliveryId: string;
  readonly integrationId: string;
  readonly slot: 'a' | 'b';
  readonly scope: PayloadScope;
  readonly state: 'sent' | 'proven' | 'failed' | 'superseded' | 'removed';
  readonly payloadUuid: string;
  readonly serialNumber: string | null;
  readonly issuer: string | null;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
  readonly sentAt: Date;
  readonly provenAt: Date | null;
  readonly removedAt: Date | null;
  readonly use: CertificateUse;
  readonly useEvidence: string | null;
}

export const listDeliveries = (sql: Sql, deviceId: string): Promise<ShownDelivery[]> =>
  sql.query<ShownDelivery>(
    `select id as delivery_id, integration_id, slot, scope, state, payload_uuid,
            serial_number, issuer, not_before, not_after, created_at as sent_at,
            proven_at, removed_at, use, use_evidence
       from certificate_deliveries where device_id = $1 order by created_at desc, id limit 50`,
    [deviceId],
  );

export interface OktaRecord {
  readonly oktaId: string;
  readonly status: string;
  readonly registered: boolean;
  readonly users: readonly { readonly login: string; readonly managementStatus: string }[];
  readonly match: OktaMatch | null;
  readonly lastUpdatedAt: Date;
  readonly observedAt: Date;
  readonly oktaHost: string;
}

export const listOktaRecords = (sql: Sql, deviceId: string): Promise<OktaRecord[]> =>
  sql.query<OktaRecord>(
    `select record.okta_id, record.status, record.registered, record.users, record.match,
            record.last_updated_at, integration.okta_host,
            ${OBSERVED_AT} as observed_at
       from okta_devices as record join integrations as integration on integration.id = record.integration_id
       left join okta_reads as reads on reads.integration_id = record.integration_id
      where record.device_id = $1 order by record.last_updated_at desc`,
    [deviceId],
  );

export interface ReportedRow {
  readonly profiles: readonly ReportedProfile[] | null;
  readonly applications: readonly ReportedApplication[] | null;
  readonly installedApplications: readonly ReportedInstalledApplication[] | null;
  readonly appConfigurationRevision: string | null;
}

export async function findReported(sql: Sql, deviceId: string): Promise<ReportedRow | undefined> {
  const [row] = await sql.query<ReportedRow>(
    `select profiles, applications, installed_applications,
            app_configuration_revision from reported_inventory where device_id = $1`,
    [deviceId],
  );
  return row;
}
