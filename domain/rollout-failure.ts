// What a failure means once the rollout of a device has ended with it: what passes by itself has lasted by then, and somebody looks into it.
import { FAILURES, type CatalogueEntry, type FailureCode } from './failures.ts';

export type RolloutFailure = Pick<CatalogueEntry, 'title' | 'remedy' | 'owner'>;

/** Where the catalogue says nothing better. */
const LOOK = 'Read the timeline of the device.';

export function rolloutFailure(code: FailureCode): RolloutFailure {
  const { title, remedy, owner, ifItPersists }: CatalogueEntry = FAILURES[code];
  return owner === 'nobody'
    ? { title, remedy: `${ifItPersists ?? LOOK} Odette retries every day.`, owner: 'operator' }
    : { title, remedy, owner };
}

export function rolloutFailureText(code: FailureCode): string {
  const { title, remedy } = rolloutFailure(code);
  return `${title} ${remedy}`;
}
