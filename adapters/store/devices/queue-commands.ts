// Commands are queued, each once, with what is noted of them: in one statement unless somebody else holds the device.
import type { Database, Sql } from '../base/database.ts';
import { deliveryValues, insertingDelivery, type NewDelivery } from '../rollout/deliveries.ts';
import { recordingSentProfiles, type SentProfile } from '../rollout/sent-profiles.ts';
import { CAN_BE_TAKEN_BACK, OUTSTANDING } from './command-states.ts';
import { COMMAND_COLUMNS, COMMANDS_CHANNEL, findCommands, type CommandRow } from './commands.ts';
import { ENROLLED } from './enrolled.ts';

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

/** The device's row is the lock that every change of its queue takes, so that order and supersession are exact. */
export const lockQueue = async (sql: Sql, deviceId: string): Promise<void> =>
  void (await sql.query('select from devices where id = $1 for no key update', [deviceId]));

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
  // First the lock, then the look.
  await lockQueue(sql, target.deviceId);
  return (await queueIn(sql, target, commands)) ?? { rows: [], isOnTheLine: false };
}

/** `queueCommands` in one statement, unless somebody else holds the device. */
export async function queueCommandsAtOnce(
  database: Database,
  target: QueueTarget,
  commands: readonly NewCommand[],
): Promise<Queued> {
  const atOnce = await queueAlone(database, target, commands);
  return atOnce ?? database.inTransaction((sql) => queueCommands(sql, target, commands));
}

/** In one statement. undefined: one of them was queued before, or somebody else holds the device, and nothing was written. */
export const queueNewCommands = (
  sql: Sql,
  target: QueueTarget,
  commands: readonly NewCommand[],
): Promise<Queued | undefined> => queueAlone(sql, target, commands, { areNew: true });

/** The same, of a delivery and its commands: undefined, too, where it is there already. */
export const queueDelivery = (
  sql: Sql,
  target: QueueTarget,
  commands: readonly NewCommand[],
  delivery: NewDelivery,
): Promise<Queued | undefined> => queueAlone(sql, target, commands, { areNew: true, delivery });

interface Conditions {
  readonly areNew?: boolean;
  /** It is kept with them. */
  readonly delivery?: NewDelivery;
}

async function queueAlone(...[sql, ...queued]: Parameters<typeof queueIn>): Promise<Queued | undefined> {
  return queueIn(sql, ...queued).catch((error: unknown) => {
    // Somebody held the device between this statement's look and its lock.
    if (isOneOutstandingViolated(error)) return undefined;
    throw error;
  });
}

const isOneOutstandingViolated = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'commands_one_outstanding';

/** The CTE `device`: it is locked, and with a delivery it is there only where this statement keeps it. */
const lockingDevice = (hasDelivery: boolean): string => {
  const locked = `select id, enrollment_id = $2 and ${ENROLLED} as is_current,
              channel_id is null and coalesce(long_poll_until > now(), false) as is_on_the_line
         from devices
        where id = $1 and not ($21::boolean and exists (select from commands where uuid = any ($3::uuid[])))
          for no key update skip locked`;
  if (!hasDelivery) return `device as materialized (${locked})`;
  return `locked as materialized (${locked}),
     delivered as (${insertingDelivery('locked', 22)} returning 1),
     device as materialized (select locked.* from locked cross join delivered),
     served as (delete from okta_waiters where device_id in (select id from device))`;
};

/** undefined: there is no such device, somebody else holds it, or the conditions do not hold. */
async function queueIn(
  sql: Sql,
  { deviceId, enrollmentId, replaces, sent = [] }: QueueTarget,
  commands: readonly NewCommand[],
  { areNew = false, delivery }: Conditions = {},
): Promise<Queued | undefined> {
  const uuids = commands.map(({ uuid }) => uuid);
  const made = await sql.query<CommandRow & { readonly isOnTheLine: boolean }>(
    `with ${lockingDevice(delivery !== undefined)},
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
      areNew,
      ...(delivery === undefined ? [] : deliveryValues(delivery)),
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
