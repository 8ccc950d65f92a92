// How far Okta was read: when the last whole sweep of its devices began, and up to when its System Log is known.
import type { Sql } from '../base/database.ts';

export interface OktaReads {
  readonly sweptAt: Date | null;
  readonly logReadUntil: Date | null;
  /** The first failure since the last whole sweep, and the code of the last one. */
  readonly failingSince: Date | null;
  readonly failureCode: string | null;
}

export async function findOktaReads(sql: Sql, integrationId: string): Promise<OktaReads> {
  const [row] = await sql.query<OktaReads>(
    `select swept_at, log_read_until, failing_since, failure_code
       from okta_reads where integration_id = $1`,
    [integrationId],
  );
  return row ?? { sweptAt: null, logReadUntil: null, failingSince: null, failureCode: null };
}

/** A page of a sweep, or its end, could not be read or understood. */
export async function recordSweepFailure(
  sql: Sql,
  integrationId: string,
  failureCode: string,
): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, failing_since, failure_code) select id, now(), $2 from integrations where id = $1
     on conflict (integration_id) do update set failing_since = coalesce(okta_reads.failing_since, excluded.failing_since),
       failure_code = excluded.failure_code`,
    [integrationId, failureCode],
  );
}

export async function recordLogRead(sql: Sql, integrationId: string, until: Date): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, log_read_until) select id, $2 from integrations where id = $1
     on conflict (integration_id) do update set log_read_until = excluded.log_read_until`,
    [integrationId, until],
  );
}
