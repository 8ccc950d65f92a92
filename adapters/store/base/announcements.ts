// NOTIFY for whoever has committed already. Inside the transaction it would make commits stand in line: PostgreSQL lets only one of those that
// notify reach the disk at a time.

interface Announcement {
  readonly channel: string;
  readonly payload: string;
}

/** One statement at a time, with everything that was told since the last. */
export class Announcements {
  readonly #send: (waiting: readonly Announcement[]) => Promise<unknown>;
  #waiting = new Map<string, Announcement>();
  #sending: Promise<void> | undefined;

  constructor(send: (waiting: readonly Announcement[]) => Promise<unknown>) {
    this.#send = send;
  }

  tell(channel: string, payload: string): void {
    this.#waiting.set(`${channel} ${payload}`, { channel, payload });
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when everything is told. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const told = [...this.#waiting.values()];
      this.#waiting = new Map();
      // Where the database is away, whoever listens looks for what was missed once it is back.
      await this.#send(told).catch(() => undefined);
    }
    this.#sending = undefined;
  }
}
