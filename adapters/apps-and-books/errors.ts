// What Apple's error numbers mean. They come with any HTTP status, 200 included.
// https://developer.apple.com/documentation/devicemanagement/handling-error-responses
import { z } from 'zod';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';

const ErrorResponse = z.object({ errorNumber: z.number() });

const BY_NUMBER: Readonly<Record<number, FailureCode>> = {
  9601: 'apps_and_books.token_refused', // login required
  9603: 'apps_and_books.unreachable', // internal error
  9621: 'apps_and_books.token_refused', // expired
  9622: 'apps_and_books.token_refused', // invalid
  9625: 'apps_and_books.token_refused', // revoked
  9635: 'apps_and_books.association_failed',
  9641: 'apps_and_books.association_failed',
  9644: 'apps_and_books.unreachable', // maintenance
  9646: 'apps_and_books.rate_limited',
  9647: 'apps_and_books.token_refused', // a token of the old kind
  9707: 'apps_and_books.association_failed', // the asset cannot be assigned to devices
  9709: 'apps_and_books.no_license_left',
  9716: 'apps_and_books.association_failed',
  9722: 'apps_and_books.token_refused', // bad authorization header
  9729: 'apps_and_books.unreachable',
};

/** What Apple has against a token, where its number says more than that it is refused. */
export const TOKEN_REFUSALS: Readonly<Record<number, string>> = {
  9621: 'Apple says that it has expired.',
  9625: 'Apple says that it is revoked: someone downloaded a newer token, or changed the password of the Apple Account.',
  9647: 'It is a token of the old format, which Apple no longer accepts.',
};

/** Peers come back after five seconds; Apple asks for exponential back-off from there. Milliseconds. */
const RATE_LIMIT_WAIT_MS = 5_000;

export function responseError(
  status: number,
  headers: Headers,
  content: unknown,
): CataloguedError | undefined {
  const read = ErrorResponse.safeParse(content);
  const errorNumber = read.success ? read.data.errorNumber : undefined;
  if (status >= 200 && status < 300 && errorNumber === undefined) return undefined;
  const code = (errorNumber === undefined ? undefined : BY_NUMBER[errorNumber]) ?? byStatus(status);
  const asked = retryAfterOf(headers);
  const retryAfterMs = asked ?? (code === 'apps_and_books.rate_limited' ? RATE_LIMIT_WAIT_MS : undefined);
  return new CataloguedError(code, {
    facts: { status, ...(errorNumber === undefined ? {} : { errorNumber }) },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The failure of an asynchronous event. Apple may add numbers. */
export function eventFailure(errorNumber: number | undefined): CataloguedError {
  const known = errorNumber === undefined ? undefined : BY_NUMBER[errorNumber];
  return new CataloguedError(known ?? 'apps_and_books.association_failed', {
    facts: errorNumber === undefined ? {} : { errorNumber },
  });
}

function byStatus(status: number): FailureCode {
  if (status === 401 || status === 403) return 'apps_and_books.token_refused';
  if (status === 429) return 'apps_and_books.rate_limited';
  return status >= 500 ? 'apps_and_books.unreachable' : 'apps_and_books.unexpected_response';
}

/** Retry-After as seconds or as a date (RFC 9110 §10.2.3), in milliseconds. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.min(3_600_000, Math.max(1_000, wait)) : undefined;
}
