// What needs people, as Odette saw it last, and what of it each notification target was told.
import type { Change, Need, SeenNeed } from '../../../domain/notification-plan.ts';
import type { Sql } from '../base/database.ts';

/** `work` runs while no other process looks, or not at all. */
export async function whileNobodyElseLooks(sql: Sql, work: () => Promise<void>): Promise<void> {
  const [row] = await sql.query<{ isFree: boolean }>('select pg_try_advisory_xact_lock($1) as is_free', [
    LOOK_LOCK,
  ]);
  if (row?.isFree === true) await work();
}

const LOOK_LOCK = 0x0de7701;

/** Writes what is there now; what was not seen for `forgottenAfterMs` is dropped. Returns what is known after it. */
export async function recordNeeds(
  sql: Sql,
  needs: readonly Need[],
  forgottenAfterMs: number,
): Promise<SeenNeed[]> {
  await sql.query(
    `insert into needs_you (key, need) select value ->> 'key', value from jsonb_array_elements($1::jsonb)
     on conflict (key) do update set need = excluded.need, last_seen_at = now()`,
    [JSON.stringify(needs)],
  );
  await sql.query(`delete from needs_you where last_seen_at <= now() - make_interval(secs => $1)`, [
    forgottenAfterMs / 1_000,
  ]);
  return sql.query<SeenNeed>(
    'select need, first_seen_at, last_seen_at from needs_you order by first_seen_at, key',
  );
}

export async function listAnnounced(sql: Sql, targetId: string): Promise<Need[]> {
  const rows = await sql.query<{ need: Need }>(
    'select need from notification_announcements where target_id = $1 order by key',
    [targetId],
  );
  return rows.map(({ need }) => need);
}

export async function recordAnnounced(sql: Sql, targetId: string, changes: readonly Change[]): Promise<void> {
  for (const { what, need } of changes)
    await (what === 'done'
      ? sql.query('delete from notification_announcements where target_id = $1 and key = $2', [
          targetId,
          need.key,
        ])
      : sql.query(
          `insert into notification_announcements (target_id, key, need) values ($1, $2, $3::jsonb)
           on conflict (target_id, key) do update set need = excluded.need`,
          [targetId, need.key, JSON.stringify(need)],
        ));
}
