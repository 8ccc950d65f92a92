// A small HTTP server that speaks the API's contract for tests of its clients: checks what comes in and what goes out.
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import { contract, type OperationId } from '../../api/contract/contract.ts';
import { ProblemError, problemOf } from '../../api/http/problem.ts';

export const CONTRACT_TOKEN = 'token-of-the-contract-server';

export interface Called {
  readonly operation: OperationId;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

/** What an operation returns: a body, a body with status and headers, or a thrown ProblemError. */
type Play = (called: Called) => unknown;

export class Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface ContractServer {
  readonly url: string;
  /** By operation; a test changes them as it likes. */
  readonly plays: Partial<Record<OperationId, Play>>;
  readonly calls: Called[];
  stop(): Promise<void>;
}

const operations = (Object.entries(contract) as [OperationId, Endpoint][]).map(([operation, shape]) => ({
  operation,
  shape,
  pattern: new RegExp(`^${shape.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

export async function startContractServer(): Promise<ContractServer> {
  const plays: ContractServer['plays'] = {};
  const calls: Called[] = [];
  const server = createServer((request, response) => {
    void respond(request)
      .catch((error: unknown) => {
        const { problem, headers } = problemOf(error, 'request-1');
        return new Reply(problem.status, problem, headers);
      })
      .then(({ status, body, headers }) => {
        const isJson = body !== undefined;
        response.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...headers });
        const isText = headers['content-type']?.startsWith('text/') === true;
        response.end(isText ? String(body) : isJson ? JSON.stringify(body) : '');
      });
  });
  const respond = async (request: IncomingMessage): Promise<Reply> => {
    if (request.headers.authorization !== `Bearer ${CONTRACT_TOKEN}`)
      throw new ProblemError('request.not_signed_in');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const found = operations.find(
      ({ shape, pattern }) => shape.method.toUpperCase() === request.method && pattern.test(pathname),
    );
    const play = found && plays[found.operation];
    if (!found || !play) throw new ProblemError('request.not_found');
    const { shape, operation, pattern } = found;
    const text = await bodyOf(request);
    const called: Called = {
      operation,
      params: pattern.exec(pathname)?.groups ?? {},
      query: searchParams,
      body: shape.body?.parse(text === '' ? undefined : JSON.parse(text)),
      headers: request.headers,
    };
    shape.params?.parse(called.params);
    calls.push(called);
    const played = await play(called);
    const reply = played instanceof Reply ? played : new Reply(shape.status, played);
    const schema =
      reply.status === 202 && shape.later
        ? shape.later
        : (shape.response ?? (shape.responseType === undefined ? z.undefined() : z.string()));
    return new Reply(reply.status, schema.parse(reply.body), reply.headers);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plays,
    calls,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
