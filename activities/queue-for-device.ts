// Queues commands for a device, each once under a UUID that derives from the run, and wakes it unless it is on the line.
import { commandUuid } from '../adapters/store/devices/command-uuid.ts';
import { findCommands, takeOverCommands } from '../adapters/store/devices/commands.ts';
import {
  queueCommands,
  queueCommandsAtOnce,
  queueNewCommands,
  type NewCommand,
  type Queued,
  type QueueTarget,
} from '../adapters/store/devices/queue-commands.ts';
import { isSecretInUse } from '../adapters/store/integration/secret-rotations.ts';
import { findUserChannel, type UserChannel } from '../adapters/store/devices/user-channels.ts';
import type { Database } from '../adapters/store/base/database.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { scopeOf } from '../domain/rollout-step.ts';
import { bodyOf, isPlain, type BodySource, type CommandBody } from './command-body.ts';
import {
  progressOf,
  waiting,
  type CommandOwner,
  type CommandProgress,
  type PushedCommands,
} from './command-progress.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { wakeFor } from './wake-device.ts';

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

interface QueuedCommand extends CommandProgress {
  readonly attempt: number;
}

export interface QueuedCommands extends PushedCommands {
  readonly commands: readonly QueuedCommand[];
}

/** As `queueCommands`. @param source what their bodies are made of */
export async function queueAll(
  deps: ActivityDependencies,
  input: QueueInput,
  source: BodySource,
): Promise<QueuedCommands> {
  const { database } = deps;
  const { named, rows, isOnTheLine } =
    (await queueUnseen(database, input, source)) ?? (await queueKnown(database, input, source));
  const commands = named.map(({ uuid, step, attempt }): QueuedCommand => {
    const row = rows.find((each) => each.uuid === uuid);
    // What was planned is not wanted any more: the plan is made again.
    if (row === undefined)
      return { commandUuid: uuid, step, status: 'Withdrawn', failureCode: null, attempt };
    return { ...progressOf(row), attempt };
  });
  return { commands, pushFailure: await wakeFor(deps, input.deviceId, waiting(rows, isOnTheLine)) };
}

interface QueuedNamed extends Queued {
  readonly named: readonly NamedCommand[];
}

/**
 * Nearly always none was queued before, and the statement that queues them says so. undefined: one was, or one is not wanted any more, which
 * may have been queued when it was; nothing was written.
 */
async function queueUnseen(
  database: Database,
  input: QueueInput,
  source: BodySource,
): Promise<QueuedNamed | undefined> {
  const arePlain = await Promise.all(input.commands.map(({ request }) => isPlain(source, request)));
  if (arePlain.includes(false)) return undefined;
  const named = input.commands.map((command) => nameOf(input, command));
  const made = await withBodies(source, named);
  const user = await findUser(database, input, made);
  const commands = newCommandsOf(input, made, user);
  if (commands.length < named.length) return undefined;
  const queued = await queueNewCommands(database, targetOf(input, named, made), commands);
  return queued && { ...queued, named };
}

/** The same after a look at what is there. */
async function queueKnown(database: Database, input: QueueInput, source: BodySource): Promise<QueuedNamed> {
  const { named, known } = await newestAttempts(database, input);
  // Bodies are made outside the transaction: they open secrets and sign.
  const made = await withBodies(
    source,
    named.filter(({ uuid }) => !known.includes(uuid)),
  );
  const user = await findUser(database, input, made);
  if (known.length === 0 && made.every((each) => iosKeyOf(each) === undefined)) {
    const queued = await queueCommandsAtOnce(
      database,
      targetOf(input, named, made),
      newCommandsOf(input, made, user),
    );
    return { ...queued, named };
  }
  return database.inTransaction(async (sql) => {
    const usable = [];
    for (const each of made) {
      const key = iosKeyOf(each);
      if (key === undefined || (await isSecretInUse(sql, key.secretId))) usable.push(each);
    }
    const commands = newCommandsOf(input, usable, user);
    const { rows, isOnTheLine } = await queueCommands(sql, targetOf(input, named, usable), commands);
    const taken = known.length === 0 ? [] : await takeOverCommands(sql, known, input.runId);
    return { named, rows: [...rows, ...taken], isOnTheLine };
  });
}

interface NamedCommand {
  readonly step: string;
  readonly request: StepRequest;
  readonly attempt: number;
  readonly uuid: string;
}

function nameOf(input: QueueInput, command: QueueInput['commands'][number]): NamedCommand {
  const revision = revisionOf(input, command.request);
  return { ...command, uuid: commandUuid({ ...input, ...command, revision }) };
}

/**
 * The first attempt from the given one on that is not over for another run. A reset gives a run its own look and its own try: what
 * was refused, or acknowledged and not seen since, is asked again; what the device still has to answer stays the same command.
 */
async function newestAttempts(
  database: Database,
  input: QueueInput,
): Promise<{ readonly named: readonly NamedCommand[]; readonly known: readonly string[] }> {
  let named = input.commands.map((command) => nameOf(input, command));
  for (;;) {
    const rows = await findCommands(
      database,
      named.map(({ uuid }) => uuid),
    );
    const over = rows.filter((row) => row.runId !== input.runId && progressOf(row).status !== null);
    if (over.length === 0) return { named, known: rows.map(({ uuid }) => uuid) };
    named = named.map((command) =>
      over.some(({ uuid }) => uuid === command.uuid)
        ? nameOf(input, { ...command, attempt: command.attempt + 1 })
        : command,
    );
  }
}

interface MadeCommand extends NamedCommand {
  /** undefined: it is not wanted any more. */
  readonly body: CommandBody | undefined;
}

const withBodies = (source: BodySource, named: readonly NamedCommand[]): Promise<MadeCommand[]> =>
  Promise.all(
    named.map(async (command) => ({ ...command, body: await bodyOf(source, command.uuid, command.request) })),
  );

const findUser = async (
  database: Database,
  { deviceId }: QueueInput,
  made: readonly MadeCommand[],
): Promise<UserChannel | undefined> =>
  made.some(({ request }) => scopeOf(request) === 'User') ? findUserChannel(database, deviceId) : undefined;

function targetOf(
  input: QueueInput,
  named: readonly NamedCommand[],
  made: readonly MadeCommand[],
): QueueTarget {
  const { deviceId, enrollmentId, workflowId } = input;
  const sent = new Map(made.flatMap(({ body }) => (body?.sent ? [[body.sent.kind, body.sent]] : [])));
  const replaces = { workflowId, wanted: named.map(({ uuid }) => uuid) };
  return { deviceId, enrollmentId, replaces, sent: [...sent.values()] };
}

const newCommandsOf = (
  input: QueueInput,
  made: readonly MadeCommand[],
  user: UserChannel | undefined,
): NewCommand[] => made.flatMap((each) => newCommandOf(input, each, user) ?? []);

/** The secret that its body carries. */
const iosKeyOf = ({ body }: MadeCommand) =>
  body && 'iosKey' in body.content ? body.content.iosKey : undefined;

/** undefined: it is not wanted any more, or there is nobody to ask. */
function newCommandOf(
  { deviceId, enrollmentId, workflowId, runId }: QueueInput,
  { uuid, step, request, body }: MadeCommand,
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
