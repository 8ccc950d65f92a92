// Sends commands to a device and waits for their responses: pushes again with growing patience, and never takes silence for a response.
import { condition, workflowInfo } from '@temporalio/workflow';
import type { CommandProgress, PushedCommands } from '../activities/command-progress.ts';
import type { QueuedCommands } from '../activities/queue-for-device.ts';
import {
  attemptKey,
  attemptOf,
  type CommandScope,
  type UsedAttempts,
  type WantedCommand,
} from '../domain/command-attempts.ts';
import { failureCodeOf, type FailureCode } from '../domain/failures.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { failureCodeBeside } from './failure.ts';
import type { CommandsResponded, CommandStatus } from './messages.ts';
import { commandQueue, database } from './policies.ts';
import type { DeviceDetails } from './show-details.ts';

export interface CommandOutcome {
  readonly request: StepRequest;
  readonly status: CommandStatus;
  readonly failureCode: FailureCode | null;
}

export type CarriedOut =
  | { readonly kind: 'responded'; readonly outcomes: readonly CommandOutcome[] }
  /** Something happened that the plan must know first; the commands stay queued. */
  | { readonly kind: 'interrupted' }
  /** The patience is over. */
  | { readonly kind: 'silent' };

interface FinalStatus {
  readonly status: CommandStatus;
  readonly failureCode: FailureCode | null;
}

const WITHDRAWN: FinalStatus = { status: 'Withdrawn', failureCode: null };

export class DeviceConversation {
  readonly #deviceId: string;
  readonly #details: DeviceDetails;
  readonly #waits: () => void;
  readonly #asked: () => Promise<void>;
  readonly #finalStatuses = new Map<string, FinalStatus>();
  #used: UsedAttempts = {};
  /** The device responds, but not now: it is locked or busy. */
  #notNow: 'no' | 'new' | 'shown' = 'no';
  /** Why the last push did not go out. */
  pushFailure: FailureCode | null = null;

  /**
   * @param events.waits is called when a timer of the patience starts
   * @param events.asked what is done while the device works on what it was asked. Not beside the asking: of two local activities at once a replay
   * may see the second first
   */
  constructor(
    deviceId: string,
    details: DeviceDetails,
    events: { readonly waits?: () => void; readonly asked?: () => Promise<void> } = {},
  ) {
    this.#deviceId = deviceId;
    this.#details = details;
    this.#waits = events.waits ?? (() => undefined);
    this.#asked = events.asked ?? (() => Promise.resolve());
  }

  /** Attempts that are over. */
  get usedAttempts(): UsedAttempts {
    return this.#used;
  }

  /** The first final status of a command counts; NotNow means: not yet. */
  onResponses({ responses }: CommandsResponded): void {
    for (const { commandUuid, status, failureCode } of responses)
      if (status === 'NotNow') this.#notNow = 'new';
      // A code that only a newer release knows is Odette's own failure here.
      else this.#keep(commandUuid, status, failureCode === undefined ? null : failureCodeOf(failureCode));
  }

  finalStatus(commandUuid: string): FinalStatus | undefined {
    return this.#finalStatuses.get(commandUuid);
  }

