// The queue of commands as a device sees it: what is offered next, and what its responses change.
// Every function expects the device's row to be locked in the same transaction (findDeviceForUpdate), which makes a
// conversation with one device serial.
import { stepOf } from '../../../domain/rollout-step.ts';
import { recordConfigurationAcknowledged } from '../rollout/sent-profiles.ts';
import type { DeviceErrorChain } from '../../../domain/device-error-classes.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import type { Sql } from '../base/database.ts';
import { OUTSTANDING } from './command-states.ts';
import type { CommandRow } from './commands.ts';
import {
  nextOf,
  TAKEN_COLUMNS,
  takingNextForWaiting,
  withdrawingExpired,
  type EndedCommand,
  type NextCommand,
  type TakenRow,
} from './next-command.ts';

/**
 * Idle begins a conversation: what was handed over and got no response, and what got NotNow, is offered again. A command that
 * may be handed over only once is not: whether the device carried it out is unknown, and that is returned.
 */
export async function beginConversation(
  sql: Sql,
  deviceId: string,
  userId?: string,
): Promise<EndedCommand[]> {
  // A NotNow'd command was not carried out (Apple, "Handling NotNow status responses"), so even a challenge may go again.
  const changed = await sql.query<EndedCommand & { readonly isUnknown: boolean }>(
    `update commands set state = case when ${UNKNOWN} then 'withdrawn' else 'queued' end,
            status = case when ${UNKNOWN} then 'Unknown' end, sealed_body = case when not ${UNKNOWN} then sealed_body end
      where device_id = $1 and user_id is not distinct from $2 and state in ('handed_over', 'not_now')
      returning uuid, workflow_id, step, state = 'withdrawn' as is_unknown`,
    [deviceId, userId ?? null],
  );
  return changed.filter(({ isUnknown }) => isUnknown);
}

const UNKNOWN = `(state = 'handed_over' and hands_over_once)`;

/** The device repeats a response, so it may not have got what was handed over since: that is offered again. */
export async function offerAgain(sql: Sql, deviceId: string, userId?: string): Promise<void> {
  await sql.query(
    `update commands set state = 'queued'
      where device_id = $1 and user_id is not distinct from $2 and state = 'handed_over' and not hands_over_once`,
    [deviceId, userId ?? null],
  );
}

/**
 * NotNow keeps the command for the device's next Idle. It is told to the workflow once (the first time); after a final
 * status, or for a withdrawn command, it means nothing. Where another MDM server has the queue it offers the command again.
 */
export async function recordNotNow(
  sql: Sql,
  deviceId: string,
  uuid: string,
  queue: 'ours' | 'theirs' = 'ours',
): Promise<{ readonly isFirst: boolean } | undefined> {
  const [command] = await sql.query<{ isFirst: boolean }>(
    `update commands set state = $3, not_now_at = coalesce(commands.not_now_at, now())
       from (select uuid, not_now_at from commands where uuid = $2) as before
      where commands.uuid = before.uuid and device_id = $1 and state in ${OUTSTANDING}
      returning before.not_now_at is null as is_first`,
    [deviceId, uuid, queue === 'ours' ? 'not_now' : 'handed_over'],
  );
  return command;
}

/** How often a command is offered whose response nobody can read: a garbled message is sent again, a strange one is not. */
const MAX_OFFERS = 3;

/**
 * Nobody could read what the device sent: its command counts as done, or none would follow it. It is the one that the message names; a
 * message that names none is the response to the only command in the device's hands, which is offered so often before it is given up.
 * false: there is none.
 * @param named the UUIDs in the message
 */
export async function closeUnreadable(
  sql: Sql,
  deviceId: string,
  named: readonly string[] | 'no command',
  failure: NonNullable<FinalStatus['failure']>,
): Promise<boolean> {
  const closed = await sql.query(
    `update commands set state = 'responded', status = 'Acknowledged', failure = $2, responded_at = now(), sealed_body = null
      where device_id = $1 and state = 'handed_over'
        and (uuid = any ($3::uuid[])
             or ($3 is null and hand_overs >= ${MAX_OFFERS}
                 and 1 = (select count(*) from commands as given where given.device_id = $1 and given.state = 'handed_over')))
      returning 1`,
    [deviceId, JSON.stringify(failure), named === 'no command' ? null : named],
  );
  return closed.length > 0;
}

export interface FinalStatus {
  readonly status: 'Acknowledged' | 'Error' | 'CommandFormatError';
  readonly failure?: { readonly code: FailureCode; readonly errorChain: DeviceErrorChain };
}

