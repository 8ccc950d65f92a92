// How far this server's clock is from Okta's: a signed assertion that is too old or not yet valid is refused like a wrong key.
import { CataloguedError } from '../../domain/failures.ts';
import type { HttpResponse } from './guarded-http.ts';

/** What Okta and a slow network leave open. */
const TOLERATED_SECONDS = 60;

/** undefined: the clocks agree, as far as the response's Date header tells. */
export function clockFailure({ headers }: Pick<HttpResponse, 'headers'>): CataloguedError | undefined {
  const seconds = Math.round((Date.now() - Date.parse(headers.date ?? '')) / 1_000);
  if (Number.isNaN(seconds) || Math.abs(seconds) <= TOLERATED_SECONDS) return undefined;
  const reason = `The clock of this server is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} Okta's.`;
  return new CataloguedError('okta.clock_off', { facts: { reason, seconds } });
}
