// Serves a contract: checks what comes in, calls the handler with it typed, checks what goes out. Handlers see no HTTP but by choice.
import express, { type Express, type Request, type Response } from 'express';
import { z } from 'zod';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { assertAllowed, findCaller, type Caller } from './caller.ts';
import type {
  Endpoint,
  ReadBody,
  ReadParams,
  ReadQuery,
  WrittenResponse,
  WrittenLater,
} from '../contract/endpoint.ts';
import { AtOnce } from './at-once.ts';
import { whenClosed } from './when-closed.ts';
import { ProblemError } from './problem.ts';
import { Idempotency, type ApiResponse } from './idempotency.ts';
import type { SessionCookie } from './session-cookie.ts';

/** A response with headers, or the other success (202: still running). */
export class Reply<Body> {
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
  readonly isLater: boolean;

  constructor(
    body: Body,
    options: { readonly headers?: Record<string, string>; readonly isLater?: boolean } = {},
  ) {
    this.body = body;
    this.headers = options.headers ?? {};
    this.isLater = options.isLater ?? false;
  }
}

export interface Call<Shape extends Endpoint> {
  readonly params: ReadParams<Shape>;
  readonly query: ReadQuery<Shape>;
  readonly body: ReadBody<Shape>;
  /** In a change: its transaction, which also saves the response for a repeated request. */
  readonly sql: Sql;
  readonly caller: Caller;
  readonly idempotencyKey: string | undefined;
  readonly request: Request;
  readonly response: Response;
  /** @throws ProblemError `request.changed_meanwhile` if the caller's If-Match names another version */
  readonly assertVersion: (current: string | number) => void;
}

type HandlerResult<Shape extends Endpoint> =
  WrittenResponse<Shape> | Reply<WrittenResponse<Shape>> | Reply<WrittenLater<Shape>>;
type Handler<Shape extends Endpoint> = (call: Call<Shape>) => Promise<HandlerResult<Shape>>;
export type Handlers<Endpoints> = {
  readonly [Id in keyof Endpoints]: Endpoints[Id] extends Endpoint ? Handler<Endpoints[Id]> : never;
};

const NOBODY: Caller = {
  id: 'nobody',
  actor: 'nobody',
  name: 'nobody',
  role: 'viewer',
  kind: 'token',
  expiresAt: null,
};

export const versionTag = (version: string | number): string => `"${version}"`;

export interface ServeDependencies {
  readonly database: Database;
  readonly idempotency: Idempotency;
  readonly cookie: SessionCookie;
}

export function serve<Endpoints extends Record<string, Endpoint>>(
  app: Express,
  contract: Endpoints,
  handlers: Handlers<Endpoints>,
  dependencies: ServeDependencies,
): void {
  const atOnce = new AtOnce(MAX_REQUESTS_OF_CALLER);
  for (const [id, shape] of Object.entries(contract)) {
    const handler = handlers[id] as unknown as Handler<Endpoint>;
    app[shape.method](expressPath(shape.path), async (request, response) => {
      response.locals['operationId'] = id;
      const result = await respond(shape, handler, request, response, { ...dependencies, atOnce });
      if (result === undefined) return;
      response.status(result.status);
      if (result.status === 204) response.end();
      else response.json(result.body);
    });
  }
  refuseOtherMethods(app, contract);
}

async function respond(
  shape: Endpoint,
  handler: Handler<Endpoint>,
  request: Request,
  response: Response,
  { database, idempotency, cookie, atOnce }: ServeDependencies & { readonly atOnce: AtOnce },
): Promise<ApiResponse | undefined> {
  const caller = await findCaller(database, request, cookie);
  assertAllowed(caller, shape.access, shape.beforeSecondFactor);
  response.locals['actor'] = caller?.actor;
  // Streams have a limit of their own.
  if (caller && shape.responseType !== 'text/event-stream') enter(atOnce, caller, response);
  const call = readCall(shape, request, response, caller ?? NOBODY);
  const perform = async (sql: Sql): Promise<ApiResponse> =>
    checkedResponse(shape, await handler({ ...call, sql }), response);
  if (shape.responseType !== undefined) {
    await handler({ ...call, sql: database });
    return undefined;
  }
  if (shape.method === 'get' || shape.ownTransaction) return perform(database);
  const { idempotencyKey: key } = call;
  if (key === undefined || !caller) return database.inTransaction(perform);
  const { method, path, body } = request;
  const isSealed = shape.showsSecret === true;
  return idempotency.once({ caller: caller.id, key, method, path, body: body as unknown, isSealed }, perform);
}

