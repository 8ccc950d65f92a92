// The next command for a device: taken in the transaction of its report, or for a request of it that waits.
import { tellEnded } from '../../activities/signal-response.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { isLongPollOpen } from '../../adapters/store/devices/devices.ts';
import {
  takeForLongPoll,
  takeNextCommand,
  type HandedOver,
  type NextCommand,
} from '../../adapters/store/devices/next-command.ts';

/** The next command of a channel, the device's own or a user's; who waits for one that has expired is told. */
export async function takeNext(sql: Sql, deviceId: string, userId?: string): Promise<HandedOver | undefined> {
  return told(sql, deviceId, await takeNextCommand(sql, deviceId, userId));
}

/** In the transaction in which it was taken. */
export async function told(
  sql: Sql,
  deviceId: string,
  { next, expired }: NextCommand,
): Promise<HandedOver | undefined> {
  if (expired.length > 0) await tellEnded(sql, deviceId, expired, 'Withdrawn');
  return next;
}

/** superseded: another request of the device has taken this one's place. */
export async function takeDuringLongPoll(
  database: Database,
  deviceId: string,
  mark: Date,
): Promise<HandedOver | 'nothing' | 'superseded'> {
  const taken = await takeForLongPoll(database, deviceId, mark);
  if (taken !== 'look') return taken;
  return database.inTransaction(async (sql) => {
    if (!(await isLongPollOpen(sql, deviceId, mark))) return 'superseded';
    return (await takeNext(sql, deviceId)) ?? 'nothing';
  });
}
