// Gives a device's commands to another MDM server that has a queue of its own, and sends again what came to nothing.
// Each is marked before it is sent, so that a challenge is sent at most once; what the server refuses is taken back.
import { renamedCommand } from '../adapters/mdm/command.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import {
  findOverdue,
  giveUpUnanswered,
  recordNextTry,
  renameForNextTry,
  takeBackHandOver,
} from '../adapters/store/devices/channel-commands.ts';
import { sealedCommandContext } from '../adapters/store/devices/commands.ts';
import { findDeviceForUpdate } from '../adapters/store/devices/devices.ts';
import type { HandedOver } from '../adapters/store/devices/next-command.ts';
import { isEnrolled } from '../domain/device.ts';
import {
  isRepeatable,
  type ChannelCommand,
  type ChannelDevice,
  type DeviceChannel,
  type Enqueued,
} from '../domain/device-channel.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { takeNext, signalEnded } from './signal-response.ts';

type Enqueue = (command: ChannelCommand) => Promise<Enqueued>;
type WithQueue = DeviceChannel & Required<Pick<DeviceChannel, 'enqueue'>>;

const hasQueue = (channel: DeviceChannel): channel is WithQueue => channel.enqueue !== undefined;

/** Why the other server did not take them all; null: it has them, or the queue is Odette's. What it does not have waits for the next call. */
export async function handOverAll(
  deps: ActivityDependencies,
  device: ChannelDevice,
  channel: DeviceChannel,
): Promise<FailureCode | null> {
  if (!hasQueue(channel) || !isEnrolled(device.enrollmentStatus)) return null;
  const enqueue: Enqueue = (command) => channel.enqueue(device, command);
  const failure = await sendOverdue(deps, device, enqueue);
  if (failure !== null) return failure;
  return sendQueued(deps, device, enqueue);
}

async function sendQueued(
  deps: ActivityDependencies,
  device: ChannelDevice,
  enqueue: Enqueue,
): Promise<FailureCode | null> {
  for (;;) {
    const next = await deps.database.inTransaction(async (sql) => {
      await findDeviceForUpdate(sql, device.udid);
      return takeNext(sql, device.id);
    });
    if (next === undefined) return null;
    const failure = await send(deps, next, enqueue);
    if (failure === null) continue;
    const mayHaveIt = next.handsOverOnce && failure.isInDoubt;
    if (!mayHaveIt) await takeBackHandOver(deps.database, next.uuid);
    return failure.code;
  }
}

interface Failure {
  readonly code: FailureCode;
  /** It may have been taken all the same. */
  readonly isInDoubt: boolean;
}

async function send(
  { sealer }: ActivityDependencies,
  { uuid, body, sealedBody }: HandedOver,
  enqueue: Enqueue,
  alias: string = uuid,
): Promise<Failure | null> {
  const plain = sealedBody ? Buffer.from(sealer.open(sealedBody, sealedCommandContext(uuid))) : body;
  if (plain === null) return null;
  try {
    const plist = alias === uuid ? plain : renamedCommand(plain, alias);
    const taken = await enqueue({ uuid: alias, plist });
    return taken.kind === 'refused' ? { code: taken.failureCode, isInDoubt: false } : null;
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    const { code } = error;
    const isInDoubt = code === 'channel.unreachable' || code === 'channel.unexpected_response';
    return { code, isInDoubt };
  } finally {
    if (sealedBody) plain.fill(0);
  }
}

/** A response that is overdue was lost, or its command was: asked again under another UUID, for the first would be refused as known. */
async function sendOverdue(
  deps: ActivityDependencies,
  device: ChannelDevice,
  enqueue: Enqueue,
): Promise<FailureCode | null> {
  const overdue = await deps.database.inTransaction(async (sql) => {
    await findDeviceForUpdate(sql, device.udid);
    const found = await findOverdue(sql, device.id, Date.now());
    for (const command of found) if (!isAskedAgain(command)) await settle(sql, device.id, command);
    return found.filter(isAskedAgain);
  });
  for (const command of overdue) {
    const alias = await renameForNextTry(deps.database, command);
    const failure = await send(deps, command, enqueue, alias);
    // What it refuses now it will refuse in a moment, too.
    if (failure === null || failure.code === 'channel.command_refused')
      await recordNextTry(deps.database, command);
    if (failure !== null) return failure.code;
  }
  return null;
}

const isAskedAgain = ({ handsOverOnce, requestType }: HandedOver): boolean =>
  !handsOverOnce && isRepeatable(requestType);

async function settle(
  sql: Sql,
  deviceId: string,
  command: { readonly uuid: string; readonly workflowId: string; readonly step: string },
): Promise<void> {
  await giveUpUnanswered(sql, command.uuid);
  await signalEnded(sql, deviceId, [command], 'Unknown');
}
