// Drops signals that come twice: the relay delivers at least once.

const MAX_REMEMBERED = 500;
const MAX_CARRIED = 50;

export class SeenEvents {
  readonly #seen: string[];

  /** @param seen what was seen before continue-as-new */
  constructor(seen: readonly string[] = []) {
    this.#seen = [...seen];
  }

  isNew(eventId: string): boolean {
    if (this.#seen.includes(eventId)) return false;
    this.#seen.push(eventId);
    if (this.#seen.length > MAX_REMEMBERED) this.#seen.shift();
    return true;
  }

  /** The last few, as plain JSON, for the next run. */
  newest(): string[] {
    return this.#seen.slice(-MAX_CARRIED);
  }
}
