// Devices in scope of an integration: in pages for the sweeps, and how many there are.
import type { Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';
import { isHeldSql } from '../rollout/affected-devices.ts';

const IN_SCOPE = `from device_scope as scope
  left join device_trust as trust on trust.device_id = scope.device_id
 where scope.integration_id = $1 and scope.is_in_scope`;

export interface DueDevice {
  readonly id: string;
  /** It had everything when it was last seen: a check is enough. */
  readonly wasWell: boolean;
}

/**
 * In scope and due for a check. One that was well: in its turn, unless it was seen to be well, or asked, since that began. Any other: when it
 * was not verified since `verifiedBefore`; one that failed is checked too, for what it met may have passed: if no rollout of it has ended (or
 * begun) since `failedBefore`. Not one whose rollout is in the outbox, and
 * not one that a fleet rollout holds back.
 */
export async function findDueDevices(
  sql: Sql,
  integrationId: string,
  {
    now,
    periodHours,
    failedBefore,
  }: { readonly now: Date; readonly periodHours: number; readonly failedBefore: Date },
  after: string | null,
  limit: number,
): Promise<DueDevice[]> {
  return sql.query<DueDevice>(
    `select scope.device_id as id, coalesce(trust.phase = 'delivered' and trust.failure_code is null, false) as was_well ${IN_SCOPE}
        and case when trust.phase = 'delivered' and trust.failure_code is null
                 then coalesce(greatest(trust.verified_at, trust.check_asked_at), '-infinity')
                      < check_turn(scope.device_id, make_interval(secs => $3::float8 * 3600), $2)
                 else (trust.verified_at is null or trust.verified_at < $2::timestamptz - make_interval(secs => $3::float8 * 3600))
                      and (trust.failure_code is null
                           or not exists (select from rollout_runs as run
                                           where run.device_id = scope.device_id and coalesce(run.closed_at, run.started_at) > $4)) end
        and not ${isHeldSql('scope.device_id')}
        and not exists (select from outbox where outbox.ordering_key = scope.device_id::text and outbox.delivered_at is null
                          and outbox.message ->> 'kind' = 'rollOutDevice')
        and ($5::uuid is null or scope.device_id > $5) order by scope.device_id limit $6`,
    [integrationId, now, periodHours, failedBefore, after, limit],
  );
}

/**
 * Out of scope, and what was to be taken from them is there still: their removal failed, and no rollout of them has ended (or begun) since
 * `failedBefore`. Of no integration any more. Those that a platform's removal has taken are its own.
 */
export async function findFailedRemovals(sql: Sql, failedBefore: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select scope.device_id as id from device_trust as trust join device_scope as scope on scope.device_id = trust.device_id
      where trust.failure_code is not null and trust.phase = 'failed'
        and scope.is_enrolled and not scope.is_in_scope and not scope.is_leaving
        and not exists (select from rollout_runs as run
                         where run.device_id = scope.device_id and coalesce(run.closed_at, run.started_at) > $1)
        and not ${isHeldSql('scope.device_id')}
        and not exists (select from outbox where outbox.ordering_key = scope.device_id::text and outbox.delivered_at is null
                          and outbox.message ->> 'kind' = 'rollOutDevice')
      order by scope.device_id limit $2`,
    [failedBefore, limit],
  );
  return rows.map(({ id }) => id);
}

/** Macs in scope that have had a certificate. */
export async function findCertificateHolders(
  sql: Sql,
  integrationId: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select scope.device_id as id ${IN_SCOPE} and exists (select from certificate_deliveries as delivery where delivery.device_id = scope.device_id and delivery.state = 'proven')
        and ($2::uuid is null or scope.device_id > $2) order by scope.device_id limit $3`,
    [integrationId, after, limit],
  );
  return rows.map(({ id }) => id);
}

/** How many devices its switched-on items reach, also of a platform that is not configured: they come in scope once it is. */
export async function countReached(sql: Sql, integrationId: string): Promise<Record<Platform, number>> {
  const [row] = await sql.query<Record<Platform, number>>(
    `select count(*) filter (where platform = 'macOS')::int as "macOS", count(*) filter (where platform = 'iOS')::int as "iOS"
       from device_scope where integration_id = $1 and is_switched_on and is_enrolled`,
    [integrationId],
  );
  return row ?? { macOS: 0, iOS: 0 };
}
