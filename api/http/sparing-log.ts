// Lines that anybody can cause, as often as they like: so many a minute of each kind are written, the rest is counted. Else whoever is refused
// fills the disk, or drives what others did out of the log.

const LINES_OF_KIND = 60;
const MINUTE_MS = 60_000;

interface Minute {
  readonly endsAt: number;
  written: number;
  leftOut: number;
}

export class SparingLog {
  /** By kind, of which there are few: codes of the catalogue. */
  readonly #minutes = new Map<string, Minute>();

  /**
   * Whether to write another line of this kind.
   * @returns what the line says beside itself: `leftOut`, how many were not written before it; undefined: not this one
   */
  next(kind: string): { readonly leftOut?: number } | undefined {
    const now = Date.now();
    const before = this.#minutes.get(kind);
    const minute =
      before && now < before.endsAt ? before : { endsAt: now + MINUTE_MS, written: 0, leftOut: 0 };
    this.#minutes.set(kind, minute);
    if (minute.written >= LINES_OF_KIND) {
      minute.leftOut += 1;
      return undefined;
    }
    minute.written += 1;
    return minute !== before && before && before.leftOut > 0 ? { leftOut: before.leftOut } : {};
  }
}
