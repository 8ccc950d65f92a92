// Odette's public API as a client with a bearer token sees it. It goes on for a minute while Odette does not respond.
import { ApiClient, ApiProblem, retryDelayMs } from '../../api/contract/client.ts';

const ATTEMPTS = 60;
const WAIT_MS = 1000;
const POLL_MS = 500;

export const odetteApi = (url: string, token: string): ApiClient =>
  new ApiClient({
    url: url.replace(/\/$/, ''),
    init: { headers: { Authorization: `Bearer ${token}` } },
    retry: (failure, attempt) => (attempt < ATTEMPTS ? retryDelayMs(failure, WAIT_MS) : undefined),
    errorOf: (failure) =>
      failure.kind === 'problem'
        ? new ApiProblem(failure.problem)
        : new Error(`no response after ${ATTEMPTS} attempts`, {
            cause: failure.kind === 'no_response' ? failure.cause : failure.status,
          }),
    waitForCheck: () => POLL_MS,
  });
