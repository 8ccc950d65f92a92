// The devices' way to the network: HTTP over TLS that trusts the sandbox's authority, kept open between requests.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { createSecureContext, rootCertificates } from 'node:tls';

export interface NetworkResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface NetworkRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Longer than a long poll of the server. */
const TIMEOUT_MS = 30_000;
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

class ClosedMeanwhile extends Error {}

export class Network {
  readonly #tls: Agent;
  readonly #plain = new HttpAgent({ keepAlive: true });

  /** @param authority PEM of the sandbox's own authority, trusted beside the public ones. */
  constructor(authority: string) {
    // One context made beforehand: the agent would name each connection by all authorities, which costs more than the request.
    const secureContext = createSecureContext({ ca: [authority, ...rootCertificates] });
    this.#tls = new Agent({ keepAlive: true, secureContext });
  }

  /**
   * Rejects when the server cannot be reached or does not respond within 30 s. Redirects are not followed. On a kept connection that the
   * server has closed meanwhile the request goes again, as with every HTTP client.
   */
  async request(url: string, given: NetworkRequest = {}): Promise<NetworkResponse> {
    try {
      return await this.#send(url, given);
    } catch (error) {
      if (!(error instanceof ClosedMeanwhile)) throw error;
      return this.#send(url, given);
    }
  }

  #send(url: string, given: NetworkRequest): Promise<NetworkResponse> {
    const isTls = new URL(url).protocol === 'https:';
    const send = isTls ? httpsRequest : httpRequest;
    const headers = { ...given.headers, ...(given.body && { 'Content-Length': String(given.body.length) }) };
    return new Promise((resolve, reject) => {
      const options = { method: given.method ?? 'GET', headers, agent: isTls ? this.#tls : this.#plain };
      const request = send(url, options, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_RESPONSE_BYTES) request.destroy(new Error('response too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error('no response in time')));
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale ? new ClosedMeanwhile(error.message) : error);
      });
      request.end(given.body);
    });
  }

  close(): void {
    this.#tls.destroy();
    this.#plain.destroy();
  }
}
