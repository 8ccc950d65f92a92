// Where people are told what needs them (domain/notification-target.ts), with what became of the last notifications.
import type { EmailSettings, NotificationRules, TargetKind } from '../../../domain/notification-target.ts';
import type { Sql } from '../base/database.ts';

export interface NewTarget {
  readonly name: string;
  readonly kind: TargetKind;
  readonly isOn: boolean;
  /** What may be shown of where it is. */
  readonly address: string;
  /** Of the kind email only. */
  readonly settings: EmailSettings | null;
  readonly rules: NotificationRules;
  readonly secretId: string | null;
}

export interface TargetRow extends NewTarget {
  readonly id: string;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
  /** Notifications that have not arrived yet. */
  readonly waiting: number;
  /** Of the newest one that was tried; null: it arrived, or none was. */
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
}

const SELECT = `select target.id, target.name, target.kind, target.is_on, target.address, nullif(target.settings, '{}') as settings, target.rules,
       target.secret_id, target.created_at, sums.delivered_at, sums.waiting, newest.failure_code, newest.failure_detail
  from notification_targets as target
  cross join lateral (
    select max(ended_at) filter (where outcome = 'delivered') as delivered_at, count(*) filter (where ended_at is null)::int as waiting
      from notifications where target_id = target.id) as sums
  left join lateral (
    select failure_code, failure_detail from notifications
     where target_id = target.id and (attempts > 0 or ended_at is not null) order by created_at desc, id limit 1) as newest on true`;

export const listTargets = (sql: Sql): Promise<TargetRow[]> =>
  sql.query<TargetRow>(`${SELECT} order by target.name`);

export async function findTarget(sql: Sql, id: string): Promise<TargetRow | undefined> {
  const [row] = await sql.query<TargetRow>(`${SELECT} where target.id = $1`, [id]);
  return row;
}

export async function addTarget(sql: Sql, target: NewTarget): Promise<string> {
  const [row] = await sql.query<{ id: string }>(
    `insert into notification_targets (name, kind, is_on, address, settings, rules, secret_id)
     values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7) returning id`,
    [...columnsOf(target)],
  );
  return row?.id ?? '';
}

export async function changeTarget(sql: Sql, id: string, target: NewTarget): Promise<void> {
  await sql.query(
    `update notification_targets set name = $2, kind = $3, is_on = $4, address = $5, settings = $6::jsonb, rules = $7::jsonb, secret_id = $8
      where id = $1`,
    [id, ...columnsOf(target)],
  );
}

const columnsOf = ({ name, kind, isOn, address, settings, rules, secretId }: NewTarget) => [
  name,
  kind,
  isOn,
  address,
  JSON.stringify(settings ?? {}),
  JSON.stringify(rules),
  secretId,
];

/** The receiver is gone for good. */
export async function turnTargetOff(sql: Sql, id: string): Promise<void> {
  await sql.query('update notification_targets set is_on = false where id = $1', [id]);
}

export async function removeTarget(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from notification_targets where id = $1', [id]);
}

/** Targets that are on and whose newest notification was tried often or given up. */
export const listDeafTargets = (
  sql: Sql,
): Promise<{ readonly id: string; readonly name: string; readonly since: Date }[]> =>
  sql.query(
    `select target.id, target.name, newest.created_at as since from notification_targets as target
      cross join lateral (
        select attempts, outcome, created_at from notifications
         where target_id = target.id and (attempts > 0 or ended_at is not null) order by created_at desc, id limit 1) as newest
      where target.is_on and newest.outcome is distinct from 'delivered' and (newest.outcome = 'given_up' or newest.attempts >= $1)
      order by target.name`,
    [MANY_ATTEMPTS],
  );

/** Some twelve minutes. */
const MANY_ATTEMPTS = 4;
