// How many things one party has going at once: requests of an identity, event streams of a person, uploads of an address.

export class AtOnce {
  readonly #max: number;
  readonly #maxWaiting: number;
  readonly #open = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param max of one party · @param maxWaiting for a place, of one party */
  constructor(max: number, maxWaiting = 0) {
    this.#max = max;
    this.#maxWaiting = maxWaiting;
  }

  /** @returns gives it back, however often it is called; undefined: the party has as many as it may */
  enter(party: string): (() => void) | undefined {
    const open = this.#open.get(party) ?? 0;
    if (open >= this.#max) return undefined;
    this.#open.set(party, open + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#open.get(party) ?? 1) - 1;
      if (left > 0) this.#open.set(party, left);
      else this.#open.delete(party);
      const [next] = this.#waiting.get(party) ?? [];
      next?.();
    };
  }

  /** `enter`, for who waits up to `patienceMs` for a place, in the order in which they came. */
  async enterWithin(party: string, patienceMs: number): Promise<(() => void) | undefined> {
    const leave = this.#waiting.has(party) ? undefined : this.enter(party);
    return leave ?? this.#wait(party, patienceMs);
  }

  #wait(party: string, patienceMs: number): Promise<(() => void) | undefined> {
    const waiting = this.#waiting.get(party) ?? new Set();
    if (waiting.size >= this.#maxWaiting) return Promise.resolve(undefined);
    this.#waiting.set(party, waiting);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(party);
        resolve(this.enter(party));
      };
      waiting.add(end);
      const timer = setTimeout(end, patienceMs);
    });
  }
}
