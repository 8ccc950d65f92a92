// A request that announces a body and never ends it, and what comes back all the same.
import { request, type ClientRequest } from 'node:http';

export interface EndlessUpload {
  readonly sent: ClientRequest;
  /** undefined: nothing came back yet. */
  status(): number | undefined;
}

export function endlessUpload(url: string, headers: Record<string, string> = {}): EndlessUpload {
  let status: number | undefined;
  const sent = request(url, { method: 'POST', headers: { 'content-length': '1000', ...headers } });
  sent.on('error', () => undefined);
  sent.on('response', (response) => {
    status = response.statusCode;
    response.resume();
  });
  sent.write('{');
  return { sent, status: () => status };
}
