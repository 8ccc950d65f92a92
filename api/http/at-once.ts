// How many things one party has going at once: requests of an identity, event streams of a person, uploads of an address.

export class AtOnce {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** @param max of one party */
  constructor(max: number) {
    this.#max = max;
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
    };
  }
}
