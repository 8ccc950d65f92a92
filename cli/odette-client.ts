// Calls the API, typed by the contract: repeats what did not get through, and waits for the end of a check that takes its time.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Contract, Operation, OperationId, Problem } from '../api/contract/contract.ts';
import { CliError, EXIT, Refused } from './exits.ts';
import type { Server } from './find-server.ts';

/** `get /api/devices/{id}` → what it takes and what it returns. */
type Operations = {
  [Id in OperationId as `${Contract[Id]['method']} ${Contract[Id]['path']}`]: Operation<Id>;
};
export type Route = keyof Operations;
export type ResponseOf<Name extends Route> = Operations[Name]['response'];
export type Body<Name extends Route> = Operations[Name]['body'];

export interface Given<Name extends Route> {
  readonly params?: Operations[Name]['params'];
  readonly query?: Operations[Name]['query'];
  readonly body?: Operations[Name]['body'];
  /** The version that a change is meant for; of another one it is refused. */
  readonly version?: number;
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

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

export class OdetteClient {
  readonly #server: Server;
  readonly #options: ClientOptions;

  constructor(server: Server, options: ClientOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** @throws Refused with Odette's problem document; CliError when it does not respond */
  async call<Name extends Route>(route: Name, given: Given<Name> = {}): Promise<ResponseOf<Name>> {
    const request = this.#request(route, given);
    return (await this.#finish(await this.#send(request))) as ResponseOf<Name>;
  }

  #request<Name extends Route>(route: Name, { params, query, body, version }: Given<Name>): Request {
    const [method = '', template = ''] = route.split(' ');
    const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String((params as Record<string, unknown> | undefined)?.[name])),
    );
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries((query as Record<string, unknown> | undefined) ?? {}))
      for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
        if (one !== undefined) search.append(name, String(one));
    const text = search.size > 0 ? `?${search.toString()}` : '';
    return {
      method: method.toUpperCase(),
      url: `${this.#server.url}${path}${text}`,
      headers: {
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        // One key for all attempts: a repeated change is made once.
        ...(method !== 'get' && { 'Idempotency-Key': randomUUID() }),
        ...(version !== undefined && { 'If-Match': `"${version}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
  }

  async #send(request: Request): Promise<Response> {
    const deadline = Date.now() + (this.#options.patienceMs ?? PATIENCE_MS);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#try(request);
      if (outcome instanceof Response) return outcome;
      if (Date.now() + outcome.waitMs > deadline) throw outcome.error;
      if (attempt === 1) this.#options.tell('Odette does not respond yet. Retrying …');
      await pause(outcome.waitMs);
    }
  }

  /** The response, or why there is none and when to retry. @throws Refused what a retry does not help */
  async #try(request: Request): Promise<Response | { error: Error; waitMs: number }> {
    let response: Response;
    try {
      response = await fetch(request.url, {
        method: request.method,
        headers: { Authorization: `Bearer ${this.#server.token}`, ...request.headers },
        ...(request.body !== undefined && { body: request.body }),
        // A redirect must not carry the token elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(REQUEST_MS),
      });
    } catch (error) {
      return { error: unreachable(this.#server.url, error), waitMs: PAUSE_MS };
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (!problem) return { error: notOdette(this.#server.url, response.status), waitMs: PAUSE_MS };
    const refused = new Refused(problem);
    if (![429, 503].includes(response.status)) throw refused;
    const seconds = Number(response.headers.get('retry-after'));
    return { error: refused, waitMs: seconds > 0 ? seconds * 1000 : PAUSE_MS };
  }

  /** A 202 that names a place: asks there until the check has ended. */
  async #finish(first: Response): Promise<unknown> {
    const deadline = Date.now() + CHECK_MS;
    let response = first;
    while (response.status === 202 && response.headers.has('location')) {
      await response.body?.cancel();
      if (Date.now() > deadline)
        throw new CliError(EXIT.notReady, 'The check is still running.', 'Run the same command again later.');
      if (response === first) this.#options.tell('The check takes a while …');
      await pause(PAUSE_MS);
      const url = new URL(response.headers.get('location') ?? '', this.#server.url);
      response = await this.#send({ method: 'GET', url: url.href, headers: {} });
    }
    const text = await response.text();
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw notOdette(this.#server.url, response.status);
    }
  }
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    return typeof body.code === 'string' && typeof body.title === 'string' ? (body as Problem) : undefined;
  } catch {
    return undefined;
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

const notOdette = (url: string, status: number): CliError =>
  new CliError(
    EXIT.failed,
    `The server at ${url} is not Odette's API (status ${status}).`,
    'Check ODETTE_URL.',
  );
