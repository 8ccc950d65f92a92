// Commands to a device as activities: queued, pushed again, withdrawn.
import { findCommand, findCommands } from '../adapters/store/devices/commands.ts';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { BodySource } from './command-body.ts';
import { channelOf } from './channel-of.ts';
import { inOrderOfResponses, isOpen, progressOf, type PushedCommands } from './command-progress.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { queueAll, type QueuedCommands, type QueueInput } from './queue-for-device.ts';
import { wakeFor } from './wake-device.ts';

export function deviceCommandActivities(deps: ActivityDependencies) {
  const { database } = deps;

  return {
    /** Queues the commands, and withdraws what the same workflow had queued and does not want any more. */
    queueCommands: (input: QueueInput): Promise<QueuedCommands> =>
      queueAll(deps, input, new BodySource(deps, input.deviceId)),

    /** Pushes again, and returns responses whose signals were lost. */
    async pushAgain(input: {
      readonly deviceId: string;
      readonly commandUuids: readonly string[];
    }): Promise<PushedCommands> {
      const rows = await findCommands(database, input.commandUuids);
      const pushFailure = await wakeFor(deps, input.deviceId, rows.filter(isOpen));
      return { commands: inOrderOfResponses(rows).map(progressOf), pushFailure };
    },

    /** false once the device may have it, or will get it. */
    async withdrawCommand(input: { readonly commandUuid: string }): Promise<boolean> {
      const command = await findCommand(database, input.commandUuid);
      const device = command && (await findChannelDevice(database, command.deviceId));
      if (device === undefined) return false;
      return (await channelOf(deps, device).withdraw(input.commandUuid)) === 'withdrawn';
    },
  };
}
