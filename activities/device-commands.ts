// Commands to a device: queued once under a UUID that derives from the run, and a push unless the device is on the line.
import { commandUuid } from '../adapters/store/devices/command-uuid.ts';
import {
  findCommand,
  findCommands,
  queueCommands,
  queueCommandsAtOnce,
  takeOverCommands,
  type CommandRow,
  type NewCommand,
  type Queued,
} from '../adapters/store/devices/commands.ts';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { isSecretInUse } from '../adapters/store/integration/secret-rotations.ts';
import { findUserChannel, type UserChannel } from '../adapters/store/devices/user-channels.ts';
import type { Database } from '../adapters/store/base/database.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { scopeOf } from '../domain/rollout-step.ts';
import type { CommandStatus } from '../workflows/messages.ts';
import { bodyOf, BodySource, type CommandBody } from './command-body.ts';
import { channelOf } from './channel-of.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { wakeFor } from './wake-device.ts';

/** Whose commands they are: an execution, the same after its resets. */
export interface CommandOwner {
  readonly workflowId: string;
  readonly firstRunId: string;
}

export interface QueueInput extends CommandOwner {
  readonly deviceId: string;
  readonly enrollmentId: string;
  /** Tells apart what a workflow asks again over several runs; '' where a run is all there is. */
  readonly scope: string;
  /** Another one after a reset. */
  readonly runId: string;
  readonly commands: readonly {
    readonly step: string;
    readonly request: StepRequest;
    /** From 1; what a run before the reset asked, and was answered, is asked again under a later one. */
    readonly attempt: number;
  }[];
}

/** How a command stands. `status` is there once it has ended. */
export interface CommandProgress {
  readonly commandUuid: string;
  readonly step: string;
  readonly status: CommandStatus | null;
  readonly failureCode: FailureCode | null;
}

interface QueuedCommand extends CommandProgress {
  readonly attempt: number;
}

export interface QueuedCommands extends PushedCommands {
  readonly commands: readonly QueuedCommand[];
}

export interface PushedCommands {
  readonly commands: readonly CommandProgress[];
  /** Why no push could be sent; null: sent, or the device is on the line. */
  readonly pushFailure: FailureCode | null;
}

export function deviceCommandActivities(deps: ActivityDependencies) {
  const { database } = deps;

  return {
    /** Queues the commands, and withdraws what the same workflow had queued and does not want any more. */
    queueCommands: (input: QueueInput): Promise<QueuedCommands> =>
      queueAll(deps, input, new BodySource(deps, input.deviceId)),

    /** Pushes again, and returns responses whose signals were lost. */
    async pushAgain(input: {
      readonly deviceId: string;
      readonly commandUuids: readonly string[];
    }): Promise<PushedCommands> {
      const rows = await findCommands(database, input.commandUuids);
      const pushFailure = await wakeFor(deps, input.deviceId, rows.filter(isOpen));
      return { commands: inOrderOfResponses(rows).map(progressOf), pushFailure };
    },

    /** false once the device may have it, or will get it. */
    async withdrawCommand(input: { readonly commandUuid: string }): Promise<boolean> {
      const command = await findCommand(database, input.commandUuid);
      const device = command && (await findChannelDevice(database, command.deviceId));
      if (device === undefined) return false;
      return (await channelOf(deps, device).withdraw(input.commandUuid)) === 'withdrawn';
    },
  };
}

/** As `queueCommands`. @param source what their bodies are made of */
export async function queueAll(
  deps: ActivityDependencies,
  input: QueueInput,
  source: BodySource,
): Promise<QueuedCommands> {
  const { database } = deps;
  const named = await newestAttempts(database, input);
  // Bodies are made outside the transaction: they open secrets and sign.
  const made = await Promise.all(
    named
      .filter(({ isKnown }) => !isKnown)
      .map(async (command) => ({ ...command, body: await bodyOf(source, command.uuid, command.request) })),
  );
  const { rows, isOnTheLine } = await queueNamed(database, input, named, made);
  const commands = named.map(({ uuid, step, attempt }): QueuedCommand => {
    const row = rows.find((each) => each.uuid === uuid);
    // What was planned is not wanted any more: the plan is made again.
    if (row === undefined)
      return { commandUuid: uuid, step, status: 'Withdrawn', failureCode: null, attempt };
    return { ...progressOf(row), attempt };
  });
  return { commands, pushFailure: await wakeFor(deps, input.deviceId, waiting(rows, isOnTheLine)) };
}

/**
 * The first attempt from the given one on that is not over for another run. A reset gives a run its own look and its own try: what
 * was refused, or acknowledged and not seen since, is asked again; what the device still has to answer stays the same command.
 */