/** A response of which its run was not told. */
interface UntoldResponse {
  readonly commandUuid: string;
  readonly step: string;
  readonly status: FinalStatus['status'];
  readonly failureCode?: FailureCode;
}

const UNTOLD = `jsonb_strip_nulls(jsonb_build_object('commandUuid', uuid, 'step', step, 'status', status, 'failureCode', failure ->> 'code'))`;

/** Of the CTEs `earlier` and `responded`: what the run is told now; null: nothing. */
export const UNTOLD_NOW = `(select jsonb_agg(${UNTOLD} order by responded_at, position)
  from (select uuid, step, status, failure, responded_at, position from earlier
        union all
        select uuid, step, status, failure, responded_at, position from responded where is_told) as told)`;

export interface UntoldWorkflow {
  readonly workflowId: string;
  /** In the order in which the device gave them. */
  readonly responses: readonly UntoldResponse[];
}

/** The responses of which a run was not told and that wait for no other command of it any more; they count as told. */
export const takeUntold = (sql: Sql, deviceId: string): Promise<UntoldWorkflow[]> =>
  sql.query<UntoldWorkflow>(
    `with told as (
       update commands set is_told = true
        where device_id = $1 and state = 'responded' and not is_told
          and not exists (
            select from commands as open
             where open.device_id = $1 and open.workflow_id = commands.workflow_id
               and open.run_id is not distinct from commands.run_id and open.state in ${OUTSTANDING})
       returning workflow_id, uuid, step, status, failure, responded_at, position)
     select workflow_id, jsonb_agg(${UNTOLD} order by responded_at, position) as responses from told group by workflow_id`,
    [deviceId],
  );

/** What carries the app configuration to a device. */
export const CONFIGURING: readonly string[] = [
  stepOf({ type: 'ApplicationConfiguration', content: 'odette', revision: '' }),
  stepOf({ type: 'InstallApplication', revision: '' }),
];

interface RespondedCommand extends NextCommand {
  /** What its run is to be told now, in the order of the responses; none: it waits for another command, too. */
  readonly untold: readonly UntoldResponse[];
}

/**
 * Keeps the final status of a command, the first time only; a late response to a withdrawn command is kept too. undefined:
 * done before, or not a command of this device.
 * @param takesNext the next command of the same channel is taken in the same statement
 */
export async function recordFinalStatus(
  sql: Sql,
  { deviceId, uuid, userId, step }: Pick<CommandRow, 'deviceId' | 'uuid' | 'userId' | 'step'>,
  final: FinalStatus,
  takesNext: boolean,
): Promise<RespondedCommand | undefined> {
  const condition = '$5 and commands.uuid <> $2 and exists (select from responded)';
  const [row] = await sql.query<Pick<RespondedCommand, 'untold'> & TakenRow>(
    `with asked as (
       select workflow_id, run_id, not exists (
                select from commands as open
                 where open.device_id = $1 and open.uuid <> $2 and open.workflow_id = command.workflow_id
                   and open.run_id is not distinct from command.run_id and open.state in ${OUTSTANDING}) as is_last
         from commands as command where uuid = $2 and device_id = $1 and state <> 'responded'),
     responded as (
       update commands set state = 'responded', status = $3, failure = $4, responded_at = now(), sealed_body = null, is_told = asked.is_last
         from asked where uuid = $2 and device_id = $1 and state <> 'responded'
       returning uuid, step, status, failure, responded_at, position, is_told),
     earlier as (
       update commands set is_told = true from asked
        where is_last and device_id = $1 and uuid <> $2 and commands.workflow_id = asked.workflow_id
          and commands.run_id is not distinct from asked.run_id and state = 'responded' and not is_told
       returning uuid, step, status, failure, responded_at, position),
     ${withdrawingExpired(condition)}, ${takingNextForWaiting({ device: '$1', userId: '$6::text', condition })}
     select coalesce(${UNTOLD_NOW}, '[]') as untold,
            ${TAKEN_COLUMNS}
       from responded left join taken on true`,
    [deviceId, uuid, final.status, final.failure ? JSON.stringify(final.failure) : null, takesNext, userId],
  );
  if (row === undefined) return undefined;
  const { untold, ...taken } = row;
  if (final.status === 'Acknowledged' && CONFIGURING.includes(step))
    await recordConfigurationAcknowledged(sql, deviceId);
  return { untold, ...nextOf(taken as TakenRow) };
}
