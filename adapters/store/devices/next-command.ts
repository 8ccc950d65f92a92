// Which command a device is given next: chosen, marked as handed over and noted in one statement.
import type { Sql } from '../base/database.ts';
import { CAN_BE_TAKEN_BACK } from './command-states.ts';

/** A command that ended without a response: its workflow is told with this status. */
export interface EndedCommand {
  readonly uuid: string;
  readonly workflowId: string;
  readonly step: string;
}

export interface HandedOver {
  readonly uuid: string;
  readonly workflowId: string;
  readonly step: string;
  readonly requestType: string;
  readonly handsOverOnce: boolean;
  readonly body: Buffer | null;
  readonly sealedBody: Buffer | null;
}

export interface NextCommand {
  readonly next: HandedOver | undefined;
  /** They are withdrawn instead of handed over. */
  readonly expired: readonly EndedCommand[];
}

/** A delivery for an integration that the device is not in scope of. */
const NOT_WANTED = `exists (
  select from certificate_deliveries as delivery
   where delivery.device_id = commands.device_id and delivery.command_uuid = commands.uuid
     and not exists (
       select from device_scope as scope
        where scope.device_id = commands.device_id and scope.is_in_scope and scope.integration_id = delivery.integration_id))`;

/**
 * Its time ran out before the device took it, or it is a certificate that the device is not to have any more: it was moved, or the item
 * was switched off, after the challenge was fetched.
 */
export const EXPIRED = `coalesce(expires_at <= now() or (hands_over_once and ${NOT_WANTED}), false)
  and ${CAN_BE_TAKEN_BACK}`;

/** The CTE `expired`: what of the device $1 has expired is withdrawn. Only where `condition` holds. */
export const withdrawingExpired = (condition: string): string => `expired as (
  update commands set state = 'withdrawn', sealed_body = null where device_id = $1 and ${EXPIRED} and ${condition}
  returning uuid, workflow_id, step)`;

interface Taking {
  /** Its id. */
  readonly device: string;
  /** Of whose channel; null::text: the device's own. */
  readonly userId: string;
  readonly condition: string;
}

const oldestQueued = ({ device, userId, condition }: Taking): string => `
  select uuid from commands
   where device_id = ${device} and state = 'queued' and user_id is not distinct from ${userId} and not (${EXPIRED}) and ${condition}
   order by position limit 1`;

const taking = (isChosen: string): string => `taken as (
  update commands set state = 'handed_over', handed_over_at = now(), hand_overs = hand_overs + 1
   where state = 'queued' and ${isChosen}
   returning device_id, uuid, workflow_id, step, request_type, body, sealed_body, hands_over_once, ios_key_secret_id, ios_key_version),
noted as (
  insert into ios_key_readers (secret_id, version, device_id, udid, serial_number, name)
  select ios_key_secret_id, ios_key_version, device.id, udid, serial_number, name
    from taken join secrets on secrets.id = ios_key_secret_id join devices as device on device.id = taken.device_id
  on conflict (secret_id, version, udid) do update set last_at = now(), device_id = excluded.device_id,
    serial_number = excluded.serial_number, name = excluded.name)`;

/**
 * The CTEs `taken` and `noted`: the oldest queued command of the device and of `userId` is marked as handed over, and it is noted who reads
 * the key that it carries. Only where `condition` holds. Of two that look at once the second finds it queued no more.
 */
export const takingNext = (next: Taking): string => taking(`uuid = (${oldestQueued(next)})`);

/** The same of the own channel of each device in the CTE `devices`. */
export const takingNextOfEach = (devices: string): string =>
  taking(`uuid = any(array(
     select next.uuid from ${devices} as each cross join lateral (${oldestQueued({ device: 'each.id', userId: 'null::text', condition: 'true' })}) as next))`);

/** `takingNext`, and the CTE `contacted`: a request of the device that waited for a command waits no longer. */
export const takingNextForWaiting = (taking: Taking): string => `${takingNext(taking)},
contacted as (
  update devices set long_poll_until = null
   where id = ${taking.device} and ${taking.userId} is null and long_poll_until is not null and exists (select from taken))`;

/** What these CTEs have done, beside `taken`, which may have no row. */
export const HANDED_OVER = `taken.uuid, taken.workflow_id, taken.step, taken.request_type, taken.body, taken.sealed_body, taken.hands_over_once`;
export const TAKEN_COLUMNS = `${HANDED_OVER},
  coalesce((select jsonb_agg(jsonb_build_object('uuid', uuid, 'workflowId', workflow_id, 'step', step)) from expired), '[]') as expired`;

/** No command: all of it is null. */
export type Taken = HandedOver | { readonly [Column in keyof HandedOver]: null };
export type TakenRow = { readonly expired: readonly EndedCommand[] } & Taken;

export const handedOver = (taken: Taken): HandedOver | undefined => (taken.uuid === null ? undefined : taken);

export const nextOf = ({ expired, ...taken }: TakenRow): NextCommand => ({
  expired,
  next: handedOver(taken),
});

/** The next command of a channel, the device's own or a user's. Under the lock of the device's row, as everything in command-exchange.ts. */
export async function takeNextCommand(sql: Sql, deviceId: string, userId?: string): Promise<NextCommand> {
  const [row] = await sql.query<TakenRow>(
    `with ${withdrawingExpired('true')}, ${takingNextForWaiting({ device: '$1', userId: '$2::text', condition: 'true' })}
     select ${TAKEN_COLUMNS} from (select) as one left join taken on true`,
    [deviceId, userId ?? null],
  );
  return row === undefined ? { expired: [], next: undefined } : nextOf(row);
}

/**
 * The next command for the request of a device that waits with this mark (null: whose wait is over), in a transaction of its own.
 * superseded: another request has taken its place. look: under the lock of the device's row, for something has expired, which is told in the
 * same transaction as it is withdrawn, or what was to be taken was withdrawn meanwhile, and another command may be behind it.
 */
export async function takeForLongPoll(
  sql: Sql,
  deviceId: string,
  mark: Date | null,
): Promise<HandedOver | 'nothing' | 'superseded' | 'look'> {
  // The lock of the device's row ends with the statement. What was queued since it began is told by its own notification.
  const [row] = await sql.query<
    TakenRow & { readonly isOpen: boolean; readonly hasExpired: boolean; readonly hasQueued: boolean }
  >(
    `with open as materialized (select from devices where id = $1 and long_poll_until is not distinct from $2::timestamptz for no key update),
     found as materialized (
       select exists (select from open) as is_open, exists (select from commands where device_id = $1 and ${EXPIRED}) as has_expired,
              exists (select from commands where device_id = $1 and state = 'queued' and user_id is null) as has_queued),
     expired as (select uuid, workflow_id, step from commands where false),
     ${takingNextForWaiting({ device: '$1', userId: 'null::text', condition: '(select is_open and not has_expired from found)' })}
     select found.is_open, found.has_expired, found.has_queued, ${TAKEN_COLUMNS} from found left join taken on true`,
    [deviceId, mark],
  );
  if (row?.isOpen !== true) return 'superseded';
  const { isOpen: _isOpen, hasExpired, hasQueued, ...taken } = row;
  return hasExpired ? 'look' : (nextOf(taken as TakenRow).next ?? (hasQueued ? 'look' : 'nothing'));
}
