// Where a device's report is recorded, whatever channel it came by.
import { concludeCheck } from '../../activities/conclude-check.ts';
import { signalResponses, tellEnded } from '../../activities/signal-response.ts';
import { isOfCheck } from '../../domain/device-check.ts';
import type { Report } from '../../adapters/mdm/device-message.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import {
  beginConversation,
  closeUnreadable,
  offerAgain,
  recordFinalStatus,
  recordNotNow,
} from '../../adapters/store/devices/command-exchange.ts';
import { wasSilent } from '../../adapters/store/devices/devices.ts';
import { recordUnparsedResponse } from '../../adapters/store/devices/inventory.ts';
import { type ReadReport, applyToInventory, redactedForStorage } from './response-reading.ts';

/** What the report changed. unknown: its command is not one of ours, and the queue stays as it is. */
/** checked: an answer of a daily check, for which nobody waits. */
export type Recorded = 'idle' | 'responded' | 'checked' | 'not_now' | 'repeated' | 'unknown';

/**
 * The one place where a report is recorded: the command's status, what it says of the device, and what the workflow must be told, in the
 * caller's transaction.
 * @param read what readReport made of it
 * @param queue who has the commands that the device is offered: of another MDM server's nothing is offered again from here
 */
export async function recordReport(
  sql: Sql,
  deviceId: string,
  report: Pick<Report, 'status' | 'commandUuid' | 'userId'>,
  read: ReadReport | undefined,
  body: Buffer,
  queue: 'ours' | 'theirs' = 'ours',
): Promise<Recorded> {
  if (report.status === 'Idle') {
    await recordIdle(sql, deviceId, report.userId, queue);
    return 'idle';
  }
  const isOfChannel = read?.command.userId === (report.userId ?? null);
  if (!read || read.command.deviceId !== deviceId || !isOfChannel) {
    // Another server's own commands are none of Odette's business, and what they fetch is not kept.
    if (queue === 'theirs') return 'unknown';
    await recordUnparsedResponse(sql, {
      deviceId,
      reason: `${report.status} for an unknown command ${report.commandUuid ?? ''}`.slice(0, 200),
      body: redactedForStorage(body),
    });
    return 'unknown';
  }
  const { command } = read;
  if (report.status === 'NotNow') {
    const notNow = await recordNotNow(sql, deviceId, command.uuid, queue);
    if (notNow?.isFirst && !isOfCheck(command.workflowId))
      await signalResponses(sql, deviceId, command.workflowId, [
        { commandUuid: command.uuid, step: command.step, status: 'NotNow' },
      ]);
    return 'not_now';
  }
  const responded = await recordFinalStatus(sql, deviceId, command.uuid, read.final);
  if (!responded) {
    if (queue === 'ours') await offerAgain(sql, deviceId, report.userId);
    return 'repeated';
  }
  if (read.problem !== undefined)
    await recordUnparsedResponse(sql, {
      deviceId,
      reason: read.problem,
      body: redactedForStorage(body),
    });
  await applyToInventory(sql, deviceId, read);
  if (isOfCheck(command.workflowId)) {
    await concludeCheck(sql, deviceId);
    return 'checked';
  }
  await signalResponses(sql, deviceId, command.workflowId, responded.untold);
  return 'responded';
}

/** The device has called: a conversation begins, and a rollout that failed because it was silent starts again. */
async function recordIdle(
  sql: Sql,
  deviceId: string,
  userId: string | undefined,
  queue: 'ours' | 'theirs',
): Promise<void> {
  const unknown = queue === 'ours' ? await beginConversation(sql, deviceId, userId) : [];
  await tellEnded(sql, deviceId, unknown, 'Unknown');
  if (await wasSilent(sql, deviceId))
    await appendOutboxMessage(sql, deviceId, {
      kind: 'rollOutDevice',
      deviceId,
      reason: 'the device checked in again',
    });
}

/** Odette's own are random UUIDs, and no device makes them up. */
const UUIDS = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;

/** A message that nobody can read, kept by the caller: the queue goes on, and the command is asked for again. */
export async function passOverUnreadable(sql: Sql, deviceId: string, body: Buffer): Promise<void> {
  const code = 'mdm.message_unreadable';
  const text = body.toString('latin1').replaceAll('\0', '');
  const named = text.includes('CommandUUID') ? (text.match(UUIDS) ?? []) : 'no command';
  if (await closeUnreadable(sql, deviceId, named, { code, errorChain: [] }))
    await tellEnded(sql, deviceId, [], 'Unknown');
}
