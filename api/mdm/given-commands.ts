// The commands that this process has handed over: what a response answers is known without a look at the tables. Only what never changes of a
// command is kept, and what it leads to is decided under the lock of the device's row all the same.
import type { Database } from '../../adapters/store/base/database.ts';
import { findCommandOf, type CommandRow } from '../../adapters/store/devices/commands.ts';
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import { RecentlyUsed } from '../../domain/recently-used.ts';

/** `state`: as it was known last. */
export type RespondedCommand = Pick<
  CommandRow,
  'uuid' | 'deviceId' | 'userId' | 'workflowId' | 'step' | 'requestType' | 'state'
>;

/** The command of this UUID that the device of this UDID was given. */
export type FindCommand = (uuid: string, udid: string) => Promise<RespondedCommand | undefined>;

/** A device has one command at a time in its hands. */
const MAX_GIVEN = 20_000;

export class GivenCommands {
  readonly #database: Database;
  readonly #given = new RecentlyUsed<{ readonly udid: string; readonly command: RespondedCommand }>(
    MAX_GIVEN,
  );

  constructor(database: Database) {
    this.#database = database;
  }

  note(
    {
      udid,
      deviceId,
      userId,
    }: { readonly udid: string; readonly deviceId: string; readonly userId?: string },
    { uuid, workflowId, step, requestType }: HandedOver,
  ): void {
    const command = { uuid, deviceId, userId: userId ?? null, workflowId, step, requestType };
    this.#given.set(uuid, { udid, command: { ...command, state: 'handed_over' } });
  }

  /** Once: the same response again is looked up. */
  readonly find: FindCommand = async (uuid, udid) => {
    const key = uuid.toLowerCase();
    const known = this.#given.get(key);
    if (known?.udid !== udid) return findCommandOf(this.#database, uuid, udid);
    this.#given.delete(key);
    return known.command;
  };
}
