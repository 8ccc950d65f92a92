// Tells a workflow how its commands ended, in the transaction that records it.
import type { Sql } from '../adapters/store/base/database.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { takeUntold } from '../adapters/store/devices/command-exchange.ts';
import {
  takeNextCommand,
  type EndedCommand,
  type HandedOver,
  type NextCommand,
} from '../adapters/store/devices/next-command.ts';
import { isOfCheck } from '../domain/device-check.ts';
import { commandsRespondedSignal, type CommandResponse } from '../workflows/messages.ts';

/** Commands that ended without a response, and the responses of their runs that waited for nothing else any more. */
export async function signalEnded(
  sql: Sql,
  deviceId: string,
  ended: readonly EndedCommand[],
  status: 'Unknown' | 'Withdrawn',
): Promise<void> {
  const responses = new Map<string, readonly CommandResponse[]>();
  for (const untold of await takeUntold(sql, deviceId)) responses.set(untold.workflowId, untold.responses);
  for (const { uuid: commandUuid, step, workflowId } of ended)
    responses.set(workflowId, [...(responses.get(workflowId) ?? []), { commandUuid, step, status }]);
  for (const [workflowId, ofWorkflow] of responses)
    if (!isOfCheck(workflowId)) await signalResponses(sql, deviceId, workflowId, ofWorkflow);
}

const isFinal = ({ status }: CommandResponse): boolean =>
  status === 'Acknowledged' || status === 'Error' || status === 'CommandFormatError';

/** A final response of a rollout's command may start the rollout anew; that something did not happen starts nothing. */
export async function signalResponses(
  sql: Sql,
  deviceId: string,
  workflowId: string,
  responses: readonly CommandResponse[],
): Promise<void> {
  if (responses.length === 0) return;
  const startsRollout = responses.some(isFinal);
  await appendOutboxMessage(sql, deviceId, {
    ...responsesMessage({ deviceId, workflowId }, startsRollout),
    body: { responses },
  });
}

/** All but its body. */
export const responsesMessage = (
  { deviceId, workflowId }: { readonly deviceId: string; readonly workflowId: string },
  isFinal = true,
) =>
  ({
    kind: 'deviceSignal',
    deviceId,
    workflowId,
    signal: commandsRespondedSignal.name,
    startsRollout: isFinal && workflowId.startsWith('rollout/'),
  }) as const;

/** The next command of a channel, the device's own or a user's, under the lock of its device; who waits for one that has expired is told. */
export async function takeNext(sql: Sql, deviceId: string, userId?: string): Promise<HandedOver | undefined> {
  return signalExpired(sql, deviceId, await takeNextCommand(sql, deviceId, userId));
}

/** In the transaction in which they were withdrawn. */
export async function signalExpired(
  sql: Sql,
  deviceId: string,
  { next, expired }: NextCommand,
): Promise<HandedOver | undefined> {
  if (expired.length > 0) await signalEnded(sql, deviceId, expired, 'Withdrawn');
  return next;
}
