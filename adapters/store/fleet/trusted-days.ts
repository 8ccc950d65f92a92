// How many devices were trusted, day by day: kept once a day, so that a year costs 365 rows an integration.
import type { Sql } from '../base/database.ts';

export interface TrustedDay {
  readonly day: string; // YYYY-MM-DD, UTC
  readonly devices: number;
  readonly trusted: number;
}

/** The last whole sweep of a day is the one that counts. */
export async function recordTrustedDay(sql: Sql, integrationId: string, at: Date): Promise<void> {
  await sql.query(
    `insert into trusted_days (integration_id, day, devices, trusted)
       select integration.id, ($2::timestamptz at time zone 'UTC')::date,
              coalesce(sum(total.value) filter (where total.name = 'total'), 0),
              coalesce(sum(total.value) filter (where total.name = 'bucket:trusted'), 0)
         from integrations as integration left join fleet_totals as total on total.integration_id = integration.id
        where integration.id = $1 group by integration.id
     on conflict (integration_id, day) do update set devices = excluded.devices, trusted = excluded.trusted`,
    [integrationId, at],
  );
}

/** Of all integrations together, the oldest day first; a day on which none was swept is left out. */
export const listTrustedDays = (sql: Sql, days: number): Promise<TrustedDay[]> =>
  sql.query<TrustedDay>(
    `select to_char(day, 'YYYY-MM-DD') as day, sum(devices)::int as devices, sum(trusted)::int as trusted from trusted_days
      where day > (now() at time zone 'UTC')::date - $1::int group by day order by day`,
    [days],
  );
