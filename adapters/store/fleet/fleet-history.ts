// Over time: rollouts that ran, certificates by the day on which they end, what happened to one device.
import { WAITING_PHASES, type RolloutPhase } from '../../../domain/rollout-action.ts';
import type { Sql } from '../base/database.ts';
import { settingSql } from '../integration/integrations.ts';

export interface RolloutRow {
  readonly runId: string;
  readonly deviceId: string;
  readonly name: string | null;
  readonly serialNumber: string | null;
  readonly workflowId: string;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
  readonly outcome: 'completed' | 'failed' | null;
  readonly failureCode: string | null;
  /** What the device is at now, while the run is open: an ended run is not about that any more. */
  readonly phase: RolloutPhase | null;
  readonly waitsFor: string | null;
  readonly cursorAt: string;
}

export interface RolloutPage {
  readonly deviceId?: string | undefined;
  readonly state?: 'running' | 'waiting' | 'completed' | 'failed' | undefined;
  readonly after?: { readonly at: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** Newest first. */
export const listRollouts = (sql: Sql, page: RolloutPage): Promise<RolloutRow[]> =>
  sql.query<RolloutRow>(
    `select run.run_id, run.device_id, device.name, device.serial_number,
            run.workflow_id, run.started_at, run.closed_at, run.outcome,
            run.failure_code, run.started_at::text as cursor_at,
            case when run.closed_at is null then trust.phase end as phase,
            case when run.closed_at is null then trust.waits_for end as waits_for
       from rollout_runs as run join devices as device on device.id = run.device_id
       left join device_trust as trust on trust.device_id = run.device_id
      where ($1::text is null or case
               when $1 = 'waiting' then run.closed_at is null and trust.phase = any($6)
               when $1 = 'running' then run.closed_at is null and (trust.phase = any($6)) is not true
               else run.outcome = $1 end)
        and ($2::timestamptz is null or (run.started_at, run.run_id) < ($2::timestamptz, $3))
        and ($5::uuid is null or run.device_id = $5)
      order by run.started_at desc, run.run_id desc limit $4`,
    [
      page.state ?? null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
      page.deviceId ?? null,
      WAITING_PHASES,
    ],
  );

export interface RenewalDay {
  readonly day: string; // YYYY-MM-DD, UTC
  readonly ending: number;
  readonly windowOpens: number;
}

/** Certificates in use by the day of their end, and by the day on which the renewal window of their integration opens. */
export const countRenewalsByDay = (
  sql: Sql,
  range: { readonly from: string; readonly days: number },
): Promise<RenewalDay[]> =>
  sql.query<RenewalDay>(
    `with days as (
       select ends as day, certificates as ending, 0 as opening from certificate_days
       union all
       select ends - round((ends - begins) * ${settingSql('renewalWindowStart')})::int, 0, certificates
         from certificate_days as lives join integrations as integration on integration.id = lives.integration_id)
     select to_char(day, 'YYYY-MM-DD') as day, sum(ending)::int as ending, sum(opening)::int as window_opens from days
      where day >= $1::date and day < $1::date + $2::int
      group by day having sum(ending) + sum(opening) > 0 order by day`,
    [range.from, range.days],
  );

export interface TimelineRow {
  readonly id: number;
  readonly at: Date;
  readonly kind: string;
  readonly text: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Newest first. */
export const listTimeline = (
  sql: Sql,
  deviceId: string,
  page: { readonly after?: number | undefined; readonly limit: number },
): Promise<TimelineRow[]> =>
  sql.query<TimelineRow>(
    'select id, at, kind, text, detail from device_timeline where device_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3',
    [deviceId, page.after ?? null, page.limit],
  );
