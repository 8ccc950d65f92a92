// Fetches one SCEP challenge from an Okta macOS platform. Each call uses one up at Okta; never call it to show or to compare something.
import { CataloguedError } from '../../domain/failures.ts';
import { readChallengePage } from './challenge-page.ts';
import { guardedHttp, type HttpResponse } from './guarded-http.ts';
import { toldWait } from './rate-limits.ts';

export interface ChallengeAccess {
  /** As Okta showed it: opaque. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly allowedPrivateHosts: readonly string[];
}

const MAX_PAGE_BYTES = 64 * 1024;

/**
 * One-time and short-lived (Okta does not say how short; peers count on an hour).
 * Plain HTTP Basic at once: Okta does not speak NTLM, and a client that tries it first is refused.
 * @throws CataloguedError `okta.challenge_credentials_refused` · `okta.challenge_denied` · `okta.challenge_url_gone` · `okta.challenge_unexpected_page` ·
 *   `okta.rate_limited` · `okta.unreachable` · `okta.host_not_allowed`. None holds any part of the page.
 */
export async function fetchChallenge(access: ChallengeAccess): Promise<string> {
  if (!URL.canParse(access.url))
    throw new CataloguedError('okta.challenge_url_gone', { facts: { reason: 'not a URL' } });
  const url = new URL(access.url);
  const response = await guardedHttp(access.allowedPrivateHosts).send({
    url,
    headers: {
      accept: 'text/html, */*',
      authorization: `Basic ${Buffer.from(`${access.username}:${access.password}`, 'utf8').toString('base64')}`,
    },
    maxBytes: MAX_PAGE_BYTES,
  });
  if (response.status !== 200) throw refusal(response);
  const page = readChallengePage(response.body);
  if (page.kind === 'challenge') return page.challenge;
  if (page.kind === 'cache_full') throw new CataloguedError('okta.rate_limited', { retryAfterMs: 60_000 });
  throw new CataloguedError('okta.challenge_unexpected_page', {
    facts: { status: 200, reason: page.reason },
  });
}

function refusal(response: HttpResponse): CataloguedError {
  const facts = { status: response.status };
  if (response.status === 401) return new CataloguedError('okta.challenge_credentials_refused', { facts });
  // Whoever is refused here may have the right password: another one would end it for whoever else uses the platform.
  if (response.status === 403) return new CataloguedError('okta.challenge_denied', { facts });
  if (response.status === 404 || response.status === 410)
    return new CataloguedError('okta.challenge_url_gone', { facts });
  if (response.status === 429) {
    // Okta documents no limit here: without a word of when, not sooner than in a minute.
    return new CataloguedError('okta.rate_limited', { facts, retryAfterMs: toldWait(response) ?? 60_000 });
  }
  if (response.status >= 500) return new CataloguedError('okta.unreachable', { facts });
  return new CataloguedError('okta.challenge_unexpected_page', { facts });
}
