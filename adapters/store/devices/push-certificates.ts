// Push certificates by topic: a renewed one keeps its topic; another topic needs every device to enroll again.
import type { AccessRightsPreset } from '../../../domain/access-rights.ts';
import type { Sql } from '../base/database.ts';

export interface PushCertificateRow {
  readonly topic: string;
  readonly certificatePem: string;
  readonly keySecretId: string;
  /** Of every device that enrolls with this topic. */
  readonly accessRights: AccessRightsPreset;
  readonly notAfter: Date;
  readonly setAt: Date;
  /** When APNs last refused it: it is asked seldom until it is replaced. */
  readonly refusedAt: Date | null;
}

const COLUMNS = `topic, certificate_pem, key_secret_id, access_rights, not_after,
  set_at, refused_at`;

/** A renewal keeps the access rights of its topic. */
export async function storePushCertificate(
  sql: Sql,
  certificate: Omit<PushCertificateRow, 'setAt' | 'refusedAt'>,
): Promise<void> {
  await sql.query(
    `insert into push_certificates (topic, certificate_pem, key_secret_id, not_after, access_rights) values ($1, $2, $3, $4, $5)
     on conflict (topic) do update set certificate_pem = excluded.certificate_pem, key_secret_id = excluded.key_secret_id,
       not_after = excluded.not_after, set_at = now(), refused_at = null`,
    [
      certificate.topic,
      certificate.certificatePem,
      certificate.keySecretId,
      certificate.notAfter,
      certificate.accessRights,
    ],
  );
}

export async function findPushCertificate(
  sql: Sql,
  topic: string,
): Promise<(PushCertificateRow & { readonly keyVersion: number }) | undefined> {
  const [row] = await sql.query<PushCertificateRow & { readonly keyVersion: number }>(
    `select ${COLUMNS}, (select version from secrets where id = key_secret_id) as key_version from push_certificates where topic = $1`,
    [topic],
  );
  return row;
}

/** Devices that are woken under a topic; `unreachable` ones come back to it with their next TokenUpdate. */
const ENROLLED = `enrollment_status in ('authenticated', 'enrolled', 'unreachable')`;

/** What must stay valid: the one that new enrollments use first, then those of topics that enrolled devices use. */
export async function pushCertificatesInUse(sql: Sql): Promise<PushCertificateRow[]> {
  return sql.query<PushCertificateRow>(
    `select ${COLUMNS} from push_certificates
      where set_at = (select max(set_at) from push_certificates)
         or exists (select 1 from devices where devices.topic = push_certificates.topic and ${ENROLLED})
      order by set_at desc`,
  );
}

export async function countEnrolledWith(sql: Sql, topic: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*)::int as count from devices where topic = $1 and ${ENROLLED}`,
    [topic],
  );
  return row?.count ?? 0;
}

/** The one that new enrollments use: the last that was set. */
export async function currentPushCertificate(sql: Sql): Promise<PushCertificateRow | undefined> {
  const [row] = await sql.query<PushCertificateRow>(
    `select ${COLUMNS} from push_certificates order by set_at desc limit 1`,
  );
  return row;
}

/** What APNs said of the certificate that was set at `setAt`: nothing of one that has replaced it meanwhile. */
export async function markPushCertificate(
  sql: Sql,
  { topic, setAt }: Pick<PushCertificateRow, 'topic' | 'setAt'>,
  said: 'refused' | 'taken',
): Promise<void> {
  await sql.query(
    `update push_certificates set refused_at = case when $3 then now() end
      where topic = $1 and date_trunc('milliseconds', set_at) = $2`,
    [topic, setAt, said === 'refused'],
  );
}

/** APNs no longer knows the device's token: no more pushes until its next TokenUpdate. */
export async function markPushTokenGone(sql: Sql, deviceId: string, token: Uint8Array): Promise<boolean> {
  const rows = await sql.query(
    `update devices set enrollment_status = 'unreachable' where id = $1 and push_token = $2 and enrollment_status = 'enrolled'
     returning 1`,
    [deviceId, token],
  );
  return rows.length > 0;
}
