// What a request holds is given back when its response is over, also to whom it was given after that: nothing tells a second time.
import type { ServerResponse } from 'node:http';

/** Calls `then` once the response is closed: at once, where the other side hung up already. */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
