// Keeps a fleet from hammering a challenge URL that refuses: after a refusal only one device in a while tries it again.
import { CataloguedError, FAILURES, type FailureCode } from '../domain/failures.ts';

/** After a refusal, one attempt in this time, in milliseconds. */
const PAUSE_MS = 10 * 60 * 1000;
const MAX_KEYS = 1000;

interface Refusal {
  readonly code: FailureCode;
  readonly untilMs: number;
}

export class ChallengeBreaker {
  readonly #refusals = new Map<string, Refusal>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** `key` changes with the credentials, so that new ones are tried at once. @throws what `fetch` throws, or threw last */
  async guard(key: string, fetch: () => Promise<string>): Promise<string> {
    const refusal = this.#refusals.get(key);
    if (refusal !== undefined && this.#now() < refusal.untilMs) throw new CataloguedError(refusal.code);
    try {
      const challenge = await fetch();
      this.#refusals.delete(key);
      return challenge;
    } catch (error) {
      if (error instanceof CataloguedError && FAILURES[error.code].owner === 'admin') {
        if (this.#refusals.size >= MAX_KEYS) this.#refusals.clear();
        this.#refusals.set(key, { code: error.code, untilMs: this.#now() + PAUSE_MS });
      }
      throw error;
    }
  }
}
