// Requests of devices that wait a moment for their next command, so that a whole rollout fits into one conversation.
// A waiting request holds no database connection; one LISTEN wakes all of a process.
import { COMMANDS_CHANNEL } from '../../adapters/store/devices/commands.ts';
import type { Database } from '../../adapters/store/base/database.ts';

export interface LingerOptions {
  /** How long a request waits at most, in milliseconds; 0: it does not wait. */
  readonly milliseconds: number;
  /** How many requests of this process wait at once. */
  readonly max: number;
}

/** heard: look into the queue. over: its time is up. left: nobody waits for an answer any more. */
export type SeatNews = 'heard' | 'over' | 'left';

export interface Seat {
  readonly milliseconds: number;
  next(): Promise<SeatNews>;
  /** The connection closed, or another request of the device came. */
  leave(): void;
  close(): void;
}

export class Lingering {
  readonly #options: LingerOptions;
  readonly #seats = new Map<string, { seat: Seat; bring: (news: SeatNews) => void }>();
  readonly #stopListening: () => Promise<void>;
  #hasStopped = false;

  private constructor(
    options: LingerOptions,
    listen: (hear: (deviceId: string) => void) => () => Promise<void>,
  ) {
    this.#options = options;
    this.#stopListening = listen((deviceId) => this.#hear(deviceId));
  }

  /** Starts listening in the background: without a database, requests simply do not hear of their commands early. */
  static start(database: Database, options: LingerOptions): Lingering {
    return new Lingering(options, (hear) => {
      let hasStopped = false;
      let retry: NodeJS.Timeout | undefined;
      let stop: (() => Promise<void>) | undefined;
      const listen = (): void => {
        database.listen(COMMANDS_CHANNEL, hear).then(
          (stopListening) => {
            stop = stopListening;
            if (hasStopped) void stopListening().catch(() => undefined);
            else hear('');
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

  /** undefined: the house is full. An older request of the same device leaves. */
  take(deviceId: string): Seat | undefined {
    this.#seats.get(deviceId)?.seat.leave();
    if (this.#hasStopped || this.#options.milliseconds <= 0 || this.#seats.size >= this.#options.max)
      return undefined;
    let news: SeatNews | undefined;
    let tell: ((news: SeatNews) => void) | undefined;
    const bring = (what: SeatNews) => {
      // What ends the wait is not taken back by a notification that comes later.
      if (news !== 'left' && !(news === 'over' && what === 'heard')) news = what;
      tell?.(news ?? what);
    };
    const timer = setTimeout(() => bring('over'), this.#options.milliseconds);
    const seat: Seat = {
      milliseconds: this.#options.milliseconds,
      next: async () => {
        const what = news ?? (await new Promise<SeatNews>((resolve) => (tell = resolve)));
        tell = undefined;
        if (news === 'heard') news = undefined;
        return what;
      },
      leave: () => bring('left'),
      close: () => {
        clearTimeout(timer);
        if (this.#seats.get(deviceId)?.seat === seat) this.#seats.delete(deviceId);
      },
    };
    this.#seats.set(deviceId, { seat, bring });
    return seat;
  }

  /** How many requests wait now. */
  get waiting(): number {
    return this.#seats.size;
  }

  /** Ends all waits: every request gets its (empty) answer. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const { bring } of this.#seats.values()) bring('over');
    await this.#stopListening();
  }

  /** An empty payload means that notifications may have been missed. */
  #hear(deviceId: string): void {
    if (deviceId !== '') this.#seats.get(deviceId)?.bring('heard');
    else for (const { bring } of this.#seats.values()) bring('heard');
  }
}
