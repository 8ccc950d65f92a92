// What holds the event loop for a while (the signature and the property list of a large message) is done one after the other, and in between
// everybody else has the loop for as long as it was held: a device that sends the largest messages it may costs the others no more than one of them.

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Does the work, which is not asynchronous, when it is its turn. */
  async take<Result>(work: () => Result): Promise<Result> {
    const before = this.#last;
    let pass: () => void = () => undefined;
    this.#last = new Promise((resolve) => (pass = resolve));
    await before;
    const began = performance.now();
    try {
      return work();
    } finally {
      setTimeout(pass, performance.now() - began);
    }
  }
}
