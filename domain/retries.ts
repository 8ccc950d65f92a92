// How often a rollout has tried each change in its run, and whether it may try again: soon at first, then over hours, each with jitter.
import { classOf } from './device-error-classes.ts';
import type { FailureCode } from './failures.ts';
import { HOUR_MS, retryDelayMs } from './patience.ts';

/** Times in milliseconds since the epoch, by the workflow's clock. */
export interface Tried {
  readonly count: number;
  /** The first try. */
  readonly sinceMs: number;
  /** Not tried again before. */
  readonly dueAtMs: number;
  /** Why the last try came to nothing; null: the device acknowledged it. */
  readonly failure: FailureCode | null;
  /** How many of the last tries came to nothing for that reason. */
  readonly inARow: number;
}

export type Tries = Readonly<Record<string, Tried>>;

const UNKNOWN_PATIENCE_MS = 24 * HOUR_MS;

/** @param random from 0 to 1: spreads the retries of a fleet */
export function triedAgain(
  before: Tried | undefined,
  failure: FailureCode | null,
  nowMs: number,
  random: number,
): Tried {
  const count = (before?.count ?? 0) + 1;
  // What nobody could read is asked again at once: the next response may be whole.
  const delayMs = failure === 'mdm.message_unreadable' ? 0 : retryDelayMs(count, random);
  const inARow = before !== undefined && before.failure === failure ? before.inARow + 1 : 1;
  return { count, sinceMs: before?.sinceMs ?? nowMs, dueAtMs: nowMs + delayMs, failure, inARow };
}

export type Retry =
  | { readonly kind: 'due' }
  | { readonly kind: 'later'; readonly untilMs: number; readonly code: FailureCode }
  | { readonly kind: 'over'; readonly code: FailureCode };

/**
 * Whether a change that is still missing is tried (again).
 * @param patienceMs how long errors that pass by themselves are retried
 * @param otherwise the code where the device gave none: it acknowledged the change, and does not show it
 */
export function retryOf(
  tried: Tried | undefined,
  patienceMs: number,
  otherwise: FailureCode,
  nowMs: number,
): Retry {
  if (tried === undefined || tried.count === 0) return { kind: 'due' };
  const code = tried.failure ?? otherwise;
  if (isOver(tried, patienceMs, nowMs)) return { kind: 'over', code };
  return nowMs >= tried.dueAtMs ? { kind: 'due' } : { kind: 'later', untilMs: tried.dueAtMs, code };
}

function isOver({ failure, inARow, sinceMs }: Tried, patienceMs: number, nowMs: number): boolean {
  const unknownPatienceMs = Math.min(patienceMs, UNKNOWN_PATIENCE_MS);
  if (failure === null) return nowMs - sinceMs >= unknownPatienceMs;
  // Asked once more; the license was assigned anew once.
  if (failure === 'mdm.message_unreadable' || failure === 'mdm.app_needs_account') return inARow > 1;
  switch (classOf(failure)) {
    case 'permanent':
      return true;
    case 'unknown':
      return nowMs - sinceMs >= unknownPatienceMs;
    case 'on_its_way':
    case 'passes':
    case 'needs_license':
    case 'needs_challenge':
    case 'needs_user':
      return nowMs - sinceMs >= patienceMs;
  }
}

/** What cannot be done now. */
export type Blocked = Exclude<Retry, { readonly kind: 'due' }>;

/** Items that may be tried now, and what stands in the way of the others. */
export function partition<Item>(
  items: readonly Item[],
  retry: (item: Item) => Retry,
): { readonly due: readonly Item[]; readonly blocked: readonly Blocked[] } {
  const due: Item[] = [];
  const blocked: Blocked[] = [];
  for (const item of items) {
    const verdict = retry(item);
    if (verdict.kind === 'due') due.push(item);
    else blocked.push(verdict);
  }
  return { due, blocked };
}
