// The client of the public API, typed by its contract: for console, command line, sandbox and tests. Nothing of the server comes with it.
import type { Contract, Operation, OperationId } from './contract.ts';
import type { Problem } from './fields.ts';

/** `get /api/devices/{id}` → what it takes and what it returns. */
type Operations = {
  [Id in OperationId as `${Contract[Id]['method']} ${Contract[Id]['path']}`]: Operation<Id>;
};
export type Route = keyof Operations;
export type ResponseOf<Name extends Route> = Operations[Name]['response'];
export type Body<Name extends Route> = Operations[Name]['body'];

type Needs<Name extends 'params' | 'query' | 'body', Value> = [Value] extends [undefined]
  ? { readonly [Key in Name]?: undefined }
  : Record<string, never> extends Value
    ? { readonly [Key in Name]?: Value }
    : { readonly [Key in Name]: Value };

export type Given<Name extends Route> = Needs<'params', Operations[Name]['params']> &
  Needs<'query', Operations[Name]['query']> &
  Needs<'body', Operations[Name]['body']> & {
    /** The ETag of the version that was read: another one meanwhile is refused. */
    readonly ifMatch?: string | undefined;
    readonly signal?: AbortSignal;
  };

/** What `call` may be given nothing for. */
type Arguments<Name extends Route> =
  Record<string, never> extends Given<Name> ? [given?: Given<Name>] : [given: Given<Name>];

export interface Received<Content> {
  readonly body: Content;
  readonly status: number;
  /** Of 202: where to ask how it ended. */
  readonly location: string | null;
  readonly etag: string | null;
}

/** Thrown for every problem document. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    const reasons = problem.errors?.map(({ field, reason }) => `${field}: ${reason}`) ?? [];
    super([problem.detail ?? problem.title, ...reasons].join(' '));
    this.problem = problem;
  }
}

/** Why an attempt came to nothing: no response at all, one that is no problem document, or a problem. */
export type Failure =
  | { readonly kind: 'no_response'; readonly cause: unknown }
  | { readonly kind: 'unreadable'; readonly status: number; readonly requestId: string }
  | { readonly kind: 'problem'; readonly problem: Problem; readonly retryAfterMs: number | undefined };

export interface ClientOptions {
  /** Without a slash at its end; '' is the page's own server. */
  readonly url: string;
  readonly init?: Pick<RequestInit, 'headers' | 'credentials' | 'redirect'>;
  readonly timeoutMs?: number;
  /** After the n-th attempt: how long to wait for the next, milliseconds; undefined: the error is thrown. */
  readonly retry: (failure: Failure, attempt: number) => number | undefined;
  readonly errorOf: (failure: Failure) => Error;
  /** How often the end of a check is asked for, milliseconds. It throws to give up. */
  readonly waitForCheck: (waitedMs: number) => number;
}

export class ApiClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** A check that takes its time is waited for. @throws ApiProblem, or what `errorOf` says */
  async call<Name extends Route>(route: Name, ...given: Arguments<Name>): Promise<ResponseOf<Name>> {
    return (await this.finish(await this.receive(route, ...given))).body;
  }

  /** With status and headers; a 202 is not waited for. */
  async receive<Name extends Route>(
    route: Name,
    ...[given = {} as Given<Name>]: Arguments<Name>
  ): Promise<Received<ResponseOf<Name>>> {
    const [method = 'get'] = route.split(' ');
    const headers = new Headers({ Accept: 'application/json' });
    if (given.ifMatch !== undefined) headers.set('If-Match', given.ifMatch);
    // One key for all attempts: a repeated change is made once.
    if (method !== 'get') headers.set('Idempotency-Key', newKey());
    if (given.body !== undefined) headers.set('Content-Type', 'application/json');
    return this.#send(addressOf(route, given), {
      method: method.toUpperCase(),
      headers,
      ...(given.body !== undefined && { body: JSON.stringify(given.body) }),
      ...(given.signal && { signal: given.signal }),
    });
  }

  /** Asks at the place that a 202 names until the check has ended. */
  async finish<Content>(first: Received<Content>): Promise<Received<Content>> {
    const beganAt = Date.now();
    let received = first;
    while (received.status === 202 && first.location !== null) {
      await pause(this.#options.waitForCheck(Date.now() - beganAt));
      // Only ever on this server, wherever it says.
      const { pathname, search } = new URL(first.location, 'http://odette.invalid');
      received = await this.#send(pathname + search, {
        headers: new Headers({ Accept: 'application/json' }),
      });
    }
    return received;
  }

  async #send<Content>(
    address: string,
    init: RequestInit & { headers: Headers },
  ): Promise<Received<Content>> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#try<Content>(address, init);
      if (!('kind' in outcome)) return outcome;
      const waitMs = init.signal?.aborted ? undefined : this.#options.retry(outcome, attempt);
      if (waitMs === undefined) throw this.#options.errorOf(outcome);
      await pause(waitMs);
    }
  }

  async #try<Content>(
    address: string,
    init: RequestInit & { headers: Headers },
  ): Promise<Received<Content> | Failure> {
    const { url, timeoutMs, init: always } = this.#options;
    new Headers(always?.headers).forEach((value, name) => init.headers.set(name, value));
    try {
      const response = await fetch(url + address, {
        ...always,
        ...init,
        ...(timeoutMs !== undefined && !init.signal && { signal: AbortSignal.timeout(timeoutMs) }),
      });
      const text = await response.text();
      return response.ok ? receivedOf<Content>(text, response) : failureOf(text, response);
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      return { kind: 'no_response', cause };
    }
  }
}

/** Path and query, also for links and downloads. */
export function addressOf(
  route: Route,
  given: { readonly params?: unknown; readonly query?: unknown },
): string {
  const [, template = ''] = route.split(' ');
  const params = (given.params ?? {}) as Record<string, unknown>;
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((given.query ?? {}) as Record<string, unknown>))
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      if (one !== undefined && one !== '') query.append(name, String(one));
  return query.size > 0 ? `${path}?${query.toString()}` : path;
}

/** Problems that pass by themselves: after the time that Odette asks for, or `pauseMs`. Otherwise undefined. */
export function retryDelayMs(failure: Failure, pauseMs: number): number | undefined {
  if (failure.kind !== 'problem') return pauseMs;
  return [429, 503].includes(failure.problem.status) ? (failure.retryAfterMs ?? pauseMs) : undefined;
}

function receivedOf<Content>(text: string, response: Response): Received<Content> | Failure {
  try {
    return {
      body: contentOf(text, response) as Content,
      status: response.status,
      location: response.headers.get('location'),
      etag: response.headers.get('etag'),
    };
  } catch {
    return unreadable(response);
  }
}

/** CSV is handed on as it is. */
const contentOf = (text: string, response: Response): unknown => {
  if (text === '') return undefined;
  return response.headers.get('content-type')?.startsWith('text/csv') === true ? text : JSON.parse(text);
};

function failureOf(text: string, response: Response): Failure {
  const seconds = Number(response.headers.get('retry-after'));
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (typeof body.code === 'string' && typeof body.title === 'string')
      return {
        kind: 'problem',
        problem: body as Problem,
        retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
      };
  } catch {
    // A proxy's page.
  }
  return unreadable(response);
}

const unreadable = ({ status, headers }: Response): Failure => ({
  kind: 'unreadable',
  status,
  requestId: headers.get('x-request-id') ?? '',
});

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** crypto.randomUUID is missing on a page that came without TLS. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
