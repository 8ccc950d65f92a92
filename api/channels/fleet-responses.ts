// Fetches from a Fleet server what became of a device's commands, and records it as if the device had said it to Odette.
import { signalEnded } from '../../activities/signal-response.ts';
import type { FleetCommandResult, FleetClient } from '../../adapters/fleet/fleet-client.ts';
import { readDeviceMessage, type DeviceMessage } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { giveUpUnanswered, takeBackHandOver } from '../../adapters/store/devices/channel-commands.ts';
import {
  findOpenQuestions,
  type OpenQuestion,
  type Question,
} from '../../adapters/store/devices/channel-questions.ts';
import type { ChannelRow } from '../../adapters/store/devices/channels.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { isRepeatable } from '../../domain/device-channel.ts';
import { CataloguedError, failureCodeOf } from '../../domain/failures.ts';
import { passOverUnreadable } from '../mdm/record-report.ts';
import type { CompareConfiguration } from '../mdm/response-reading.ts';
import { lookUp } from './fleet-hosts.ts';
import { recordTold } from './told.ts';

type Client = Pick<FleetClient, 'commandResult' | 'host'>;

interface Dependencies {
  readonly database: Database;
  readonly compareConfiguration: CompareConfiguration;
}

/** Whoever has not responded so long after a command is looked up: it may have left, or enrolled anew. Milliseconds. */
const LOOKED_UP_AFTER_MS = 5_000;
/** A command that Fleet does not have so long after it was sent is not on its way any more. Milliseconds. */
const LOST_AFTER_MS = 60_000;

interface Given {
  readonly command: OpenQuestion;
  readonly response: Extract<FleetCommandResult, { kind: 'responded' }>;
}

/**
 * Records how the device responded since. @returns milliseconds since the youngest command without a response was given; undefined: there
 * is none @throws CataloguedError `channel.*` where Fleet could not be asked: what was not asked is asked the next time
 */
export async function collectResponses(
  dependencies: Dependencies,
  client: Client,
  channel: ChannelRow,
  question: Question,
): Promise<number | undefined> {
  const { database } = dependencies;
  const { deviceId, udid } = question;
  const given: Given[] = [];
  for (const command of await findOpenQuestions(database, deviceId)) {
    const response = await findCommandResult(client, udid, command);
    if (response.kind === 'responded') given.push({ command, response });
    if (response.kind === 'unknown' && command.ageMs > LOST_AFTER_MS)
      await settleLost(database, udid, command);
  }
  // In the order in which the device gave them, as far as Fleet's seconds tell.
  given.sort((one, other) => one.response.atMs - other.response.atMs);
  for (const [nth, each] of given.entries()) await record(dependencies, channel, question, each, nth);
  const open = await findOpenQuestions(database, deviceId);
  if (open.length === 0) return undefined;
  const youngestMs = Math.min(...open.map(({ ageMs }) => ageMs));
  if (youngestMs > LOOKED_UP_AFTER_MS)
    await lookUp(database, client, { channel, udid: question.udid, at: question.askedAt });
  return youngestMs;
}

/** Under whichever of its names the device responded to it. */
async function findCommandResult(
  client: Client,
  udid: string,
  command: OpenQuestion,
): Promise<FleetCommandResult> {
  let said: FleetCommandResult = { kind: 'unknown' };
  for (const name of command.names) {
    const response = await client.commandResult(name, udid);
    if (response.kind === 'responded') return response;
    if (response.kind === 'waits') said = response;
  }
  return said;
}

async function record(
  dependencies: Dependencies,
  channel: ChannelRow,
  { deviceId, udid, askedAt }: Question,
  { command, response: { body, ageMs } }: Given,
  nth: number,
): Promise<void> {
  const message = messageIn(body);
  // Fleet says whose message it is, and so does the message.
  const isIts =
    message?.type === 'Report' &&
    message.udid === udid &&
    command.names.includes(message.commandUuid?.toLowerCase() ?? '');
  // Of two lists in one look the second is the newer one.
  const at = new Date(askedAt.getTime() + nth).toISOString();
  try {
    if (!isIts) throw new CataloguedError('mdm.message_unreadable');
    await recordTold(dependencies, { channel, at, message, body, ageMs });
  } catch (error) {
    // Fleet would say the same again for ever, and everything else of the device waits behind it.
    if (failureCodeOf(error) !== 'mdm.message_unreadable') throw error;
    await dependencies.database.inTransaction(async (sql) => {
      await findDeviceForUpdate(sql, udid);
      await passOverUnreadable(sql, deviceId, Buffer.from(`CommandUUID ${command.uuid}`));
    });
  }
}

function messageIn(body: Buffer): DeviceMessage | undefined {
  try {
    return readDeviceMessage(body);
  } catch {
    return undefined;
  }
}

/** Fleet never had it, or has lost it: it is given again at the next call, unless it may be given only once. */
async function settleLost(database: Database, udid: string, command: OpenQuestion): Promise<void> {
  const { uuid, handsOverOnce, requestType } = command;
  await database.inTransaction(async (sql) => {
    const device = await findDeviceForUpdate(sql, udid);
    if (device === undefined) return;
    if (!handsOverOnce && isRepeatable(requestType)) return takeBackHandOver(sql, uuid);
    await giveUpUnanswered(sql, uuid);
    await signalEnded(sql, device.id, [command], 'Unknown');
  });
}
