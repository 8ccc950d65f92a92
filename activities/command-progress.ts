// How commands of a workflow stand, as it is told.
import type { CommandRow } from '../adapters/store/devices/commands.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { CommandStatus } from '../workflows/messages.ts';

/** Whose commands they are: an execution, the same after its resets. */
export interface CommandOwner {
  readonly workflowId: string;
  readonly firstRunId: string;
}

/** How a command stands. `status` is there once it has ended. */
export interface CommandProgress {
  readonly commandUuid: string;
  readonly step: string;
  readonly status: CommandStatus | null;
  readonly failureCode: FailureCode | null;
}

export interface PushedCommands {
  readonly commands: readonly CommandProgress[];
  /** Why no push could be sent; null: sent, or the device is on the line. */
  readonly pushFailure: FailureCode | null;
}

/** A list that the device gave before it took a profile does not show it. */
export const inOrderOfResponses = (rows: readonly CommandRow[]): CommandRow[] =>
  rows.toSorted((one, other) => (one.respondedAt?.getTime() ?? 0) - (other.respondedAt?.getTime() ?? 0));

export const isOpen = (row: CommandRow): boolean => progressOf(row).status === null;

/** For whom somebody has to be woken. */
export const waiting = (rows: readonly CommandRow[], isOnTheLine: boolean): CommandRow[] =>
  rows.filter((row) => isOpen(row) && !(isOnTheLine && row.userId === null));

export function progressOf(row: CommandRow): CommandProgress {
  const status: CommandStatus | null =
    row.state === 'responded'
      ? (row.status as CommandStatus)
      : row.state === 'withdrawn'
        ? row.status === 'Unknown'
          ? 'Unknown'
          : 'Withdrawn'
        : null;
  return { commandUuid: row.uuid, step: row.step, status, failureCode: row.failure?.code ?? null };
}
