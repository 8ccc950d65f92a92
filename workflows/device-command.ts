// Sends commands to a device and waits for their answers: pushes again with growing patience, and never takes silence for an answer.
import { condition, workflowInfo } from '@temporalio/workflow';
import type { CommandStanding, PushedCommands } from '../activities/device-commands.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { StepRequest } from '../domain/rollout-plan.ts';
import { reasonOf } from './failure.ts';
import type { CommandAnswered, CommandStatus } from './messages.ts';
import { device } from './policies.ts';

export interface WantedCommand {
  readonly step: string;
  readonly request: StepRequest;
}

export interface CommandOutcome {
  readonly request: StepRequest;
  readonly status: CommandStatus;
  readonly failureCode: FailureCode | null;
}

export type CarriedOut =
  | { readonly kind: 'answered'; readonly outcomes: readonly CommandOutcome[] }
  /** Something happened that the plan must know first; the commands stay queued. */
  | { readonly kind: 'interrupted' }
  /** The patience is over. */
  | { readonly kind: 'silent' };

/** Which enrollment the commands are for, and what tells them apart over several runs ('' in a workflow of one run). */
export interface Place {
  readonly enrollmentId: string;
  readonly scope: string;
}

interface Ending {
  readonly status: CommandStatus;
  readonly failureCode: FailureCode | null;
}

/** A known error is sent again under the next attempt, so that a reset does not meet its old refusal for ever. */
const MAX_SKIPPED = 20;

export class DeviceConversation {
  readonly #deviceId: string;
  readonly #endings = new Map<string, Ending>();
  /** Asked by this run since its start or reset: an error that it knows from before is another matter. */
  readonly #asked = new Set<string>();
  /** Attempts that are over, by step and revision. */
  readonly #used = new Map<string, number>();
  /** Why the last push did not go out. */
  pushFailure: FailureCode | null = null;

  constructor(deviceId: string) {
    this.#deviceId = deviceId;
  }

  /** The first final status of a command counts; NotNow means: not yet. */
  hear(answered: CommandAnswered): void {
    if (answered.status === 'NotNow') return;
    this.#keep(answered.commandUuid, answered.status, answered.failureCode ?? null);
  }

  ending(commandUuid: string): Ending | undefined {
    return this.#endings.get(commandUuid);
  }

  take(pushed: PushedCommands): void {
    this.pushFailure = pushed.pushFailure;
    for (const command of pushed.commands) this.takeStanding(command);
  }

  takeStanding({ commandUuid, status, failureCode }: CommandStanding): void {
    if (status !== null) this.#keep(commandUuid, status, failureCode);
  }

  #keep(commandUuid: string, status: CommandStatus, failureCode: FailureCode | null): void {
    if (!this.#endings.has(commandUuid)) this.#endings.set(commandUuid, { status, failureCode });
  }

  /** @param intervals between pushes, in milliseconds; their end is the end of the patience */
  async carryOut(
    place: Place,
    wanted: readonly WantedCommand[],
    intervals: Iterable<number>,
    isInterrupted: () => boolean,
  ): Promise<CarriedOut> {
    const uuids = await this.#queue(place, wanted);
    const isOver = () => uuids.every((uuid) => this.#endings.has(uuid));
    if (!(await this.waitFor(uuids, () => isOver() || isInterrupted(), intervals))) return { kind: 'silent' };
    if (!isOver()) return { kind: 'interrupted' };
    const outcomes = wanted.map(({ request }, index) => {
      const ending = this.#endings.get(uuids[index] ?? '');
      return { request, status: ending?.status ?? 'Withdrawn', failureCode: ending?.failureCode ?? null };
    });
    for (const command of wanted) this.#useUp(place, command);
    return { kind: 'answered', outcomes };
  }

  /**
   * Waits until `isDone`, pushing again after each interval. The push and its timer begin in one workflow task: a reset to it
   * wakes the device again. false: the intervals are over.
   */
  async waitFor(
    commandUuids: readonly string[],
    isDone: () => boolean,
    intervals: Iterable<number>,
  ): Promise<boolean> {
    let isFirst = true;
    for (const interval of intervals) {
      if (!isFirst) this.#pushAgain(commandUuids);
      isFirst = false;
      if (await condition(isDone, interval, { summary: 'patience with the device' })) return true;
    }
    return isDone();
  }

  #pushAgain(commandUuids: readonly string[]): void {
    const pushed = device.pushAgain.executeWithOptions({ summary: 'wakes the device again' }, [
      { deviceId: this.#deviceId, commandUuids },
    ]);
    pushed.then(
      (answer) => this.take(answer),
      (error: unknown) => {
        this.pushFailure = reasonOf(error);
      },
    );
  }

  async #queue(place: Place, wanted: readonly WantedCommand[]): Promise<readonly string[]> {
    const { workflowId, firstExecutionRunId } = workflowInfo();
    for (let skipped = 0; ; skipped += 1) {
      const commands = wanted.map((command) => ({
        ...command,
        attempt: this.#attemptOf(place, command),
      }));
      const pushed = await device.queueCommands.executeWithOptions(
        { summary: wanted.map(({ request }) => request.type).join(', ') },
        [
          {
            deviceId: this.#deviceId,
            workflowId,
            firstRunId: firstExecutionRunId,
            ...place,
            commands,
          },
        ],
      );
      const stale = pushed.commands.map(
        ({ wasKnown, status, commandUuid }) =>
          wasKnown && !this.#asked.has(commandUuid) && status !== null && status !== 'Acknowledged',
      );
      this.take(pushed);
      for (const { commandUuid } of pushed.commands) this.#asked.add(commandUuid);
      if (!stale.includes(true) || skipped >= MAX_SKIPPED)
        return pushed.commands.map(({ commandUuid }) => commandUuid);
      wanted.forEach((command, index) => {
        if (stale[index] === true) this.#useUp(place, command);
      });
    }
  }

  #key({ enrollmentId, scope }: Place, { step, request }: WantedCommand): string {
    return `${enrollmentId}/${scope}/${step}/${'revision' in request ? request.revision : ''}`;
  }
  #attemptOf(place: Place, command: WantedCommand): number {
    return (this.#used.get(this.#key(place, command)) ?? 0) + 1;
  }
  #useUp(place: Place, command: WantedCommand): void {
    this.#used.set(this.#key(place, command), this.#attemptOf(place, command));
  }
}
