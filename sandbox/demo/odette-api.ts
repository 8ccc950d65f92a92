// Odette's public API as a client with a bearer token sees it; every type comes from the contract.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contract, Operation, OperationId, Problem } from '../../api/contract/contract.ts';

/** `get /api/devices/{id}` → what it takes and what it returns. */
type ByAddress = {
  [Id in OperationId as `${Contract[Id]['method']} ${Contract[Id]['path']}`]: Operation<Id>;
};
export type Address = keyof ByAddress;
export type ResponseOf<Name extends Address> = ByAddress[Name]['response'];
export type Body<Name extends Address> = ByAddress[Name]['body'];
type Part<Name extends string, Value> = [Value] extends [undefined]
  ? object
  : { readonly [Key in Name]?: Value };
type Given<Name extends Address> = Part<'params', ByAddress[Name]['params']> &
  Part<'query', ByAddress[Name]['query']> &
  Part<'body', ByAddress[Name]['body']>;

/** A problem that Odette returned. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(address: string, problem: Problem) {
    const reasons = problem.errors?.map((error) => `${error.field}: ${error.reason}`) ?? [];
    super(
      `${address}: ${problem.code} (${[problem.title, problem.detail, ...reasons].filter(Boolean).join(' ')})`,
    );
    this.problem = problem;
  }
}

/** Attempts while Odette does not respond or asks to slow down, and the wait between them. */
const ATTEMPTS = 60;
const WAIT_MS = 1000;
/** Asking again for the end of a check that takes its time. */
const POLL_MS = 500;

export class OdetteApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** @throws Refused when Odette returns a problem that a retry does not help. */
  async call<Name extends Address>(
    address: Name,
    given: Given<Name> = {} as Given<Name>,
  ): Promise<ResponseOf<Name>> {
    const { params, query, body } = given as { params?: object; query?: object; body?: object };
    const [method = '', template = ''] = address.split(' ');
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String((params as Record<string, unknown> | undefined)?.[name])),
    );
    const search = new URLSearchParams(
      Object.entries(query ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
    ).toString();
    const response = await this.#fetch(address, `${this.#url}${path}${search && `?${search}`}`, method, body);
    return (await this.#finish(address, response)) as ResponseOf<Name>;
  }

  /** One key for all attempts of one call, so that a repeated one does nothing twice. */
  async #fetch(address: string, url: string, method: string, body: object | undefined): Promise<Response> {
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...(method !== 'get' && { 'Idempotency-Key': randomUUID() }),
    };
    for (let attempt = 1; ; attempt += 1) {
      let reason: string;
      try {
        const given = body ? { body: JSON.stringify(body) } : {};
        const response = await fetch(url, { method: method.toUpperCase(), headers, ...given });
        if (response.ok) return response;
        const problem = (await response.json()) as Problem;
        if (![429, 502, 503, 504].includes(response.status)) throw new Refused(address, problem);
        reason = problem.code;
      } catch (error) {
        if (error instanceof Refused) throw error;
        reason = error instanceof Error ? error.message : String(error);
      }
      if (attempt === ATTEMPTS)
        throw new Error(`${address}: no response after ${ATTEMPTS} attempts (${reason})`);
      await sleep(WAIT_MS);
    }
  }

  /** A 202 names the place to ask how it ended. */
  async #finish(address: string, first: Response): Promise<unknown> {
    let response = first;
    while (response.status === 202 && response.headers.has('location')) {
      await response.body?.cancel();
      await sleep(POLL_MS);
      const place = new URL(response.headers.get('location') ?? '', this.#url).href;
      response = await this.#fetch(address, place, 'get', undefined);
    }
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }
}
