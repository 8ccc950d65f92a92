// Responses saved for repeated requests: an Idempotency-Key is bound to its caller and its body.
import type { Sql } from './database.ts';

export interface SavedResponse {
  readonly fingerprint: Buffer;
  /** Null: the first request is still running, or died without a trace. */
  readonly status: number | null;
  readonly body: unknown;
}

/**
 * Claims the key inside the transaction of the change: true if it is new. A second request with the key waits here until the
 * first one's transaction is over.
 */
export async function claimKey(sql: Sql, caller: string, key: string, fingerprint: Buffer): Promise<boolean> {
  const rows = await sql.query(
    'insert into idempotency_keys (caller, key, fingerprint) values ($1, $2, $3) on conflict do nothing returning 1',
    [caller, key, fingerprint],
  );
  return rows.length > 0;
}

export async function findSavedResponse(
  sql: Sql,
  caller: string,
  key: string,
): Promise<SavedResponse | undefined> {
  const [row] = await sql.query<SavedResponse>(
    'select fingerprint, status, body from idempotency_keys where caller = $1 and key = $2',
    [caller, key],
  );
  return row;
}

export async function saveResponse(
  sql: Sql,
  caller: string,
  key: string,
  response: { readonly status: number; readonly body: unknown },
): Promise<void> {
  await sql.query(
    'update idempotency_keys set status = $3, body = $4::jsonb where caller = $1 and key = $2',
    [caller, key, response.status, response.body === undefined ? null : JSON.stringify(response.body)],
  );
}

/** Keys are good for some days. Returns how many went. */
export async function pruneKeys(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    'delete from idempotency_keys where created_at < now() - make_interval(days => $1) returning 1',
    [olderThanDays],
  );
  return rows.length;
}
