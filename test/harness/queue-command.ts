// One command for a device, queued as an activity queues several.
import type { Sql } from '../../adapters/store/base/database.ts';
import type { CommandRow } from '../../adapters/store/devices/commands.ts';
import { queueCommands, type NewCommand } from '../../adapters/store/devices/queue-commands.ts';

export async function queueCommand(sql: Sql, command: NewCommand): Promise<CommandRow> {
  const { deviceId, enrollmentId } = command;
  const {
    rows: [row],
  } = await queueCommands(sql, { deviceId, enrollmentId }, [command]);
  if (!row) throw new Error('the command was not queued');
  return row;
}
