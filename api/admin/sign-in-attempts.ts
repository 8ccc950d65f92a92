// Guesses at passwords: failures count for the address they come from, for a name from that address, and for a name from anywhere.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ProblemError } from '../http/problem.ts';

const WINDOW_S = 15 * 60;

/** In one process's memory: several API processes each allow as much. */
export class SignInAttempts {
  readonly #byAddress = new RateLimiterMemory({ points: 30, duration: WINDOW_S });
  readonly #byPair = new RateLimiterMemory({ points: 6, duration: WINDOW_S });
  // From many addresses: high, so that nobody locks somebody else out with a few guesses.
  readonly #byName = new RateLimiterMemory({ points: 100, duration: WINDOW_S });

  /**
   * Counts before the password is looked at, so that guesses made at once are counted too, and takes back what succeeded.
   * @param name undefined: there is none to guess at
   * @throws ProblemError `request.too_many`, and what `attempt` throws
   */
  async admit<Result>(
    address: string,
    name: string | undefined,
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    const keys: [RateLimiterMemory, string][] = [
      [this.#byAddress, address],
      ...(name === undefined
        ? []
        : ([
            [this.#byPair, `${address} ${name}`],
            [this.#byName, name],
          ] as [RateLimiterMemory, string][])),
    ];
    for (const [limiter, key] of keys) await consume(limiter, key);
    const result = await attempt();
    await Promise.all(keys.map(([limiter, key]) => limiter.reward(key)));
    return result;
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  await limiter.consume(key).catch((refused: unknown) => {
    const retryAfterMs = refused instanceof RateLimiterRes ? refused.msBeforeNext : WINDOW_S * 1_000;
    throw new ProblemError('request.too_many', { retryAfterMs });
  });
}
