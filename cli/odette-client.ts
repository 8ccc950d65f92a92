// The API client as the command line uses it: with patience while Odette starts, and errors that say what to do.
import { ApiClient, ApiProblem, retryDelayMs, type Failure } from '../api/contract/client.ts';
import { CliError, EXIT } from './exits.ts';
import type { Server } from './find-server.ts';

export type OdetteClient = ApiClient;
export type { Body, Given, ResponseOf } from '../api/contract/client.ts';

export interface ClientOptions {
  /** How long to go on while Odette does not respond or asks to slow down, milliseconds. */
  readonly patienceMs?: number;
  readonly tell: (text: string) => void;
}

const PATIENCE_MS = 15_000;
const REQUEST_MS = 60_000;
const PAUSE_MS = 500;
/** A check of an answer is tried again while Okta cannot be reached: people wait that long for it. */
const CHECK_MS = 10 * 60_000;

/** Its calls throw ApiProblem with Odette's problem document, or CliError when it does not respond. */
export function odetteClient(server: Server, { patienceMs = PATIENCE_MS, tell }: ClientOptions): ApiClient {
  let deadline = 0;
  return new ApiClient({
    url: server.url,
    // A redirect must not carry the token elsewhere.
    init: { headers: { Authorization: `Bearer ${server.token}` }, redirect: 'error' },
    timeoutMs: REQUEST_MS,
    retry: (failure, attempt) => {
      if (attempt === 1) deadline = Date.now() + patienceMs;
      const waitMs = retryDelayMs(failure, PAUSE_MS);
      if (waitMs === undefined || Date.now() + waitMs > deadline) return undefined;
      if (attempt === 1) tell('Odette does not respond yet. Retrying …');
      return waitMs;
    },
    errorOf: (failure) => errorOf(server.url, failure),
    waitForCheck: (waitedMs) => {
      if (waitedMs > CHECK_MS)
        throw new CliError(EXIT.notReady, 'The check is still running.', 'Run the same command again later.');
      if (waitedMs < PAUSE_MS) tell('The check takes a while …');
      return PAUSE_MS;
    },
  });
}

function errorOf(url: string, failure: Failure): Error {
  switch (failure.kind) {
    case 'problem':
      return new ApiProblem(failure.problem);
    case 'no_response':
      return unreachable(url, failure.cause);
    case 'unreadable':
      return new CliError(
        EXIT.failed,
        `The server at ${url} is not Odette's API (status ${failure.status}).`,
        'Check ODETTE_URL.',
      );
  }
}

function unreachable(url: string, error: unknown): CliError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason =
    cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : 'no response';
  return new CliError(
    EXIT.notReady,
    `Odette does not respond at ${url} (${reason}).`,
    'Start it with `npm start` or `odette up`, or check the API process on its host.',
  );
}
