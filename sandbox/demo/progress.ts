// Prints the steps of the demo, each with the seconds since its start.

export class DemoProgress {
  readonly #start = performance.now();

  /** Seconds since the start, to a tenth. */
  get seconds(): number {
    return Math.round((performance.now() - this.#start) / 100) / 10;
  }

  print(text: string): void {
    console.log(`${this.seconds.toFixed(1).padStart(7)} s  ${text}`);
  }
}
