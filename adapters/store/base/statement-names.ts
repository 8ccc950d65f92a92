// Names for the statements that a process repeats: PostgreSQL parses and plans a named one once for each connection.

/** So many are kept in each connection, for as long as it lasts. */
const MAX_NAMES = 300;
/** A text that is put together for one request comes once, and must not take a name. */
const REPEATS = 3;
const MAX_COUNTED = 2000;

export class StatementNames {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** undefined: it is not repeated, or there are enough. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_NAMES) return known;
    const count = (this.#counts.get(text) ?? 0) + 1;
    if (count < REPEATS) {
      if (this.#counts.size >= MAX_COUNTED) this.#counts.clear();
      this.#counts.set(text, count);
      return undefined;
    }
    this.#counts.delete(text);
    const name = `odette_${this.#names.size + 1}`;
    this.#names.set(text, name);
    return name;
  }
}