  /** Whether the device gave these lists, and after it took the command: what it listed before does not show it. */
  hasListedAfter(commandUuid: string, lists: readonly string[]): boolean {
    const order = [...this.#finalStatuses.keys()];
    const place = order.indexOf(commandUuid);
    return (
      place >= 0 &&
      lists.length > 0 &&
      lists.every((uuid) => {
        const { status, failureCode } = this.#finalStatuses.get(uuid) ?? WITHDRAWN;
        return order.indexOf(uuid) > place && status === 'Acknowledged' && failureCode === null;
      })
    );
  }

  recordPushed(pushed: PushedCommands): void {
    this.pushFailure = pushed.pushFailure;
    for (const command of pushed.commands) this.recordProgress(command);
  }

  recordProgress({ commandUuid, status, failureCode }: CommandProgress): void {
    if (status !== null) this.#keep(commandUuid, status, failureCode);
  }

  #keep(commandUuid: string, status: CommandStatus, failureCode: FailureCode | null): void {
    if (!this.#finalStatuses.has(commandUuid)) this.#finalStatuses.set(commandUuid, { status, failureCode });
  }

  /**
   * @param intervals between pushes, in milliseconds; their end is the end of the patience
   * @param planned what the plan has queued already; null: they are queued now
   */
  async carryOut(
    scope: CommandScope,
    wanted: readonly WantedCommand[],
    intervals: Iterable<number>,
    isInterrupted: () => boolean,
    planned: QueuedCommands | null = null,
  ): Promise<CarriedOut> {
    const uuids = this.#recordQueued(scope, wanted, planned ?? (await this.#queue(scope, wanted)));
    await this.#asked();
    const isOver = () => uuids.every((uuid) => this.#finalStatuses.has(uuid));
    if (!(await this.waitFor(uuids, () => isOver() || isInterrupted(), intervals))) return { kind: 'silent' };
    if (!isOver()) return { kind: 'interrupted' };
    // In the order of the responses: a list that the device gave before it took a profile does not show it.
    const order = [...this.#finalStatuses.keys()];
    const outcomes = wanted
      .map(({ request }, index) => ({ request, uuid: uuids[index] ?? '' }))
      .toSorted((one, other) => order.indexOf(one.uuid) - order.indexOf(other.uuid))
      .map(({ request, uuid }) => ({ request, ...(this.#finalStatuses.get(uuid) ?? WITHDRAWN) }));
    for (const command of wanted) this.#useUp(scope, command);
    return { kind: 'responded', outcomes };
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
      const untilMs = Date.now() + interval;
      while ((await this.#wakesUntil(isDone, untilMs)) && !isDone()) await this.#showNotNow();
      if (isDone()) break;
    }
    await this.#hideNotNow();
    return isDone();
  }

  /** false: the time is over. Its timer says so and not the clock, which local activities set on: a replay may see them in another order. */
  async #wakesUntil(isDone: () => boolean, untilMs: number): Promise<boolean> {
    const left = Math.max(1, untilMs - Date.now());
    this.#waits();
    return condition(() => isDone() || this.#notNow === 'new', left, { summary: 'waits for the device' });
  }

  async #showNotNow(): Promise<void> {
    this.#notNow = 'shown';
    const text = await database.recordNotNow({ deviceId: this.#deviceId, sinceMs: Date.now() });
    this.#details.show([text], 'waits');
  }

  async #hideNotNow(): Promise<void> {
    if (this.#notNow === 'shown')
      await database.recordWaitsFor({ deviceId: this.#deviceId, waitsFor: null, nowMs: Date.now() });
    this.#notNow = 'no';
  }

  #pushAgain(commandUuids: readonly string[]): void {
    const pushed = commandQueue.pushAgain.executeWithOptions({ summary: 'wakes the device again' }, [
      { deviceId: this.#deviceId, commandUuids },
    ]);
    pushed.then(
      (answer) => this.recordPushed(answer),
      (error: unknown) => {
        this.pushFailure = failureCodeBeside(error) ?? this.pushFailure;
      },
    );
  }

  async #queue(scope: CommandScope, wanted: readonly WantedCommand[]): Promise<QueuedCommands> {
    const { workflowId, firstExecutionRunId, runId } = workflowInfo();
    const commands = wanted.map((command) => ({
      ...command,
      attempt: attemptOf(this.#used, scope, command),
    }));
    return commandQueue.queueCommands.executeWithOptions(
      { summary: wanted.map(({ request }) => request.type).join(', ') },
      [{ deviceId: this.#deviceId, workflowId, firstRunId: firstExecutionRunId, runId, ...scope, commands }],
    );
  }

  /** Returns their UUIDs. */
  #recordQueued(
    scope: CommandScope,
    wanted: readonly WantedCommand[],
    queued: QueuedCommands,
  ): readonly string[] {
    this.recordPushed(queued);
    wanted.forEach((command, index) => {
      this.#use(scope, command, (queued.commands[index]?.attempt ?? 1) - 1);
    });
    return queued.commands.map(({ commandUuid }) => commandUuid);
  }

  #use(scope: CommandScope, command: WantedCommand, attempts: number): void {
    this.#used = { ...this.#used, [attemptKey(scope, command)]: attempts };
  }

  #useUp(scope: CommandScope, command: WantedCommand): void {
    this.#use(scope, command, attemptOf(this.#used, scope, command));
  }
}
