// How far Okta was read: when the last whole sweep of its devices began, and up to when its System Log is known.
import type { Sql } from '../base/database.ts';

export interface OktaReads {
  readonly sweptAt: Date | null;
  readonly logReadUntil: Date | null;
}

export async function findOktaReads(sql: Sql, integrationId: string): Promise<OktaReads> {
  const [row] = await sql.query<OktaReads>(
    'select swept_at as "sweptAt", log_read_until as "logReadUntil" from okta_reads where integration_id = $1',
    [integrationId],
  );
  return row ?? { sweptAt: null, logReadUntil: null };
}

/** A sweep reached its end: what is shown of the integration's devices is as of its beginning. */
export async function recordSweep(sql: Sql, integrationId: string, beganAt: Date): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, swept_at) select id, $2 from integrations where id = $1
     on conflict (integration_id) do update set swept_at = greatest(okta_reads.swept_at, excluded.swept_at)`,
    [integrationId, beganAt],
  );
}

export async function recordLogRead(sql: Sql, integrationId: string, until: Date): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, log_read_until) select id, $2 from integrations where id = $1
     on conflict (integration_id) do update set log_read_until = excluded.log_read_until`,
    [integrationId, until],
  );
}
