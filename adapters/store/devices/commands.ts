// The queue of commands as workflows see it: queue, look up, withdraw. What a device takes from it: command-exchange.ts.
import type { DeviceErrorChain } from '../../../domain/device-error-classes.ts';
import { CataloguedError, type FailureCode } from '../../../domain/failures.ts';
import type { Sql } from '../base/database.ts';
import { ENROLLED } from './enrolled.ts';

/** NOTIFY channel; the payload is the device's id. */
export const COMMANDS_CHANNEL = 'odette_commands';

/** What a sealed command body is bound to (the context of `Sealer.seal`). */
export const sealedCommandContext = (uuid: string): string => `command:${uuid}`;

/** A version of an integration's iOS secret key. */
export interface IosKey {
  readonly secretId: string;
  readonly version: number;
}

export interface NewCommand {
  readonly uuid: string;
  readonly deviceId: string;
  readonly enrollmentId: string;
  /** Who is told of the response. */
  readonly workflowId: string;
  /** The run that wants the response; absent for a certificate's delivery. */
  readonly runId?: string;
  /** Of its user's channel; absent: the device's own. */
  readonly userId?: string | undefined;
  readonly step: string;
  readonly requestType: string;
  /** The whole plist (CommandUUID and Command), in the clear or sealed under `sealedCommandContext(uuid)`: one of them. */
  readonly body?: Buffer;
  readonly sealedBody?: Buffer;
  /** It carries a challenge: handed over once, unless the device says NotNow. */
  readonly handsOverOnce?: boolean;
  /** Milliseconds from now on, by the database's clock; after them it is withdrawn instead of handed over. */
  readonly lifeMs?: number;
  /** It carries this version of an integration's iOS secret key. */
  readonly iosKey?: IosKey;
}

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

/**
 * Queues a command once: a second call with its UUID changes nothing and returns the row as it is now. An older outstanding
 * command of the same device and step is superseded. A command planned for an enrollment that has ended (or not yet begun) is
 * born withdrawn: a signal tells the workflow of the new enrollment. Call it inside a transaction.
 */
export async function queueCommand(sql: Sql, command: NewCommand): Promise<CommandRow> {
  const known = await findCommand(sql, command.uuid);
  if (known) return known;
  // The device's row is the lock that every change of its queue takes, so that order and supersession are exact.
  const [device] = await sql.query<{ current: boolean }>(
    `select enrollment_id = $2 and ${ENROLLED} as current from devices where id = $1 for no key update`,
    [command.deviceId, command.enrollmentId],
  );
  const isCurrent = device?.current ?? false;
  if (isCurrent)
    await sql.query(
      `update commands set state = 'withdrawn', sealed_body = null
        where device_id = $1 and step = $2 and uuid <> $3 and state in ('queued', 'handed_over', 'not_now')`,
      [command.deviceId, command.step, command.uuid],
    );
  await sql.query(
    `with queued as (
       insert into commands (uuid, device_id, enrollment_id, workflow_id, run_id, step, request_type, body, sealed_body, hands_over_once, expires_at, state, ios_key_secret_id, ios_key_version, user_id)
       values ($1, $2, $3, $4, $12, $5, $6, $7, $8, $9, now() + make_interval(secs => $10::float8 / 1000), $11, $13, $14, $15) on conflict (uuid) do nothing returning device_id, state)
     select pg_notify('${COMMANDS_CHANNEL}', device_id::text) from queued where state = 'queued'`,
    [
      command.uuid,
      command.deviceId,
      command.enrollmentId,
      command.workflowId,
      command.step,
      command.requestType,
      isCurrent ? (command.body ?? null) : null,
      isCurrent ? (command.sealedBody ?? null) : null,
      command.handsOverOnce ?? false,
      command.lifeMs ?? null,
      isCurrent ? 'queued' : 'withdrawn',
      command.runId ?? null,
      command.iosKey?.secretId ?? null,
      command.iosKey?.version ?? null,
      command.userId ?? null,
    ],
  );
  const row = await findCommand(sql, command.uuid);
  if (!row) throw new CataloguedError('store.unavailable');
  return row;
}

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
      where uuid = $1 and (state = 'not_now' or (state = 'queued' and (handed_over_at is null or hands_over_once))) returning 1`,
    [uuid],
  );
  return rows.length > 0;
}

/** A run wants the response from now on: the one that asked, or the one after a reset. */
export async function takeOverCommand(
  sql: Sql,
  uuid: string,
  runId: string,
): Promise<CommandRow | undefined> {
  const [row] = await sql.query<CommandRow>(
    `update commands set run_id = $2 where uuid = $1 returning ${COMMAND_COLUMNS}`,
    [uuid, runId],
  );
  return row;
}

/**
 * Takes back what a workflow has queued for a device and the device has not taken, except `wanted`. The device's row is locked first, as
 * a response and `queueCommand` do: in another order they wait for each other in a circle. Call it inside a transaction.
 */
export async function withdrawUnwanted(
  sql: Sql,
  owner: { readonly workflowId: string; readonly deviceId: string },
  wanted: readonly string[],
): Promise<void> {
  await sql.query('select from devices where id = $1 for no key update', [owner.deviceId]);
  const rows = await sql.query<{ uuid: string }>(
    `select uuid from commands where device_id = $1 and workflow_id = $2 and state in ('queued', 'not_now') and uuid <> all ($3::uuid[])`,
    [owner.deviceId, owner.workflowId, wanted],
  );
  for (const { uuid } of rows) await withdrawCommand(sql, uuid);
}

/** Authenticate and CheckOut: nothing that was outstanding holds any more. Returns how many were withdrawn. */
export async function withdrawOutstanding(sql: Sql, deviceId: string): Promise<number> {
  const rows = await sql.query(
    `update commands set state = 'withdrawn', sealed_body = null
      where device_id = $1 and state in ('queued', 'handed_over', 'not_now') returning 1`,
    [deviceId],
  );
  return rows.length;
}

/**
 * Whether the device will ask for its next command by itself, so that a push would be wasted: a request of it waits, or it
 * works on a command that it was handed less than `seconds` ago. No request of a user's channel waits.
 */
export async function isInConversation(
  sql: Sql,
  deviceId: string,
  { userId, seconds = 20 }: { readonly userId?: string | undefined; readonly seconds?: number } = {},
): Promise<boolean> {
  const [row] = await sql.query<{ yes: boolean }>(
    `select ($3::text is null and coalesce(long_poll_until > now(), false)) or exists (
       select from commands where device_id = devices.id and state = 'handed_over' and user_id is not distinct from $3
          and handed_over_at > now() - make_interval(secs => $2)) as yes
       from devices where id = $1`,
    [deviceId, seconds, userId ?? null],
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
