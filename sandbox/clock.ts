// The sandbox's clock: real time plus an offset that the management port moves, so that years pass in a test.

export interface Clock {
  now(): Date;
}

export class MovableClock implements Clock {
  #offsetMs: number;
  readonly #moved = new Set<() => void>();

  constructor(offsetMs = 0) {
    this.#offsetMs = offsetMs;
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /** Moves the clock by this many milliseconds (negative: back) and tells everyone who waits for a time. */
  move(byMs: number): void {
    this.#offsetMs += byMs;
    for (const onMove of this.#moved) onMove();
  }

  /** Calls back after every move; returns what ends it. */
  onMove(moved: () => void): () => void {
    this.#moved.add(moved);
    return () => void this.#moved.delete(moved);
  }
}
