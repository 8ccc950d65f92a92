// Devices about which Okta is asked soon, and a few times more: a row a device, until it is settled or the times are over.
import type { Sql } from '../base/database.ts';
import { appendOutboxMessage } from '../base/outbox.ts';

export interface WantedLook {
  readonly deviceId: string;
  readonly integrationId: string;
  /** When to look, in seconds from now, rising; at least one. */
  readonly seconds: readonly number[];
  /** A person waits for it. */
  readonly isWish: boolean;
}

/** Somebody looks at the page, and Okta's search may be behind. */
const WISH_SECONDS = [0, 15, 60, 300];
/** So close to a time at which the workflow wakes anyway it is not woken. */
const SLACK = `interval '1 second'`;
/** A workflow that should have woken so long ago does not run any more. */
const OVERDUE = `interval '5 minutes'`;

/** What was wanted of the device before is over. */
export async function saveLook(sql: Sql, look: WantedLook): Promise<void> {
  await sql.query(
    `insert into okta_looks (device_id, integration_id, began_at, seconds, due_at, is_wish)
     values ($1, $2, now(), $3::float8[], now() + make_interval(secs => ($3::float8[])[1]), $4)
     on conflict (device_id) do update set integration_id = excluded.integration_id, began_at = excluded.began_at,
       seconds = excluded.seconds, due_at = excluded.due_at, is_wish = excluded.is_wish`,
    [look.deviceId, look.integrationId, look.seconds, look.isWish],
  );
}

/** A person wants to know now. In the transaction of the wish. */
export async function requestLook(
  sql: Sql,
  { deviceId, integrationId }: { readonly deviceId: string; readonly integrationId: string },
): Promise<void> {
  await saveLook(sql, { deviceId, integrationId, seconds: WISH_SECONDS, isWish: true });
  await appendOutboxMessage(sql, deviceId, { kind: 'pollOktaTrust', integrationId });
}

/**
 * Whether the workflow that looks must be told of a row that is due so soon: it does not run, or sleeps for longer. Once a row, of all that are
 * due about then. Call it when the row is committed: planWake looks for rows after it has written when it wakes.
 */
export async function claimWake(sql: Sql, integrationId: string, seconds: number): Promise<boolean> {
  const due = 'now() + make_interval(secs => $2)';
  const isInTime = `looks_at between now() - ${OVERDUE} and ${due} + ${SLACK}`;
  const awake = await sql.query(`select from okta_reads where integration_id = $1 and ${isInTime}`, [
    integrationId,
    seconds,
  ]);
  if (awake.length > 0) return false;
  const claimed = await sql.query(
    `insert into okta_reads (integration_id, looks_at) select id, ${due} from integrations where id = $1
     on conflict (integration_id) do update set looks_at = excluded.looks_at
       where (okta_reads.${isInTime}) is not true
     returning integration_id`,
    [integrationId, seconds],
  );
  return claimed.length > 0;
}

/** Those for whom somebody waits come first. */
export async function findDueLooks(sql: Sql, integrationId: string, max: number): Promise<string[]> {
  const rows = await sql.query<{ deviceId: string }>(
    `select device_id from okta_looks where integration_id = $1 and due_at <= now() order by is_wish desc, due_at limit $2`,
    [integrationId, max],
  );
  return rows.map(({ deviceId }) => deviceId);
}

/** Each that is not settled is looked at again at its next time. */
export async function recordLooks(
  sql: Sql,
  looked: readonly { readonly deviceId: string; readonly isSettled: boolean }[],
): Promise<void> {
  await sql.query(
    `with looked as (
       select okta_looks.device_id,
              case when not is_settled then
                (select min(began_at + make_interval(secs => after)) from unnest(seconds) as after
                  where began_at + make_interval(secs => after) > now()) end as next
         from unnest($1::uuid[], $2::boolean[]) as answer (device_id, is_settled)
         join okta_looks on okta_looks.device_id = answer.device_id),
     ended as (
       delete from okta_looks using looked where okta_looks.device_id = looked.device_id and next is null)
     update okta_looks set due_at = next from looked where okta_looks.device_id = looked.device_id and next is not null`,
    [looked.map(({ deviceId }) => deviceId), looked.map(({ isSettled }) => isSettled)],
  );
}

/** Okta did not answer for these: others come first meanwhile. */
export async function postponeLooks(sql: Sql, deviceIds: readonly string[], seconds: number): Promise<void> {
  await sql.query(
    `update okta_looks set due_at = now() + make_interval(secs => $2) where device_id = any($1)`,
    [deviceIds, seconds],
  );
}

/**
 * Writes when the workflow wakes next, and returns in how many milliseconds that is: when the next row is due, and not sooner than in a second
 * where none is yet. null: there is none.
 */
export async function planWake(sql: Sql, integrationId: string): Promise<number | null> {
  for (;;) {
    const [planned] = await sql.query<{ leftMs: number | null; soonest: string | null }>(
      `with soonest as (select min(due_at) as at from okta_looks where integration_id = $1),
       wake as (
         select case when at <= now() then now() else greatest(at, now() + ${SLACK}) end as at from soonest where at is not null),
       written as (
         insert into okta_reads (integration_id, looks_at) select id, (select at from wake) from integrations where id = $1
         on conflict (integration_id) do update set looks_at = excluded.looks_at)
       select (1000 * extract(epoch from (select at from wake) - now()))::float8 as left_ms, (select at from soonest)::text as soonest`,
      [integrationId],
    );
    // Whoever committed a row before this was written took the time before it for true.
    const missed = await sql.query(
      `select from okta_looks where integration_id = $1 and due_at < coalesce($2::timestamptz, 'infinity') limit 1`,
      [integrationId, planned?.soonest],
    );
    if (missed.length === 0) return planned?.leftMs ?? null;
  }
}
