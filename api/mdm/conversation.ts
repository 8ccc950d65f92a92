// One request of a device from its report to its next command, waiting a moment where more is expected.
import type { Report } from '../../adapters/mdm/device-message.ts';
import type { HandedOver } from '../../adapters/store/devices/command-exchange.ts';
import { sealedCommandContext } from '../../adapters/store/devices/commands.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { beginLingering, endLingering, isStillLingering } from '../../adapters/store/devices/devices.ts';
import type { Sealer } from '../../domain/sealer.ts';
import type { CompareConfiguration } from './answer-reading.ts';
import { exchange, takeNext } from './command-report.ts';
import type { Lingering, Seat } from './long-poll.ts';
import type { Signer } from './signer.ts';

export interface ConversationDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly lingering: Lingering;
  readonly compareConfiguration: CompareConfiguration;
}

/**
 * The plist of the next command, or undefined: nothing to do.
 * @param gone resolves the wait when nobody is left to be answered
 */
export async function converse(
  dependencies: ConversationDependencies,
  message: { readonly report: Report; readonly body: Buffer; readonly signer: Signer },
  onGone: (gone: () => void) => void,
): Promise<Buffer | undefined> {
  const { deviceId, next, isMoreExpected } = await exchange(
    dependencies,
    message.report,
    message.body,
    message.signer,
  );
  const command = next ?? (isMoreExpected ? await waitForCommand(dependencies, deviceId, onGone) : undefined);
  if (!command) return undefined;
  if (!command.sealedBody) return command.body ?? undefined;
  return Buffer.from(dependencies.sealer.open(command.sealedBody, sealedCommandContext(command.uuid)));
}

async function waitForCommand(
  { database, lingering }: ConversationDependencies,
  deviceId: string,
  onGone: (gone: () => void) => void,
): Promise<HandedOver | undefined> {
  const seat = lingering.take(deviceId);
  if (!seat) return undefined;
  onGone(() => seat.leave());
  try {
    return await waitInSeat(database, deviceId, seat);
  } finally {
    seat.close();
  }
}

async function waitInSeat(database: Database, deviceId: string, seat: Seat): Promise<HandedOver | undefined> {
  const mark = await beginLingering(database, deviceId, seat.milliseconds);
  // The first look is for what was queued between the exchange and now.
  for (let news = 'heard'; news === 'heard'; news = await seat.next()) {
    const command = await takeWhileLingering(database, deviceId, mark);
    if (command !== 'nothing') return command;
  }
  const isOurs = await endLingering(database, deviceId, mark);
  // A command queued until now was not pushed: it is handed over here, unless another request of the device came.
  const isGone = (await seat.next()) === 'left';
  if (!isOurs || isGone) return undefined;
  return database.inTransaction((sql) => takeNext(sql, deviceId));
}

/** undefined: another request of the device has taken this one's place. */
async function takeWhileLingering(
  database: Database,
  deviceId: string,
  mark: Date,
): Promise<HandedOver | 'nothing' | undefined> {
  return database.inTransaction(async (sql) => {
    if (!(await isStillLingering(sql, deviceId, mark))) return undefined;
    const command = await takeNext(sql, deviceId);
    if (!command) return 'nothing';
    await endLingering(sql, deviceId, mark);
    return command;
  });
}
