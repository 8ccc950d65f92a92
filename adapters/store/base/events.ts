// Stored events, so that a page that was away catches up. A cursor is (transaction, id): ids alone would skip rows that commit late.
import type { Sql } from './database.ts';

/** NOTIFY channel; the payload says nothing: read on from the cursor. */
export const EVENTS_CHANNEL = 'odette_events';

export interface NewEvent {
  /** e.g. device.trust_changed, setup.step_changed */
  readonly kind: string;
  /** e.g. device:ID */
  readonly subject: string;
  /** Never a secret. */
  readonly data?: object;
}

/** Call it inside the transaction of the change. */
export async function appendEvent(sql: Sql, event: NewEvent): Promise<void> {
  await sql.query(
    `with put as (insert into events (kind, subject, data) values ($1, $2, $3::jsonb)) select pg_notify('${EVENTS_CHANNEL}', '')`,
    [event.kind, event.subject, JSON.stringify(event.data ?? {})],
  );
}

export interface StoredEvent {
  /** `<transaction>.<id>`, the cursor of whoever has seen it. */
  readonly cursor: string;
  readonly at: Date;
  readonly kind: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const CURSOR = /^(\d{1,19})\.(\d{1,18})$/;

export const isEventCursor = (text: string): boolean => CURSOR.test(text);

/** A cursor, to be compared: every page is compared with every event. */
export interface EventPosition {
  readonly transaction: bigint;
  readonly id: bigint;
}

export function eventPosition(cursor: string): EventPosition {
  const [, transaction = '0', id = '0'] = CURSOR.exec(cursor) ?? [];
  return { transaction: BigInt(transaction), id: BigInt(id) };
}

export const isOlder = (one: EventPosition, other: EventPosition): boolean =>
  one.transaction < other.transaction || (one.transaction === other.transaction && one.id < other.id);

/** Where a page begins that wants nothing of the past: everything that every snapshot sees already is behind it. */
export async function eventsHorizon(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ cursor: string }>(
    `select (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text || '.' || '999999999999999999' as cursor`,
  );
  return row?.cursor ?? '0.0';
}

/** Events behind the cursor, oldest first, of transactions that are over for everybody: none of them can still be overtaken. */
export async function readEvents(sql: Sql, cursor: string, limit: number): Promise<StoredEvent[]> {
  const [, transaction = '0', id = '0'] = CURSOR.exec(cursor) ?? [];
  return sql.query<StoredEvent>(
    `select transaction::text || '.' || id as cursor, at, kind, subject, data from events
      where (transaction, id) > ($1::xid8, $2::bigint) and transaction < pg_snapshot_xmin(pg_current_snapshot())
      order by transaction, id limit $3`,
    [transaction, id, limit],
  );
}

/** Returns how many went. */
export async function pruneEvents(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from events where id in (select id from events where at < now() - make_interval(days => $1) limit 10000) returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
