// Where a device's report is recorded, whatever channel it came by.
import { concludeCheck } from '../../activities/conclude-check.ts';
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
import type { FailureCode } from '../../domain/failures.ts';
import { type CommandStatus, commandRespondedSignal } from '../../workflows/messages.ts';
import { type ReadReport, applyToInventory, redactedForStorage } from './response-reading.ts';

/** What the report changed. unknown: its command is not one of ours, and the queue stays as it is. */
/** checked: an answer of a daily check, for which nobody waits. */
export type Recorded = 'idle' | 'responded' | 'checked' | 'not_now' | 'repeated' | 'unknown';

/**
 * The one place where a report is recorded: the command's status, what it says of the device, and what the workflow must be told, in the
 * caller's transaction.
 * @param read what readReport made of it
 */
export async function recordReport(
  sql: Sql,
  deviceId: string,
  report: Pick<Report, 'status' | 'commandUuid' | 'userId'>,
  read: ReadReport | undefined,
  body: Buffer,
): Promise<Recorded> {
  if (report.status === 'Idle') {
    for (const unknown of await beginConversation(sql, deviceId, report.userId))
      await signalResponse(sql, deviceId, unknown, 'Unknown');
    if (await wasSilent(sql, deviceId))
      await appendOutboxMessage(sql, deviceId, {
        kind: 'rollOutDevice',
        deviceId,
        reason: 'the device checked in again',
      });
    return 'idle';
  }
  const isOfChannel = read?.command.userId === (report.userId ?? null);
  if (!read || read.command.deviceId !== deviceId || !isOfChannel) {
    await recordUnparsedResponse(sql, {
      deviceId,
      reason: `${report.status} for an unknown command ${report.commandUuid ?? ''}`.slice(0, 200),
      body: redactedForStorage(body),
    });
    return 'unknown';
  }
  const { command } = read;
  if (report.status === 'NotNow') {
    const notNow = await recordNotNow(sql, deviceId, command.uuid);
    if (notNow?.isFirst && !isOfCheck(command.workflowId))
      await signalResponse(sql, deviceId, command, 'NotNow');
    return 'not_now';
  }
  const responded = await recordFinalStatus(sql, deviceId, command.uuid, read.final);
  if (!responded) {
    await offerAgain(sql, deviceId, report.userId);
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
  await signalResponse(sql, deviceId, command, read.final.status, read.final.failure?.code);
  return 'responded';
}

/** Odette's own are random UUIDs, and no device makes them up. */
const UUIDS = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;

/** A final response of a rollout's command may start the rollout anew; that something did not happen starts nothing. */
export async function signalResponse(
  sql: Sql,
  deviceId: string,
  command: { readonly uuid: string; readonly workflowId: string; readonly step: string },
  status: CommandStatus,
  failureCode?: FailureCode,
): Promise<void> {
  const isFinal = status === 'Acknowledged' || status === 'Error' || status === 'CommandFormatError';
  await appendOutboxMessage(sql, deviceId, {
    kind: 'deviceSignal',
    deviceId,
    workflowId: command.workflowId,
    signal: commandRespondedSignal.name,
    startsRollout: isFinal && command.workflowId.startsWith('rollout/'),
    body: { commandUuid: command.uuid, step: command.step, status, ...(failureCode && { failureCode }) },
  });
}

/** A message that nobody can read, kept by the caller: the queue goes on, and the command is asked for again. */
export async function passOverUnreadable(sql: Sql, deviceId: string, body: Buffer): Promise<void> {
  const code = 'mdm.message_unreadable';
  const text = body.toString('latin1').replaceAll('\0', '');
  const named = text.includes('CommandUUID') ? (text.match(UUIDS) ?? []) : 'no command';
  for (const command of await closeUnreadable(sql, deviceId, named, { code, errorChain: [] }))
    await signalResponse(sql, deviceId, command, 'Acknowledged', code);
}
