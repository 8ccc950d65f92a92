// How far this server's clock is from Okta's: a signed assertion that is too old or not yet valid is refused like a wrong key.
import { CataloguedError } from '../../domain/failures.ts';
import { clockText } from '../../domain/prerequisites.ts';
import type { HttpResponse } from './guarded-http.ts';

/** What Okta and a slow network leave open. */
const TOLERATED_SECONDS = 60;

type WithHeaders = Pick<HttpResponse, 'headers'>;

/** This server's clock minus Okta's; undefined: they agree, as far as the response's Date header tells. */
export function clockSecondsOf({ headers }: WithHeaders): number | undefined {
  const seconds = Math.round((Date.now() - Date.parse(headers.date ?? '')) / 1_000);
  return Number.isNaN(seconds) || Math.abs(seconds) <= TOLERATED_SECONDS ? undefined : seconds;
}

/** undefined: the clocks agree. */
export function clockFailure(response: WithHeaders): CataloguedError | undefined {
  const seconds = clockSecondsOf(response);
  if (seconds === undefined) return undefined;
  return new CataloguedError('okta.clock_off', { facts: { reason: clockText(seconds), seconds } });
}
