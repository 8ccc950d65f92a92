// Requests for a push certificate. Their private keys wait here, sealed, for the certificate that Apple issues.
import type { Sql } from '../base/database.ts';

export interface PushCertificateRequestRow {
  readonly id: string;
  readonly csrPem: string;
  readonly keySecretId: string;
  readonly createdAt: Date;
  /** A public signing service has it, and encrypts its response to this certificate. */
  readonly sentAt: Date | null;
  readonly recipientPem: string | null;
  readonly recipientKeySecretId: string | null;
}

const COLUMNS = `id, csr_pem, key_secret_id, created_at, sent_at,
  recipient_pem, recipient_key_secret_id`;

/** The newest; somebody may still bring the certificate of one before it. */
const MAX_KEPT = 5;

/** @param request.publicKeyHash SHA-256 of the SubjectPublicKeyInfo */
export async function insertPushCertificateRequest(
  sql: Sql,
  request: { readonly csrPem: string; readonly publicKeyHash: Buffer; readonly keySecretId: string },
): Promise<void> {
  await sql.query(
    'insert into push_certificate_requests (csr_pem, public_key_hash, key_secret_id) values ($1, $2, $3)',
    [request.csrPem, request.publicKeyHash, request.keySecretId],
  );
  await deleteRequests(
    sql,
    `id in (select id from push_certificate_requests order by created_at desc offset ${MAX_KEPT})`,
    [],
  );
}

export async function latestPushCertificateRequest(sql: Sql): Promise<PushCertificateRequestRow | undefined> {
  const [row] = await sql.query<PushCertificateRequestRow>(
    `select ${COLUMNS} from push_certificate_requests order by created_at desc limit 1`,
  );
  return row;
}

export async function recordSentToSigningService(
  sql: Sql,
  id: string,
  recipient: { readonly pem: string; readonly keySecretId: string },
): Promise<void> {
  await sql.query(
    'update push_certificate_requests set sent_at = now(), recipient_pem = $2, recipient_key_secret_id = $3 where id = $1',
    [id, recipient.pem, recipient.keySecretId],
  );
}

/** The key that a certificate's public key belongs to: of the newest request with it. */
export async function findPushKey(sql: Sql, publicKeyHash: Buffer): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    'select key_secret_id as id from push_certificate_requests where public_key_hash = $1 order by created_at desc limit 1',
    [publicKeyHash],
  );
  return row?.id;
}

/** Its certificate is in use: the key is the certificate's now, and nobody waits for the requests before it. */
export const endPushCertificateRequest = (sql: Sql, keySecretId: string): Promise<void> =>
  deleteRequests(
    sql,
    'created_at <= (select created_at from push_certificate_requests where key_secret_id = $1)',
    [keySecretId],
  );

async function deleteRequests(sql: Sql, which: string, parameters: readonly unknown[]): Promise<void> {
  const rows = await sql.query<{ keys: string[] }>(
    `delete from push_certificate_requests where ${which}
     returning array_remove(array[key_secret_id, recipient_key_secret_id], null) as keys`,
    [...parameters],
  );
  await sql.query(
    `delete from secrets where id = any ($1)
       and not exists (select from push_certificates where key_secret_id = secrets.id)
       and not exists (select from push_certificate_requests where secrets.id in (key_secret_id, recipient_key_secret_id))`,
    [rows.flatMap(({ keys }) => keys)],
  );
}
