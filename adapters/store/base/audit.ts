// The audit trail: who did what to what. A row is written in the transaction of its change, and never changed.
import { SECRET_USED } from '../../../domain/audit-kinds.ts';
import type { Sql } from './database.ts';

export interface NewAuditEntry {
  /** person:NAME | token:NAME | device:ID | system */
  readonly actor: string;
  /** e.g. setup.answered, rollout.replayed */
  readonly action: string;
  /** e.g. integration:ID */
  readonly subject?: string;
  /** Never a secret. */
  readonly detail?: object;
}

export async function appendAudit(sql: Sql, entry: NewAuditEntry): Promise<void> {
  await sql.query(
    'insert into audit_entries (actor, action, subject, detail) values ($1, $2, $3, $4::jsonb)',
    [entry.actor, entry.action, entry.subject ?? null, JSON.stringify(entry.detail ?? {})],
  );
}

export interface AuditEntry {
  readonly id: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  /** The whole actor, or a kind with its colon: `person:` */
  readonly actor?: string | undefined;
  /** The whole action, or an area with its dot: `secret.` */
  readonly action?: string | undefined;
  /** Actions begin with one of these. */
  readonly areas?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  /** Each use of a secret is left out. */
  readonly isFolded?: boolean | undefined;
}

const MATCHES = `($1::text is null or actor = $1 or ($1 like '%:' and starts_with(actor, $1)))
        and ($2::text is null or starts_with(action, $2)) and ($3::text is null or subject = $3)
        and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5)
        and ($6::text[] is null or exists (select from unnest($6::text[]) as area where starts_with(action, area)))`;

const matching = (filter: AuditFilter): unknown[] => [
  filter.actor ?? null,
  filter.action ?? null,
  filter.subject ?? null,
  filter.from ?? null,
  filter.until ?? null,
  filter.areas ?? null,
];

export type ListedAuditEntry = AuditEntry & { readonly cursorAt: string };

/** Newest first. `after` is the last entry of the page before. */
export async function listAudit(
  sql: Sql,
  filter: AuditFilter,
  page: { readonly after?: { readonly at: string; readonly id: string } | undefined; readonly limit: number },
): Promise<ListedAuditEntry[]> {
  return sql.query(
    `select id, at, actor, action, subject, detail, at::text as cursor_at from audit_entries
      where ${MATCHES} and (not $7::boolean or action <> '${SECRET_USED}')
        and ($8::timestamptz is null or (at, id) < ($8::timestamptz, $9::uuid))
      order by at desc, id desc limit $10`,
    [
      ...matching(filter),
      filter.isFolded ?? false,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
}

/**
 * Uses of secrets that a folded list leaves out: how many after each of `entries` (newest first) and before the next newer one.
 * @param until where the page before ends; undefined: the newest
 */
export async function countFoldedUses(
  sql: Sql,
  filter: AuditFilter,
  entries: readonly ListedAuditEntry[],
  until: string | undefined,
): Promise<readonly number[]> {
  const times = entries.map(({ cursorAt }) => cursorAt);
  const oldest = times.at(-1);
  if (oldest === undefined) return [];
  const rows = await sql.query<{ place: number; count: number }>(
    `select width_bucket(at, $9::timestamptz[]) as place, count(*)::integer as count from audit_entries
      where action = '${SECRET_USED}' and ${MATCHES} and at >= $7::timestamptz and ($8::timestamptz is null or at < $8::timestamptz) group by 1`,
    [...matching(filter), oldest, until ?? null, times.toReversed()],
  );
  const counts = new Map(rows.map(({ place, count }) => [place, count]));
  // Place 1 is that of the oldest.
  return times.map((_time, index) => counts.get(times.length - index) ?? 0);
}

/** @param count of what was found changed, and restored, at once */
export const recordRestored = (sql: Sql, subject: string, count: number): Promise<void> =>
  appendAudit(sql, { actor: 'system', action: 'temporal.restored', subject, detail: { count } });

/** Sweeps and workflows of Odette that somebody paused, ended or replaced in Temporal in the last day, and that Odette restored. */
export async function countRestored(
  sql: Sql,
): Promise<{ readonly count: number; readonly since: Date | null }> {
  const [row] = await sql.query<{ count: number; since: Date | null }>(
    `select coalesce(sum((detail ->> 'count')::integer), 0)::integer as count, min(at) as since from audit_entries
      where at > now() - interval '1 day' and action = 'temporal.restored'`,
  );
  return row ?? { count: 0, since: null };
}

/** What reached Temporal in the last day and was not Odette's; a flood is audited in part. */
export async function countRefusedByTemporal(
  sql: Sql,
): Promise<{ readonly count: number; readonly since: Date | null }> {
  const [row] = await sql.query<{ count: number; since: Date | null }>(
    `select count(*)::integer as count, min(at) as since from audit_entries
      where at > now() - interval '1 day' and action = 'temporal.refused'`,
  );
  return row ?? { count: 0, since: null };
}

/** Renewals that were due in the last day and that their workflow, though it runs, did nothing about. `deviceId`: of one of them. */
export async function countStalled(
  sql: Sql,
): Promise<{ readonly count: number; readonly since: Date | null; readonly deviceId: string }> {
  const [row] = await sql.query<{ count: number; since: Date | null; deviceId: string | null }>(
    `select count(distinct subject)::integer as count, min(at) as since, min(replace(subject, 'device:', '')) as device_id
       from audit_entries where at > now() - interval '1 day' and action = 'certificate.stalled'`,
  );
  return { count: row?.count ?? 0, since: row?.since ?? null, deviceId: row?.deviceId ?? '' };
}
