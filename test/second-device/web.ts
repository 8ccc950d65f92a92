// HTTPS as a device speaks it: it trusts the authority that its profile brought, and nobody else.
import { Agent, request } from 'node:https';

export interface Response {
  readonly status: number;
  /** Content-Type without its parameters. */
  readonly type: string;
  readonly body: Buffer;
}

export class Web {
  readonly #agent: Agent;

  /** @param authority PEM */
  constructor(authority: string) {
    this.#agent = new Agent({ ca: authority, keepAlive: true });
  }

  get(url: string): Promise<Response> {
    return this.send('GET', url);
  }

  post(url: string, body: Uint8Array | string, type: string): Promise<Response> {
    return this.send('POST', url, body, { 'Content-Type': type });
  }

  send(
    method: string,
    url: string,
    body?: Uint8Array | string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const sized = body === undefined ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, headers: sized, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const type = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
          resolve({ status: response.statusCode ?? 0, type, body: Buffer.concat(chunks) });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Requests that wait for an answer end with an error. */
  close(): void {
    this.#agent.destroy();
  }
}
