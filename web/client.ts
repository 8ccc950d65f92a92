// The API client as the console uses it: operations by their name, on the page's own server, with the session's cookie.
import {
  addressOf as addressOfRoute,
  ApiClient,
  ApiProblem,
  type Failure,
  type Given as GivenFor,
  type Received,
} from '../api/contract/client.ts';
import type { Operation, Problem } from '../api/contract/contract.ts';
import { OPERATIONS, type ConsoleOperation } from './operations.ts';

export { ApiProblem } from '../api/contract/client.ts';
export type { Problem };
export type ResponseOf<Id extends ConsoleOperation> = Operation<Id>['response'];
export type Body<Id extends ConsoleOperation> = Operation<Id>['body'];
export type Query<Id extends ConsoleOperation> = Operation<Id>['query'];
export type Given<Id extends ConsoleOperation> = GivenFor<(typeof OPERATIONS)[Id]>;

const RETRY_MS = 400;
const POLL_MS = 1_000;

const client = new ApiClient({
  url: '',
  init: { credentials: 'same-origin' },
  // A change carries an Idempotency-Key, so that a connection that broke is safe to try once more.
  retry: ({ kind }, attempt) => (kind === 'no_response' && attempt === 1 ? RETRY_MS : undefined),
  errorOf: (failure) => new ApiProblem(problemOf(failure)),
  waitForCheck: () => POLL_MS,
});

/** A check that takes its time is waited for. @throws ApiProblem, for every error response */
export const call = <Id extends ConsoleOperation>(id: Id, given: Given<Id>): Promise<ResponseOf<Id>> =>
  client.call(OPERATIONS[id], given as never) as Promise<ResponseOf<Id>>;

/** With what the headers say. */
export const receive = <Id extends ConsoleOperation>(
  id: Id,
  given: Given<Id>,
): Promise<Received<ResponseOf<Id>>> =>
  client.receive(OPERATIONS[id], given as never) as Promise<Received<ResponseOf<Id>>>;

/** For links and downloads. */
export const addressOf = <Id extends ConsoleOperation>(id: Id, given: Given<Id>): string =>
  addressOfRoute(OPERATIONS[id], given);

function problemOf(failure: Failure): Problem {
  switch (failure.kind) {
    case 'problem':
      return failure.problem;
    case 'unreadable':
      return {
        type: 'about:blank',
        title: 'The console cannot read the response.',
        status: failure.status,
        code: 'server.failed',
        remedy: 'Check the log of the proxy in front of Odette, or the log of the API.',
        requestId: failure.requestId,
      };
    case 'no_response':
      return {
        type: 'about:blank',
        title: 'Odette does not respond.',
        status: 503,
        code: 'server.unavailable',
        remedy:
          'No data is lost. This page retries automatically; `odette status` names the component that is down.',
        requestId: '',
      };
  }
}
