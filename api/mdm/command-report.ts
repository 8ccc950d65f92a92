// A device asks for its next command and reports on the last one: its response, what it says of the device, and what the workflow
// must be told are one transaction.
import type { Report } from '../../adapters/mdm/device-message.ts';
import {
  type HandedOver,
  beginConversation,
  closeUnreadable,
  handOverNext,
  offerAgain,
  recordFinalStatus,
  recordNotNow,
  withdrawExpired,
} from '../../adapters/store/devices/command-exchange.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { type DeviceRow, isBusy, wasSilent } from '../../adapters/store/devices/devices.ts';
import { recordUnparsedResponse } from '../../adapters/store/devices/inventory.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { type CommandStatus, commandRespondedSignal } from '../../workflows/messages.ts';
import { type ReadReport, applyToInventory, redactedForStorage, readReport } from './response-reading.ts';
import type { CompareConfiguration } from './response-reading.ts';
import { pinnedDevice } from './check-in.ts';
import type { Signer } from './signer.ts';

export interface Exchange {
  readonly deviceId: string;
  readonly next: HandedOver | undefined;
  /** Its workflow will probably queue another command in a moment. */
  readonly isMoreExpected: boolean;
}

export async function exchange(
  dependencies: { readonly database: Database; readonly compareConfiguration: CompareConfiguration },
  report: Report,
  body: Buffer,
  signer: Signer,
): Promise<Exchange> {
  const { database, compareConfiguration } = dependencies;
  // Read and compared before the transaction: a configuration that holds a secret stays in memory.
  const read = await readReport(database, compareConfiguration, report);
  return database.inTransaction(async (sql) => {
    const device = await pinnedDevice(sql, report.udid, signer);
    if (device.enrollmentStatus === 'authenticated')
      return { deviceId: device.id, next: undefined, isMoreExpected: false };
    const heard = await record(sql, device, report, read, body);
    if (heard === 'unknown') return { deviceId: device.id, next: undefined, isMoreExpected: false };
    for (const expired of await withdrawExpired(sql, device.id))
      await signalResponse(sql, device.id, expired, 'Withdrawn');
    const next = await handOverNext(sql, device.id);
    const isMoreExpected =
      next === undefined && heard !== 'not_now' && (heard === 'responded' || (await isBusy(sql, device.id)));
    return { deviceId: device.id, next, isMoreExpected };
  });
}

/** What the report changed. unknown: its command is not one of ours, and the queue stays as it is. */
type Heard = 'idle' | 'responded' | 'not_now' | 'repeated' | 'unknown';

async function record(
  sql: Sql,
  device: DeviceRow,
  report: Report,
  read: ReadReport | undefined,
  body: Buffer,
): Promise<Heard> {
  if (report.status === 'Idle') {
    for (const unknown of await beginConversation(sql, device.id))
      await signalResponse(sql, device.id, unknown, 'Unknown');
    if (await wasSilent(sql, device.id))
      await appendOutboxMessage(sql, device.id, {
        kind: 'rollOutDevice',
        deviceId: device.id,
        reason: 'the device checked in again',
      });
    return 'idle';
  }
  if (!read || read.command.deviceId !== device.id) {
    await recordUnparsedResponse(sql, {
      deviceId: device.id,
      reason: `${report.status} for an unknown command ${report.commandUuid ?? ''}`.slice(0, 200),
      body: redactedForStorage(body),
    });
    return 'unknown';
  }
  const { command } = read;
  if (report.status === 'NotNow') {
    const notNow = await recordNotNow(sql, device.id, command.uuid);
    if (notNow?.isFirst) await signalResponse(sql, device.id, command, 'NotNow');
    return 'not_now';
  }
  const responded = await recordFinalStatus(sql, device.id, command.uuid, read.final);
  if (!responded) {
    await offerAgain(sql, device.id);
    return 'repeated';
  }
  if (read.problem !== undefined)
    await recordUnparsedResponse(sql, {
      deviceId: device.id,
      reason: read.problem,
      body: redactedForStorage(body),
    });
  await applyToInventory(sql, device.id, read);
  await signalResponse(sql, device.id, command, read.final.status, read.final.failure?.code);
  return 'responded';
}

/** Odette's own are random UUIDs, and no device makes them up. */
const UUIDS = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;

/** A final response of a rollout's command may start the rollout anew; that something did not happen starts nothing. */
async function signalResponse(
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

/** For a request that waits: the next command, as the exchange would give it. */
export async function takeNext(sql: Sql, deviceId: string): Promise<HandedOver | undefined> {
  for (const expired of await withdrawExpired(sql, deviceId))
    await signalResponse(sql, deviceId, expired, 'Withdrawn');
  return handOverNext(sql, deviceId);
}
