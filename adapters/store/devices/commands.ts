// The queue of commands as workflows see it: queue, look up, withdraw. What a device takes from it: command-exchange.ts.
import type { DeviceErrorChain } from '../../../domain/device-error-classes.ts';
import type { FailureCode } from '../../../domain/failures.ts';
import type { Database, Sql } from '../base/database.ts';
import { recordingSentProfiles, type SentProfile } from '../rollout/sent-profiles.ts';
import { ENROLLED } from './enrolled.ts';
import { CAN_BE_TAKEN_BACK, isInConversationSql, OUTSTANDING } from './command-states.ts';

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

const COMMAND_COLUMNS = `uuid, device_id, workflow_id, run_id, user_id, step, request_type, state, status,
  failure, queued_at, handed_over_at, not_now_at, responded_at`;

export interface QueueTarget {
  readonly deviceId: string;
  readonly enrollmentId: string;
  /** What this workflow has queued, the device has not taken and nobody wants any more is taken back. */
  readonly replaces?: { readonly workflowId: string; readonly wanted: readonly string[] };
  /** Which revisions go to the device with them: one of each kind. */
  readonly sent?: readonly SentProfile[];
}

export interface Queued {
  /** In the order of the commands, as they are now. */
  readonly rows: readonly CommandRow[];
  /** A request of the device waits for its next command: no push is needed. */
  readonly isOnTheLine: boolean;
}

/**
 * Queues each command once: a second call with its UUID changes nothing and returns the row as it is now. An older outstanding command of the
 * same device and step is superseded. A command planned for an enrollment that has ended (or not yet begun) is born withdrawn: a signal
 * tells the workflow of the new enrollment. Call it inside a transaction.
 */
export async function queueCommands(
  sql: Sql,
  target: QueueTarget,
  commands: readonly NewCommand[],
): Promise<Queued> {
  // The device's row is the lock that every change of its queue takes, so that order and supersession are exact: first the lock, then the look.
  await sql.query('select from devices where id = $1 for no key update', [target.deviceId]);
  return (await queueIn(sql, target, commands)) ?? { rows: [], isOnTheLine: false };
}

/** `queueCommands` in one statement, unless somebody else holds the device. */
export async function queueCommandsAtOnce(
  database: Database,
  target: QueueTarget,
  commands: readonly NewCommand[],
): Promise<Queued> {
  const atOnce = await queueIn(database, target, commands).catch((error: unknown) => {
    // Somebody held the device between this statement's look and its lock.
    if (isOneOutstandingViolated(error)) return undefined;
    throw error;
  });
  return atOnce ?? database.inTransaction((sql) => queueCommands(sql, target, commands));
}

const isOneOutstandingViolated = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'commands_one_outstanding';

/** undefined: there is no such device, or somebody else holds it. */
async function queueIn(
  sql: Sql,
  { deviceId, enrollmentId, replaces, sent = [] }: QueueTarget,
  commands: readonly NewCommand[],
): Promise<Queued | undefined> {
  const uuids = commands.map(({ uuid }) => uuid);
  const made = await sql.query<CommandRow & { readonly isOnTheLine: boolean }>(
    `with device as materialized (
       select id, enrollment_id = $2 and ${ENROLLED} as is_current,
              channel_id is null and coalesce(long_poll_until > now(), false) as is_on_the_line
         from devices where id = $1 for no key update skip locked),
     made as materialized (
       select * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::boolean[],
                            $12::float8[], $13::uuid[], $14::integer[])
                with ordinality as made (uuid, workflow_id, run_id, user_id, step, request_type, body, sealed_body, hands_over_once,
                                         life_ms, ios_key_secret_id, ios_key_version, place)),
     replaced as (
       update commands set state = 'withdrawn', sealed_body = null from device
        where device_id = device.id and uuid <> all ($3::uuid[]) and commands.state in ${OUTSTANDING}
          and ((device.is_current and step in (select made.step from made
                                                where not exists (select from commands as known where known.uuid = made.uuid)))
               or (workflow_id = $15 and uuid <> all ($16::uuid[]) and ${CAN_BE_TAKEN_BACK}))
       returning 1),
     sent as (
       ${recordingSentProfiles({ kinds: '$17', identifiers: '$18', payloadUuids: '$19', revisions: '$20' })}),
     queued as (
       insert into commands (device_id, enrollment_id, state, uuid, workflow_id, run_id, user_id, step, request_type, body, sealed_body,
                             hands_over_once, expires_at, ios_key_secret_id, ios_key_version)
       select device.id, $2::uuid, case when is_current then 'queued' else 'withdrawn' end, uuid, workflow_id, run_id, user_id, step,
              request_type, case when is_current then body end, case when is_current then sealed_body end,
              hands_over_once, now() + make_interval(secs => life_ms / 1000), ios_key_secret_id, ios_key_version
         from device cross join (select count(*) from replaced) as before cross join made
        order by place
       on conflict (uuid) do nothing returning ${COMMAND_COLUMNS}),
     told as (select pg_notify('${COMMANDS_CHANNEL}', $1::uuid::text) where exists (select from queued where state = 'queued'))
     select ${COMMAND_COLUMNS}, device.is_on_the_line
       from device left join queued on true cross join (select count(*) as listeners from told) as told`,
    [
      deviceId,
      enrollmentId,
      uuids,
      commands.map(({ workflowId }) => workflowId),
      commands.map(({ runId }) => runId ?? null),
      commands.map(({ userId }) => userId ?? null),
      commands.map(({ step }) => step),
      commands.map(({ requestType }) => requestType),
      commands.map(({ body }) => body ?? null),
      commands.map(({ sealedBody }) => sealedBody ?? null),
      commands.map(({ handsOverOnce }) => handsOverOnce ?? false),
      commands.map(({ lifeMs }) => lifeMs ?? null),
      commands.map(({ iosKey }) => iosKey?.secretId ?? null),
      commands.map(({ iosKey }) => iosKey?.version ?? null),
      replaces?.workflowId ?? null,
      replaces?.wanted ?? [],
      sent.map(({ kind }) => kind),
      sent.map(({ identifier }) => identifier),
      sent.map(({ payloadUuid }) => payloadUuid),
      sent.map(({ revision }) => revision),
    ],
  );
  const [first] = made;
  if (first === undefined) return undefined;
  const { isOnTheLine } = first;
  // Of a device without a new command there is one row all the same.
  const queued: CommandRow[] = made
    .filter(({ uuid }) => uuid !== null)
    .map(({ isOnTheLine: _, ...row }) => row);
  const known = queued.length < commands.length ? await findCommands(sql, uuids) : queued;
  return { rows: uuids.flatMap((uuid) => known.find((row) => row.uuid === uuid) ?? []), isOnTheLine };
}

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
