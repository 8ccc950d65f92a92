// Where a device's report is recorded, whatever channel it came by.
import { concludeCheck } from '../../activities/conclude-check.ts';
import { signalResponses, signalEnded, takeNext, signalExpired } from '../../activities/signal-response.ts';
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
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import { type ReadReport, applyToInventory, redactedForStorage } from './response-reading.ts';

export interface Recorded {
  /**
   * What the report changed. checked: an answer of a daily check, for which nobody waits. unknown: its command is not one of ours, and the
   * queue stays as it is.
   */
  readonly kind: 'idle' | 'responded' | 'checked' | 'not_now' | 'repeated' | 'unknown';
  /** For the channel that the report came by. */
  readonly next?: HandedOver | undefined;
}

/** Whose queue the commands are in that the device is offered: of another MDM server's nothing is offered again from here. */
type Offer =
  | { readonly queue?: 'ours'; /** The device is given its next command. */ readonly takesNext?: boolean }
  | { readonly queue: 'theirs'; readonly takesNext?: false };

type ReportHead = Pick<Report, 'status' | 'commandUuid' | 'userId'>;

/**
 * The one place where a report is recorded: the command's status, what it says of the device, what the workflow must be told, and the
 * command that is handed over next, in the caller's transaction.
 * @param read what readReport made of it
 */
export async function recordReport(
  sql: Sql,
  deviceId: string,
  report: ReportHead,
  read: ReadReport | undefined,
  body: Buffer,
  { queue = 'ours', takesNext = false }: Offer = {},
): Promise<Recorded> {
  const next = async () => (takesNext ? takeNext(sql, deviceId, report.userId) : undefined);
  if (report.status === 'Idle') {
    await recordIdle(sql, deviceId, report.userId, queue);
    return { kind: 'idle', next: await next() };
  }
  const isOfChannel = read?.command.userId === (report.userId ?? null);
  if (!read || read.command.deviceId !== deviceId || !isOfChannel) {
    // Another server's own commands are none of Odette's business, and what they fetch is not kept.
    if (queue === 'ours')
      await recordUnparsedResponse(sql, {
        deviceId,
        reason: `${report.status} for an unknown command ${report.commandUuid ?? ''}`.slice(0, 200),
        body: redactedForStorage(body),
      });
    return { kind: 'unknown' };
  }
  const { command } = read;
  if (report.status === 'NotNow') {
    const notNow = await recordNotNow(sql, deviceId, command.uuid, queue);
    if (notNow?.isFirst && !isOfCheck(command.workflowId))
      await signalResponses(sql, deviceId, command.workflowId, [
        { commandUuid: command.uuid, step: command.step, status: 'NotNow' },
      ]);
    return { kind: 'not_now', next: await next() };
  }
  const responded = await recordResponse(sql, deviceId, read, body, takesNext);
  if (responded !== undefined) return responded;
  if (queue === 'ours') await offerAgain(sql, deviceId, report.userId);
  return { kind: 'repeated', next: await next() };
}

/** undefined: it was recorded before. */
async function recordResponse(
  sql: Sql,
  deviceId: string,
  read: ReadReport,
  body: Buffer,
  takesNext: boolean,
): Promise<Recorded | undefined> {
  const { workflowId } = read.command;
  const responded = await recordFinalStatus(sql, read.command, read.final, takesNext);
  if (!responded) return undefined;
  if (read.problem !== undefined)
    await recordUnparsedResponse(sql, {
      deviceId,
      reason: read.problem,
      body: redactedForStorage(body),
    });
  await applyToInventory(sql, deviceId, read);
  const isOfChecks = isOfCheck(workflowId);
  if (isOfChecks) await concludeCheck(sql, deviceId);
  else await signalResponses(sql, deviceId, workflowId, responded.untold);
  return { kind: isOfChecks ? 'checked' : 'responded', next: await signalExpired(sql, deviceId, responded) };
}

/** The device has called: a conversation begins, and a rollout that failed because it was silent starts again. */
async function recordIdle(
  sql: Sql,
  deviceId: string,
  userId: string | undefined,
  queue: 'ours' | 'theirs',
): Promise<void> {
  const unknown = queue === 'ours' ? await beginConversation(sql, deviceId, userId) : [];
  await signalEnded(sql, deviceId, unknown, 'Unknown');
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
    await signalEnded(sql, deviceId, [], 'Unknown');
}
