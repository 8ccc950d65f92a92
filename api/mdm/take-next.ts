// The next command for a request of a device that waits.
import { takeNext } from '../../activities/signal-response.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { isLongPollOpen } from '../../adapters/store/devices/long-polls.ts';
import { takeForLongPoll, type HandedOver } from '../../adapters/store/devices/next-command.ts';

/** @param mark null: its wait is over. superseded: another request of the device has taken this one's place. */
export async function takeDuringLongPoll(
  database: Database,
  deviceId: string,
  mark: Date | null,
): Promise<HandedOver | 'nothing' | 'superseded'> {
  const taken = await takeForLongPoll(database, deviceId, mark);
  if (taken !== 'look') return taken;
  return database.inTransaction(async (sql) => {
    if (!(await isLongPollOpen(sql, deviceId, mark))) return 'superseded';
    return (await takeNext(sql, deviceId)) ?? 'nothing';
  });
}
