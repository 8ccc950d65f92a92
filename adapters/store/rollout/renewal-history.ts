// Renewals as they were asked for: by the renewal window, by Odette for a certificate that no sign-in uses, or by a person; and what
// came of each. First certificates are none: a rollout brings them.
import { appendEvent } from '../base/events.ts';
import type { Sql } from '../base/database.ts';

/** Why a first certificate is delivered. */
const FIRST = 'wanted';

/** @param reason of a delivery */
export const isRenewal = (reason: string | null): boolean => reason !== null && reason !== FIRST;

/** In the transaction of the change. @param reasons of the deliveries that changed */
export async function announceRenewal(
  sql: Sql,
  deviceId: string,
  reasons: readonly (string | null)[],
): Promise<void> {
  if (reasons.some(isRenewal))
    await appendEvent(sql, { kind: 'certificate.renewal_changed', subject: `device:${deviceId}` });
}

/**
 * On the timeline of each device that gets a renewal.
 * @param which a condition over `scope`, with one parameter
 * @param request `by` is person:NAME | token:NAME | system
 */
export async function recordRenewalRequests(
  sql: Sql,
  which: string,
  parameter: unknown,
  request: { readonly by: string; readonly reason: string },
): Promise<void> {
  const rows = await sql.query(
    `insert into device_timeline (device_id, kind, text, detail)
       select scope.device_id, 'renewal_requested', 'A renewal of the certificate was requested.', $2::jsonb
         from device_scope as scope where ${which} and scope.is_in_scope returning 1`,
    [parameter, JSON.stringify(request)],
  );
  if (rows.length > 0) await appendEvent(sql, { kind: 'certificate.renewal_changed', subject: 'renewals' });
}

type RenewalOutcome = 'requested' | 'sent' | 'installed' | 'failed';

export interface RenewalRow {
  readonly id: string;
  readonly deviceId: string;
  readonly name: string | null;
  readonly serialNumber: string | null;
  readonly at: Date;
  /** `at` for a cursor: with its microseconds. */
  readonly cursorAt: string;
  /** window | unused | asked for; of a request, asked for. */
  readonly reason: string;
  /** person:NAME | token:NAME | system; null: nobody but the calendar, or it is no longer known. */
  readonly requestedBy: string | null;
  readonly note: string | null;
  readonly outcome: RenewalOutcome;
  /** When the device listed the certificate. */
  readonly installedAt: Date | null;
  readonly notAfter: Date | null;
  /** What was said of a delivery that failed. */
  readonly failureText: string | null;
}

/** Newest first. */
export const listRenewalHistory = (
  sql: Sql,
  page: { readonly after?: { readonly at: string; readonly id: string } | undefined; readonly limit: number },
): Promise<RenewalRow[]> =>
  sql.query<RenewalRow>(
    `with delivered as (
       select id, device_id, created_at as at, reason, state, proven_at, not_after from certificate_deliveries
        where reason <> '${FIRST}' and ($1::timestamptz is null or (created_at, id) < ($1, $2))
        order by created_at desc, id desc limit $3),
     requested as (
       select 'request-' || asked.id as id, asked.device_id, asked.at, asked.detail from device_timeline as asked
        where asked.kind = 'renewal_requested' and ($1::timestamptz is null or asked.at < $1)
          and not exists (select from certificate_deliveries as later where later.device_id = asked.device_id and later.created_at >= asked.at)
          and not exists (select from device_timeline as again
                           where again.device_id = asked.device_id and again.kind = 'renewal_requested' and again.id > asked.id)
        order by asked.at desc, asked.id desc limit $3),
     listed as (
       select delivered.id, delivered.device_id, at, reason, request.detail, proven_at, not_after,
              case when proven_at is not null then 'installed' when state = 'failed' then 'failed' else 'sent' end as outcome
         from delivered left join lateral (
           select entry.detail from device_timeline as entry
            where delivered.reason = 'asked for' and entry.device_id = delivered.device_id and entry.kind = 'renewal_requested'
              and entry.at <= delivered.at order by entry.id desc limit 1) as request on true
       union all
       select id, device_id, at, 'asked for', detail, null, null, 'requested' from requested
       order by at desc, id desc limit $3)
     select listed.id, listed.device_id, devices.name, devices.serial_number, at, at::text as cursor_at, reason,
            listed.detail->>'by' as requested_by, listed.detail->>'reason' as note, outcome, proven_at as installed_at, not_after,
            case when outcome = 'failed' then (
              select entry.text from device_timeline as entry
               where entry.device_id = listed.device_id and entry.kind = 'certificate_failed' and entry.at >= listed.at
               order by entry.id limit 1) end as failure_text
       from listed join devices on devices.id = listed.device_id
      order by at desc, listed.id desc`,
    [page.after?.at ?? null, page.after?.id ?? null, page.limit],
  );
