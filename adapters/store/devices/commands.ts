// The queue of commands as workflows see it: look up, withdraw; queued by queue-commands.ts. What a device takes from it: command-exchange.ts.
import type { DeviceErrorChain } from '../../../domain/device-error-classes.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import type { Sql } from '../base/database.ts';
import { CAN_BE_TAKEN_BACK, isInConversationSql, OUTSTANDING } from './command-states.ts';

/** NOTIFY channel; the payload is the device's id, or what long-polls.ts tells. */
export const COMMANDS_CHANNEL = 'odette_commands';

/** What a sealed command body is bound to (the context of `Sealer.seal`). */
export const sealedCommandContext = (uuid: string): string => `command:${uuid}`;

type CommandState = 'queued' | 'handed_over' | 'not_now' | 'responded' | 'withdrawn';

export interface CommandRow {
  readonly uuid: string;
  readonly deviceId: string;
  readonly workflowId: string;
  readonly runId: string | null;
  /** null: the device's own channel. */
  readonly userId: string | null;
  readonly step: string;
  readonly requestType: string;
  readonly state: CommandState;
  /** Acknowledged, Error or CommandFormatError, of the response; Unknown if it was handed over once and got none. */
  readonly status: string | null;
  readonly failure: { readonly code: FailureCode; readonly errorChain: DeviceErrorChain } | null;
  readonly queuedAt: Date;
  readonly handedOverAt: Date | null;
  readonly notNowAt: Date | null;
  readonly respondedAt: Date | null;
}

export const COMMAND_COLUMNS = `uuid, device_id, workflow_id, run_id, user_id, step, request_type, state, status,
  failure, queued_at, handed_over_at, not_now_at, responded_at`;

export const findCommands = (sql: Sql, uuids: readonly string[]): Promise<CommandRow[]> =>
  sql.query<CommandRow>(`select ${COMMAND_COLUMNS} from commands where uuid = any ($1::uuid[])`, [uuids]);

export async function findCommand(sql: Sql, uuid: string): Promise<CommandRow | undefined> {
  const [row] = await sql.query<CommandRow>(`select ${COMMAND_COLUMNS} from commands where uuid = $1`, [
    uuid,
  ]);
  return row;
}

/** The command that the device of this UDID was given. */
export async function findCommandOf(sql: Sql, uuid: string, udid: string): Promise<CommandRow | undefined> {
  const [row] = await sql.query<CommandRow>(
    `select ${COMMAND_COLUMNS} from commands where uuid = $1 and device_id = (select id from devices where udid = $2)`,
    [uuid, udid],
  );
  return row;
}

/**
 * Takes a command back: true if the device cannot have carried it out (never handed over, or NotNow). False once it is in
 * the device's hands or done; one conditional UPDATE, so it cannot race with a hand-over.
 */
export async function withdrawCommand(sql: Sql, uuid: string): Promise<boolean> {
  const rows = await sql.query(
    `update commands set state = 'withdrawn', sealed_body = null
      where uuid = $1 and ${CAN_BE_TAKEN_BACK} returning 1`,
    [uuid],
  );
  return rows.length > 0;
}

/** A run wants the responses from now on: the one that asked, or the one after a reset. */
export const takeOverCommands = (sql: Sql, uuids: readonly string[], runId: string): Promise<CommandRow[]> =>
  sql.query<CommandRow>(
    `update commands set run_id = $2 where uuid = any ($1::uuid[]) returning ${COMMAND_COLUMNS}`,
    [uuids, runId],
  );

/**
 * Takes back what a workflow has queued for a device and the device has not taken. The device's row is locked first, as
 * a response and `queueCommands` do: in another order they wait for each other in a circle.
 */
export async function withdrawUnwanted(
  sql: Sql,
  owner: { readonly workflowId: string; readonly deviceId: string },
): Promise<void> {
  await sql.query(
    `with device as materialized (select id from devices where id = $1 for no key update)
     update commands set state = 'withdrawn', sealed_body = null from device
      where device_id = device.id and workflow_id = $2 and ${CAN_BE_TAKEN_BACK}`,
    [owner.deviceId, owner.workflowId],
  );
}

/** Authenticate and CheckOut: nothing that was outstanding holds any more. Returns how many were withdrawn. */
export async function withdrawOutstanding(sql: Sql, deviceId: string): Promise<number> {
  const rows = await sql.query(
    `update commands set state = 'withdrawn', sealed_body = null
      where device_id = $1 and state in ${OUTSTANDING} returning 1`,
    [deviceId],
  );
  return rows.length;
}

/** Of the device's own channel, or of a user's (command-states.ts). */
export async function isInConversation(
  sql: Sql,
  deviceId: string,
  { userId }: { readonly userId?: string | undefined } = {},
): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(
    `select ${isInConversationSql({ device: 'devices', userId: '$2::text' })} as yes from devices where id = $1`,
    [deviceId, userId ?? null],
  );
  return row?.yes ?? false;
}

export interface RefusedCommand {
  readonly step: string;
  readonly requestType: string;
  readonly queuedAt: Date;
  readonly respondedAt: Date;
  /** What the device said, as it said it. */
  readonly errorChain: DeviceErrorChain;
}

/** The last command that a device refused for this reason, of its rollout or of its certificate workflow. */
export async function findLastRefusal(
  sql: Sql,
  deviceId: string,
  code: string,
): Promise<RefusedCommand | undefined> {
  const [row] = await sql.query<RefusedCommand>(
    `select step, request_type, queued_at, responded_at, failure -> 'errorChain' as error_chain
       from commands where device_id = $1 and failure ->> 'code' = $2 and responded_at is not null order by responded_at desc limit 1`,
    [deviceId, code],
  );
  return row;
}

/** Commands that ended long ago go. Returns how many went. */
export async function pruneCommands(sql: Sql, olderThanDays: number): Promise<number> {
  const rows = await sql.query(
    `delete from commands where uuid in (
       select uuid from commands where state in ('responded', 'withdrawn') and queued_at < now() - make_interval(days => $1) limit 10000)
     returning 1`,
    [olderThanDays],
  );
  return rows.length;
}
