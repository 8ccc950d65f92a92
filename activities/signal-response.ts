// Tells a workflow how one of its commands ended, in the transaction that records it.
import type { Sql } from '../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import type { FailureCode } from '../domain/failures.ts';
import { commandRespondedSignal, type CommandStatus } from '../workflows/messages.ts';

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
