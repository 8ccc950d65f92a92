// A sweep of Okta's records as rows: what it lists, what its list lacked, and the devices whose trust is still to be derived from it.
import type { Database, Sql } from '../base/database.ts';

export interface SweepHistory {
  readonly sweptAt: Date | null;
  readonly wholeAt: Date | null;
  /** Records that are kept, counted up to `atMost`. */
  readonly records: number;
}

export async function findSweepHistory(
  sql: Sql,
  integrationId: string,
  atMost: number,
): Promise<SweepHistory> {
  const [row] = await sql.query<SweepHistory>(
    `select swept_at, whole_at,
            (select count(*)::int from (select from okta_devices where integration_id = $1 limit $2) as counted) as records
       from (select $1::uuid as id) as wanted left join okta_reads on integration_id = wanted.id`,
    [integrationId, atMost],
  );
  return row ?? { sweptAt: null, wholeAt: null, records: 0 };
}

/** What the sweep before had listed is forgotten. @param changedSince the sweep lists what changed later; null: all records */
export async function beginSweep(sql: Sql, integrationId: string, changedSince: Date | null): Promise<void> {
  await sql.query(
    `with gone as (delete from okta_sweep_pages where integration_id = $1)
     insert into okta_reads (integration_id, changed_since) select id, $2 from integrations where id = $1
     on conflict (integration_id) do update set changed_since = excluded.changed_since`,
    [integrationId, changedSince],
  );
}

export interface SweepUnderWay {
  readonly changedSince: Date | null;
  readonly derivesAll: boolean;
}

export async function findSweep(sql: Sql, integrationId: string): Promise<SweepUnderWay> {
  const [row] = await sql.query<SweepUnderWay>(
    'select changed_since, derives_all from okta_reads where integration_id = $1',
    [integrationId],
  );
  return row ?? { changedSince: null, derivesAll: false };
}

export async function recordPage(
  sql: Sql,
  integrationId: string,
  oktaIds: readonly string[],
  listedAt: Date,
): Promise<void> {
  await sql.query('insert into okta_sweep_pages (integration_id, listed_at, okta_ids) values ($1, $2, $3)', [
    integrationId,
    listedAt,
    oktaIds,
  ]);
}

/**
 * Records that a whole list lacked, the longest unseen first, of which `limit` are returned to be read by id. The others are marked: nobody
 * knows of them as of now.
 */
export async function findUnlisted(
  database: Database,
  integrationId: string,
  beganAt: Date,
  limit: number,
): Promise<string[]> {
  return database.inTransaction(async (sql) => {
    // Statistics from before the first sweep make each record look like the only one: joined in loops, a tenant of 5,000 took minutes.
    await sql.query('set local enable_nestloop = off');
    const rows = await sql.query<{ id: string }>(
      `with unlisted as materialized (
       select okta_id, row_number() over (order by observed_at, okta_id) as place from okta_devices as record
        where integration_id = $1 and observed_at < $2
          and not exists (select from (select unnest(okta_ids) as id from okta_sweep_pages where integration_id = $1 and listed_at >= $2) as listed
                           where listed.id = record.okta_id)),
     marked as (
       update okta_devices as record set unlisted_at = $2 from unlisted
        where record.integration_id = $1 and record.okta_id = unlisted.okta_id and record.unlisted_at is null and unlisted.place > $3)
     select okta_id as id from unlisted where place <= $3 order by place`,
      [integrationId, beganAt, limit],
    );
    return rows.map(({ id }) => id);
  });
}

/** Only a record that Okta deactivated can be deleted there, which no list of changes tells: some of them, others each time. */
export async function findDeletable(sql: Sql, integrationId: string, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select okta_id as id from okta_devices where integration_id = $1 and status = 'DEACTIVATED' order by random() limit $2`,
    [integrationId, limit],
  );
  return rows.map(({ id }) => id);
}

/** Okta's word on these devices changed: they are found again should this worker end before it has derived their trust. */
export async function addChanges(
  sql: Sql,
  integrationId: string,
  deviceIds: readonly string[],
): Promise<void> {
  if (deviceIds.length === 0) return;
  await sql.query(
    `insert into okta_changes (device_id, integration_id) select id, $1 from devices where id = any ($2)
     on conflict (device_id) do nothing`,
    [integrationId, deviceIds],
  );
}

export async function listChanges(sql: Sql, integrationId: string): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    'select device_id from okta_changes where integration_id = $1 order by device_id',
    [integrationId],
  );
  return rows.map(({ deviceId }) => deviceId);
}

export async function deleteChange(sql: Sql, deviceId: string): Promise<void> {
  await sql.query('delete from okta_changes where device_id = $1', [deviceId]);
}

/** A setting changed that decides what Okta's word means: the next sweep derives every device anew. */
export async function deriveAll(sql: Sql, integrationId: string): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, derives_all) select id, true from integrations where id = $1
     on conflict (integration_id) do update set derives_all = true`,
    [integrationId],
  );
}

/** Devices of which this integration keeps a record. */
export async function listRecordHolders(sql: Sql, integrationId: string): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    'select distinct device_id from okta_devices where integration_id = $1 and device_id is not null order by device_id',
    [integrationId],
  );
  return rows.map(({ deviceId }) => deviceId);
}

/** Whatever is shown of the integration's devices is as of its beginning. */
export async function recordSweep(
  sql: Sql,
  integrationId: string,
  beganAt: Date,
  sweep: SweepUnderWay = { changedSince: null, derivesAll: false },
): Promise<void> {
  await sql.query(
    `insert into okta_reads (integration_id, swept_at, whole_at) select id, $2, case when $3 then $2::timestamptz end from integrations where id = $1
     on conflict (integration_id) do update set swept_at = greatest(okta_reads.swept_at, excluded.swept_at),
       whole_at = greatest(okta_reads.whole_at, excluded.whole_at), failing_since = null, failure_code = null,
       derives_all = okta_reads.derives_all and not $4`,
    [integrationId, beganAt, sweep.changedSince === null, sweep.derivesAll],
  );
}