/** A request that waits (a setup's next step, a large list) holds part of Odette: one person or tool holds so much and no more. */
const MAX_REQUESTS_OF_CALLER = 100;

function enter(atOnce: AtOnce, { id, personId }: Caller, response: Response): void {
  const leave = atOnce.enter(personId ?? id);
  if (!leave) throw new ProblemError('request.too_many', { retryAfterMs: 1_000 });
  whenClosed(response, leave);
}

function readCall(
  shape: Endpoint,
  request: Request,
  response: Response,
  caller: Caller,
): Omit<Call<Endpoint>, 'sql'> {
  if (shape.body && request.body === undefined && Number(request.headers['content-length'] ?? 0) > 0)
    throw new ProblemError('request.unsupported_media_type');
  const ifMatch = request.headers['if-match'];
  return {
    params: read(shape.params, request.params) as ReadParams<Endpoint>,
    query: read(shape.query ?? NOTHING, withLists(shape.query, request.query)) as ReadQuery<Endpoint>,
    body: read(shape.body ?? NOTHING.optional(), request.body) as ReadBody<Endpoint>,
    caller,
    idempotencyKey: Idempotency.readKey(request.get('idempotency-key')),
    request,
    response,
    assertVersion: (current) => {
      if (ifMatch === undefined || ifMatch === '*') return;
      if (!ifMatch.split(',').some((tag) => tag.trim() === versionTag(current)))
        throw new ProblemError('request.changed_meanwhile');
    },
  };
}

/** What an operation takes that takes nothing. */
const NOTHING = z.strictObject({});

function read(schema: z.ZodType | undefined, value: unknown): unknown {
  return schema?.parse(value);
}

function checkedResponse(shape: Endpoint, given: unknown, response: Response): ApiResponse {
  const reply = given instanceof Reply ? given : new Reply(given);
  response.set(reply.headers);
  if (reply.isLater) return { status: 202, body: written(shape.later, reply.body) };
  return { status: shape.status, body: written(shape.response, reply.body) };
}

/** A response that breaks the contract is Odette's mistake, not the caller's. */
function written(schema: z.ZodType | undefined, body: unknown): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Error(`a response breaks the contract: ${z.prettifyError(result.error)}`);
}

/** `?bucket=left` and `?bucket=left&bucket=trusted`: one value of a list is a list too. */
function withLists(schema: z.ZodObject | undefined, query: object): Record<string, unknown> {
  const isList = (key: string) => {
    const field = schema?.shape[key];
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
    return inner instanceof z.ZodArray;
  };
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [
      key,
      isList(key) && !Array.isArray(value) ? [value] : value,
    ]),
  );
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** 405 with `Allow` for a known address, whatever the method is. */
function refuseOtherMethods(app: Express, contract: Record<string, Endpoint>): void {
  const known = Object.values(contract).map(({ path, method }) => ({
    pattern: new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
    methods: method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
  }));
  const router = express.Router();
  router.use((request, response, next) => {
    const matching = known.filter(({ pattern }) => pattern.test(request.path));
    if (matching.length === 0) return next();
    const allow = [...new Set(matching.flatMap(({ methods }) => methods)), 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') return void response.status(204).set('Allow', allow).end();
    throw new ProblemError('request.method_not_allowed', { headers: { Allow: allow } });
  });
  app.use(router);
}
