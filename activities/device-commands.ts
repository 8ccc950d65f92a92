// Commands to a device: queued once under a UUID that derives from the run, and a push unless the device is on the line.
import { commandUuid } from '../adapters/store/devices/command-uuid.ts';
import {
  findCommand,
  queueCommand,
  takeOverCommand,
  withdrawUnwanted,
  type CommandRow,
} from '../adapters/store/devices/commands.ts';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { isSecretInUse } from '../adapters/store/integration/secret-rotations.ts';
import { findUserChannel } from '../adapters/store/devices/user-channels.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { scopeOf } from '../domain/rollout-step.ts';
import type { CommandStatus } from '../workflows/messages.ts';
import { bodyOf, rememberSent, type CommandBody } from './command-body.ts';
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
    async queueCommands(input: QueueInput): Promise<QueuedCommands> {
      const named = await Promise.all(input.commands.map((command) => newestAttempt(input, command)));
      const known = new Set(named.filter(({ isKnown }) => isKnown).map(({ uuid }) => uuid));
      // Bodies are made outside the transaction: they open secrets and sign.
      const bodies = new Map(
        await Promise.all(
          named
            .filter(({ uuid }) => !known.has(uuid))
            .map(
              async ({ uuid, request }) => [uuid, await bodyOf(deps, input.deviceId, uuid, request)] as const,
            ),
        ),
      );
      const uuids = named.map(({ uuid }) => uuid);
      const rows: CommandRow[] = [];
      const commands = await database.inTransaction(async (sql) => {
        await withdrawUnwanted(sql, input, uuids);
        const progress: QueuedCommand[] = [];
        rows.length = 0;
        for (const { uuid, step, request, attempt } of named) {
          const row = known.has(uuid)
            ? await takeOverCommand(sql, uuid, input.runId)
            : await queueNew(sql, input, { uuid, step, request }, bodies.get(uuid));
          // What was planned is not wanted any more: the plan is made again.
          if (row === undefined)
            progress.push({ commandUuid: uuid, step, status: 'Withdrawn', failureCode: null, attempt });
          else {
            rows.push(row);
            progress.push({ ...progressOf(row), attempt });
          }
        }
        return progress;
      });
      return { commands, pushFailure: await wakeFor(deps, input.deviceId, rows.filter(isOpen)) };
    },

    /** Pushes again, and returns responses whose signals were lost. */
    async pushAgain(input: {
      readonly deviceId: string;
      readonly commandUuids: readonly string[];
    }): Promise<PushedCommands> {
      const rows = await findCommands(input.commandUuids);
      const pushFailure = await wakeFor(deps, input.deviceId, rows.filter(isOpen));
      return { commands: rows.map(progressOf), pushFailure };
    },

    /** Takes back what this workflow still had outstanding. */
    async withdrawCommands(input: CommandOwner & { readonly deviceId: string }): Promise<void> {
      await database.inTransaction((sql) => withdrawUnwanted(sql, input, []));
    },

    /** false once the device may have it, or will get it. */
    async withdrawCommand(input: { readonly commandUuid: string }): Promise<boolean> {
      const command = await findCommand(database, input.commandUuid);
      const device = command && (await findChannelDevice(database, command.deviceId));
      if (device === undefined) return false;
      return (await channelOf(deps, device).withdraw(input.commandUuid)) === 'withdrawn';
    },
  };

  /**
   * The first attempt from the given one on that is not over for another run. A reset gives a run its own look and its own try: what
   * was refused, or acknowledged and not seen since, is asked again; what the device still has to answer stays the same command.
   */
  async function newestAttempt(input: QueueInput, command: QueueInput['commands'][number]) {
    for (let { attempt } = command; ; attempt += 1) {
      const revision = revisionOf(input, command.request);
      const uuid = commandUuid({ ...input, ...command, revision, attempt });
      const row = await findCommand(database, uuid);
      const isOver = row !== undefined && row.runId !== input.runId && progressOf(row).status !== null;
      if (!isOver) return { ...command, attempt, uuid, isKnown: row !== undefined };
    }
  }

  async function findCommands(uuids: readonly string[]): Promise<CommandRow[]> {
    const rows = await Promise.all(uuids.map((uuid) => findCommand(database, uuid)));
    return rows.flatMap((row) => row ?? []);
  }
}

async function queueNew(
  sql: Sql,
  input: QueueInput,
  { uuid, step, request }: { readonly uuid: string; readonly step: string; readonly request: StepRequest },
  body: CommandBody | undefined,
): Promise<CommandRow | undefined> {
  if (body === undefined) return undefined;
  const iosKey = 'iosKey' in body.content ? body.content.iosKey : undefined;
  if (iosKey !== undefined && !(await isSecretInUse(sql, iosKey.secretId))) return undefined;
  const isForUser = scopeOf(request) === 'User';
  const user = isForUser ? await findUserChannel(sql, input.deviceId) : undefined;
  // There is nobody to ask.
  if (isForUser && user === undefined) return undefined;
  await rememberSent(sql, input.deviceId, request);
  const { deviceId, enrollmentId, workflowId, runId } = input;
  const { requestType, content } = body;
  return queueCommand(sql, {
    uuid,
    deviceId,
    enrollmentId,
    workflowId,
    runId,
    userId: user?.userId,
    step,
    requestType,
    ...content,
  });
}

/** A command belongs to one enrollment: after an Authenticate the same step is another command. */
const revisionOf = ({ enrollmentId, scope }: QueueInput, request: StepRequest): string =>
  [enrollmentId, scope, 'revision' in request ? request.revision : ''].join('/');

const isOpen = (row: CommandRow): boolean => progressOf(row).status === null;

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
