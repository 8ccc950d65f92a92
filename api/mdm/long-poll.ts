// Long polls: a device's request waits a moment for the next command, so that a whole rollout fits into one conversation.
// A waiting request holds no database connection; one LISTEN wakes all of a process.
import { COMMANDS_CHANNEL } from '../../adapters/store/devices/commands.ts';
import { readNotification } from '../../adapters/store/devices/long-polls.ts';
import type { Database } from '../../adapters/store/base/database.ts';

export interface LongPollOptions {
  /** How long a request waits at most, in milliseconds; 0: it does not wait. */
  readonly milliseconds: number;
  /** How many requests of this process wait at once. */
  readonly max: number;
}

/** over: nothing may be left to wait for. queueChanged: look into the queue. timedOut: the wait is over. closed: nobody waits for a response any more. */
const EVENTS = ['over', 'queueChanged', 'timedOut', 'closed'] as const;
export type LongPollEvent = (typeof EVENTS)[number];

export interface Slot {
  readonly milliseconds: number;
  next(): Promise<LongPollEvent>;
  /** Nobody waits for a response any more. */
  isClosed(): boolean;
  /** The connection closed, or another request of the device came. */
  leave(): void;
  close(): void;
}

export class LongPolls {
  readonly #options: LongPollOptions;
  readonly #slots = new Map<string, { slot: Slot; notify: (event: LongPollEvent) => void }>();
  readonly #stopListening: () => Promise<void>;
  #hasStopped = false;

  private constructor(
    options: LongPollOptions,
    listen: (onNotification: (payload: string) => void) => () => Promise<void>,
  ) {
    this.#options = options;
    this.#stopListening = listen((payload) => this.#onNotification(payload));
  }

  /** Starts listening in the background: without a database, requests learn of their commands only when they time out. */
  static start(database: Database, options: LongPollOptions): LongPolls {
    return new LongPolls(options, (onNotification) => {
      let hasStopped = false;
      let retry: NodeJS.Timeout | undefined;
      let stop: (() => Promise<void>) | undefined;
      const listen = (): void => {
        database.listen(COMMANDS_CHANNEL, onNotification).then(
          (stopListening) => {
            stop = stopListening;
            if (hasStopped) void stopListening().catch(() => undefined);
            else onNotification('');
          },
          () => {
            if (!hasStopped) retry = setTimeout(listen, 500);
          },
        );
      };
      listen();
      return async () => {
        hasStopped = true;
        clearTimeout(retry);
        await stop?.().catch(() => undefined);
      };
    });
  }

  /** undefined: no slot is free. An older request of the same device leaves. */
  take(deviceId: string): Slot | undefined {
    this.#slots.get(deviceId)?.slot.leave();
    if (this.#hasStopped || this.#options.milliseconds <= 0 || this.#slots.size >= this.#options.max)
      return undefined;
    let event: LongPollEvent | undefined;
    let resume: ((event: LongPollEvent) => void) | undefined;
    const notify = (received: LongPollEvent) => {
      // What ends the wait is not taken back by a notification that comes later, and a command comes before the end of what it was expected of.
      if (event === undefined || EVENTS.indexOf(received) > EVENTS.indexOf(event)) event = received;
      resume?.(event);
    };
    const timer = setTimeout(() => notify('timedOut'), this.#options.milliseconds);
    const slot: Slot = {
      milliseconds: this.#options.milliseconds,
      next: async () => {
        const next = event ?? (await new Promise<LongPollEvent>((resolve) => (resume = resolve)));
        resume = undefined;
        // Another may have come since, and is next.
        if (event === next && (next === 'queueChanged' || next === 'over')) event = undefined;
        return next;
      },
      isClosed: () => event === 'closed',
      leave: () => notify('closed'),
      close: () => {
        clearTimeout(timer);
        if (this.#slots.get(deviceId)?.slot === slot) this.#slots.delete(deviceId);
      },
    };
    this.#slots.set(deviceId, { slot, notify });
    return slot;
  }

  /** How many requests wait now. */
  get waiting(): number {
    return this.#slots.size;
  }

  /** Ends all waits: every request gets its (empty) response. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const { notify } of this.#slots.values()) notify('timedOut');
    await this.#stopListening();
  }

  #onNotification(payload: string): void {
    const { deviceId, isOver } = readNotification(payload);
    if (deviceId !== '') this.#slots.get(deviceId)?.notify(isOver ? 'over' : 'queueChanged');
    else for (const { notify } of this.#slots.values()) notify('queueChanged');
  }
}