async function newestAttempts(database: Database, input: QueueInput): Promise<NamedCommand[]> {
  const name = (command: QueueInput['commands'][number]): NamedCommand => {
    const revision = revisionOf(input, command.request);
    return { ...command, uuid: commandUuid({ ...input, ...command, revision }), isKnown: false };
  };
  let named = input.commands.map(name);
  for (;;) {
    const rows = await findCommands(
      database,
      named.map(({ uuid }) => uuid),
    );
    const isOver = (row: CommandRow | undefined) =>
      row !== undefined && row.runId !== input.runId && progressOf(row).status !== null;
    const found = named.map((command) => ({
      command,
      row: rows.find(({ uuid }) => uuid === command.uuid),
    }));
    if (!found.some(({ row }) => isOver(row)))
      return found.map(({ command, row }) => ({ ...command, isKnown: row !== undefined }));
    named = found.map(({ command, row }) =>
      isOver(row) ? name({ ...command, attempt: command.attempt + 1 }) : command,
    );
  }
}

interface NamedCommand {
  readonly step: string;
  readonly request: StepRequest;
  readonly attempt: number;
  readonly uuid: string;
  readonly isKnown: boolean;
}

async function queueNamed(
  database: Database,
  input: QueueInput,
  named: readonly NamedCommand[],
  made: readonly (NamedCommand & { readonly body: CommandBody | undefined })[],
): Promise<Queued> {
  const { deviceId, workflowId, runId } = input;
  const isForUser = made.some(({ request }) => scopeOf(request) === 'User');
  const user = isForUser ? await findUserChannel(database, deviceId) : undefined;
  const replaces = { workflowId, wanted: named.map(({ uuid }) => uuid) };
  const known = named.flatMap(({ uuid, isKnown }) => (isKnown ? [uuid] : []));
  const queueable = (usable: typeof made) => {
    const sent = new Map(usable.flatMap(({ body }) => (body?.sent ? [[body.sent.kind, body.sent]] : [])));
    const commands = usable.flatMap((each) => newCommandOf(input, each, user) ?? []);
    return [{ ...input, replaces, sent: [...sent.values()] }, commands] as const;
  };
  if (known.length === 0 && made.every((each) => iosKeyOf(each) === undefined))
    return queueCommandsAtOnce(database, ...queueable(made));
  return database.inTransaction(async (sql) => {
    const usable = [];
    for (const each of made) {
      const key = iosKeyOf(each);
      if (key === undefined || (await isSecretInUse(sql, key.secretId))) usable.push(each);
    }
    const queued = await queueCommands(sql, ...queueable(usable));
    if (known.length === 0) return queued;
    return { ...queued, rows: [...queued.rows, ...(await takeOverCommands(sql, known, runId))] };
  });
}

/** The secret that its body carries. */
const iosKeyOf = ({ body }: { readonly body: CommandBody | undefined }) =>
  body && 'iosKey' in body.content ? body.content.iosKey : undefined;

/** undefined: it is not wanted any more, or there is nobody to ask. */
function newCommandOf(
  { deviceId, enrollmentId, workflowId, runId }: QueueInput,
  { uuid, step, request, body }: NamedCommand & { readonly body: CommandBody | undefined },
  user: UserChannel | undefined,
): NewCommand | undefined {
  const isOfUser = scopeOf(request) === 'User';
  if (body === undefined || (isOfUser && user === undefined)) return undefined;
  const { requestType, content } = body;
  const userId = isOfUser ? user?.userId : undefined;
  return { uuid, deviceId, enrollmentId, workflowId, runId, userId, step, requestType, ...content };
}

/** A command belongs to one enrollment: after an Authenticate the same step is another command. */
const revisionOf = ({ enrollmentId, scope }: QueueInput, request: StepRequest): string =>
  [enrollmentId, scope, 'revision' in request ? request.revision : ''].join('/');

/** A list that the device gave before it took a profile does not show it. */
export const inOrderOfResponses = (rows: readonly CommandRow[]): CommandRow[] =>
  rows.toSorted((one, other) => (one.respondedAt?.getTime() ?? 0) - (other.respondedAt?.getTime() ?? 0));

const isOpen = (row: CommandRow): boolean => progressOf(row).status === null;

/** For whom somebody has to be woken. */
export const waiting = (rows: readonly CommandRow[], isOnTheLine: boolean): CommandRow[] =>
  rows.filter((row) => isOpen(row) && !(isOnTheLine && row.userId === null));

export function progressOf(row: CommandRow): CommandProgress {
  const status: CommandStatus | null =
    row.state === 'responded'
      ? (row.status as CommandStatus)
      : row.state === 'withdrawn'
        ? row.status === 'Unknown'
          ? 'Unknown'
          : 'Withdrawn'
        : null;
  return { commandUuid: row.uuid, step: row.step, status, failureCode: row.failure?.code ?? null };
}
