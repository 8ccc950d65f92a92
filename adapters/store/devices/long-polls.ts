// A request of a device that waits for its next command: its mark in the device's row, and what ends its wait.
import type { Sql } from '../base/database.ts';
import { OUTSTANDING } from './command-states.ts';
import { COMMANDS_CHANNEL } from './commands.ts';

/** What is told after a device's id: something ended for which its request may have waited. */
const OVER = ' over';

/** A payload of `COMMANDS_CHANNEL`. '': notifications may have been missed. */
export const readNotification = (payload: string): { readonly deviceId: string; readonly isOver: boolean } =>
  payload.endsWith(OVER)
    ? { deviceId: payload.slice(0, -OVER.length), isOver: true }
    : { deviceId: payload, isOver: false };

/** The expression that tells it. @param device SQL: its id */
export const notifyingOver = (device: string): string =>
  `pg_notify('${COMMANDS_CHANNEL}', (${device})::text || '${OVER}')`;

/** Of a device whose id is `device`, SQL. Only the newest run can be open: nobody closes one that was reset or terminated. */
export const hasOpenRunSql = (device: string): string =>
  `coalesce((select closed_at is null from rollout_runs where device_id = ${device} order by started_at desc limit 1), false)`;

/**
 * Whether a command may still come: one is outstanding, a rollout runs, a certificate is on its way to the device or an older one has to go, or a
 * workflow is about to be told something. (A row of responses is closed a moment after it was told, and its claim says so before that.)
 */
const isMoreToComeSql = (device: string): string => `(
     exists (select from commands where device_id = ${device} and user_id is null and state in ${OUTSTANDING})
  or ${hasOpenRunSql(device)}
  or exists (select from certificate_deliveries where device_id = ${device} and state in ('sent', 'superseded'))
  or exists (select from outbox
              where ordering_key = ${device}::text and delivered_at is null
                and (message ->> 'kind' <> 'deviceSignal' or claimed_until is null or claimed_until < now())))`;

export interface LongPoll {
  /** Of this request. */
  readonly mark: Date;
  /** A command was queued since the device was last given one. */
  readonly isQueued: boolean;
}

/** @param milliseconds SQL */
export const longPollEnd = (milliseconds: string): string =>
  `date_trunc('milliseconds', clock_timestamp() + make_interval(secs => ${milliseconds} / 1000.0))`;

/** A request of the device waits for its next command: no push is needed until then. */
export async function beginLongPoll(sql: Sql, deviceId: string, milliseconds: number): Promise<LongPoll> {
  const [row] = await sql.query<LongPoll>(
    `update devices set long_poll_until = ${longPollEnd('$2')}
      where id = $1
      returning long_poll_until as mark,
                exists (select from commands where device_id = devices.id and state = 'queued' and user_id is null) as is_queued`,
    [deviceId, milliseconds],
  );
  return row ?? { mark: new Date(0), isQueued: false };
}

/**
 * The request with this mark waits no longer. false: another request of the device has begun meanwhile, which alone may be
 * given a command. Committed before the queue is looked at for the last time, so that a command queued meanwhile is either
 * seen by that look or pushed.
 */
export async function endLongPoll(sql: Sql, deviceId: string, mark: Date): Promise<boolean> {
  const rows = await sql.query(
    'update devices set long_poll_until = null where id = $1 and long_poll_until = $2 returning 1',
    [deviceId, mark],
  );
  return rows.length > 0;
}

/** The same, unless more is to come. */
export async function endLongPollIfOver(sql: Sql, deviceId: string, mark: Date): Promise<boolean> {
  const rows = await sql.query(
    `update devices set long_poll_until = null where id = $1 and long_poll_until = $2 and not ${isMoreToComeSql('$1::uuid')} returning 1`,
    [deviceId, mark],
  );
  return rows.length > 0;
}

/** A certificate's errand has ended: what waited for it does so no longer, unless a rollout runs. In its transaction. */
export const notifyCertificateOver = async (sql: Sql, deviceId: string): Promise<void> =>
  void (await sql.query(`select ${notifyingOver('$1::uuid')} where not ${hasOpenRunSql('$1::uuid')}`, [
    deviceId,
  ]));

/** Locks the device if the request with this mark is the one that waits; null: if none waits. */
export async function isLongPollOpen(sql: Sql, deviceId: string, mark: Date | null): Promise<boolean> {
  const rows = await sql.query(
    'select 1 from devices where id = $1 and long_poll_until is not distinct from $2::timestamptz for no key update',
    [deviceId, mark],
  );
  return rows.length > 0;
}
