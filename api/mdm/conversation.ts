// One request of a device from its report to its next command, waiting a moment where more is expected.
import type { Report } from '../../adapters/mdm/device-message.ts';
import { sealedCommandContext } from '../../adapters/store/devices/commands.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import type { IdlesTogether } from '../../adapters/store/devices/idles-together.ts';
import { beginLongPoll, endLongPoll, endLongPollIfOver } from '../../adapters/store/devices/long-polls.ts';
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import type { Sealer } from '../../domain/sealer.ts';
import type { CompareConfiguration } from './response-reading.ts';
import { exchange, type BegunWait } from './command-report.ts';
import type { GivenCommands } from './given-commands.ts';
import type { LongPolls, Slot } from './long-poll.ts';
import type { Signer } from './signer.ts';
import { takeDuringLongPoll } from './take-next.ts';

export interface ConversationDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly longPolls: LongPolls;
  readonly given: GivenCommands;
  readonly idles: IdlesTogether;
  readonly compareConfiguration: CompareConfiguration;
}

/**
 * The plist of the next command, or undefined: nothing to do.
 * @param onGone registers what ends the wait when the connection closes
 */
export async function converse(
  dependencies: ConversationDependencies,
  message: { readonly report: Report; readonly body: Buffer; readonly signer: Signer },
  onGone: (gone: () => void) => void,
): Promise<Buffer | undefined> {
  const { deviceId, next, isMoreExpected, begun } = await exchange(
    dependencies,
    message.report,
    message.body,
    message.signer,
  );
  const command =
    next ?? (isMoreExpected ? await waitForCommand(dependencies, deviceId, onGone, begun) : undefined);
  if (!command) return undefined;
  dependencies.given.note({ udid: message.report.udid, deviceId }, command);
  return plistOf(dependencies.sealer, command);
}

/** undefined: it has no body any more. */
export function plistOf(sealer: Sealer, { uuid, body, sealedBody }: HandedOver): Buffer | undefined {
  if (!sealedBody) return body ?? undefined;
  return Buffer.from(sealer.open(sealedBody, sealedCommandContext(uuid)));
}

async function waitForCommand(
  { database, longPolls }: ConversationDependencies,
  deviceId: string,
  onGone: (gone: () => void) => void,
  begun: BegunWait | undefined,
): Promise<HandedOver | undefined> {
  const slot = begun?.slot ?? longPolls.take(deviceId);
  if (!slot) return undefined;
  onGone(() => slot.leave());
  try {
    return await waitInSlot(database, deviceId, slot, begun?.mark);
  } finally {
    slot.close();
  }
}

/** @param begun of a wait that the exchange has opened */
async function waitInSlot(
  database: Database,
  deviceId: string,
  slot: Slot,
  begun: Date | undefined,
): Promise<HandedOver | undefined> {
  // What was queued between the exchange and now is there already; of what is queued from now on the slot is told.
  const { mark, isQueued } = begun
    ? { mark: begun, isQueued: false }
    : await beginLongPoll(database, deviceId, slot.milliseconds);
  let hasEnded = false;
  for (
    let event = isQueued ? 'queueChanged' : await slot.next();
    event === 'queueChanged' || event === 'over';
    event = await slot.next()
  ) {
    if (event === 'over') {
      hasEnded = await endLongPollIfOver(database, deviceId, mark);
      if (hasEnded) break;
      continue;
    }
    const command = await takeDuringLongPoll(database, deviceId, mark);
    if (command === 'superseded') return undefined;
    if (command !== 'nothing') return command;
  }
  const isOurs = hasEnded || (await endLongPoll(database, deviceId, mark));
  // A command queued until now was not pushed: it is handed over here, unless another request of the device came.
  if (!isOurs || slot.isClosed()) return undefined;
  const last = await takeDuringLongPoll(database, deviceId, null);
  return typeof last === 'string' ? undefined : last;
}
