// Calls the public API with the types of its contract; an error response is thrown as its problem document.
import type { Operation, Problem } from '../api/contract/contract.ts';
import { OPERATIONS, type ConsoleOperation } from './operations.ts';

export type ResponseOf<Id extends ConsoleOperation> = Operation<Id>['response'];
export type Body<Id extends ConsoleOperation> = Operation<Id>['body'];
export type Query<Id extends ConsoleOperation> = Operation<Id>['query'];
export type { Problem };

type Needs<Name extends 'params' | 'query' | 'body', Value> = [Value] extends [undefined]
  ? { readonly [Key in Name]?: undefined }
  : Record<string, never> extends Value
    ? { readonly [Key in Name]?: Value }
    : { readonly [Key in Name]: Value };

export type Given<Id extends ConsoleOperation> = Needs<'params', Operation<Id>['params']> &
  Needs<'query', Operation<Id>['query']> &
  Needs<'body', Operation<Id>['body']> & {
    /** The version that was read: another one meanwhile is refused. */
    readonly ifMatch?: string | undefined;
    readonly signal?: AbortSignal;
  };

/** Thrown for every error response. */
export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

export interface Received<Body> {
  readonly body: Body;
  readonly status: number;
  /** Of 202: where to ask. */
  readonly location: string | null;
  readonly etag: string | null;
}

export async function call<Id extends ConsoleOperation>(id: Id, given: Given<Id>): Promise<ResponseOf<Id>> {
  return (await receive(id, given)).body;
}

/** With what the headers say. */
export async function receive<Id extends ConsoleOperation>(
  id: Id,
  given: Given<Id>,
): Promise<Received<ResponseOf<Id>>> {
  const [method = 'get'] = OPERATIONS[id].split(' ');
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (given.ifMatch !== undefined) headers['If-Match'] = given.ifMatch;
  if (method !== 'get') headers['Idempotency-Key'] = newKey();
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: 'same-origin' };
  if (given.signal) init.signal = given.signal;
  if (given.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(given.body);
  }
  const response = await fetchTwice(addressOf(id, given), init);
  return read<ResponseOf<Id>>(response);
}

/** The place that a 202 named: only ever on this host. */
export async function receiveAt<Body>(location: string): Promise<Received<Body>> {
  const { pathname, search } = new URL(location, window.location.href);
  return read<Body>(await fetchTwice(pathname + search, { headers: { Accept: 'application/json' } }));
}

/** For links and downloads. */
export function addressOf<Id extends ConsoleOperation>(id: Id, given: Given<Id>): string {
  const [, template = ''] = OPERATIONS[id].split(' ');
  const params = (given.params ?? {}) as Record<string, unknown>;
  const path = template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((given.query ?? {}) as Record<string, unknown>))
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      if (one !== undefined && one !== '') query.append(name, String(one));
  return query.size > 0 ? `${path}?${query.toString()}` : path;
}

/** A change carries an Idempotency-Key, so that a connection that broke is safe to try once more. */
async function fetchTwice(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    await new Promise((resolve) => setTimeout(resolve, 400));
    return await fetch(address, init).catch(() => {
      throw new ApiProblem(unreachable(address));
    });
  }
}

async function read<Body>(response: Response): Promise<Received<Body>> {
  const text = await response.text();
  if (!response.ok) throw new ApiProblem(problemOf(text, response));
  return {
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
    status: response.status,
    location: response.headers.get('location'),
    etag: response.headers.get('etag'),
  };
}

function problemOf(text: string, response: Response): Problem {
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (typeof body.code === 'string' && typeof body.title === 'string') return body as Problem;
  } catch {
    // A proxy's page: said below in our own words.
  }
  return {
    type: 'about:blank',
    title: 'The response could not be read.',
    status: response.status,
    code: 'server.failed',
    remedy: 'Check the log of the proxy in front of Odette, or the log of the API.',
    requestId: response.headers.get('x-request-id') ?? '',
  };
}

const unreachable = (instance: string): Problem => ({
  type: 'about:blank',
  title: 'Odette does not respond.',
  status: 503,
  code: 'server.unavailable',
  remedy:
    'No data is lost. This page retries automatically; `odette status` names the component that is down.',
  instance,
  requestId: '',
});

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
