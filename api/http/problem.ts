// Every error response of the API is a problem document (RFC 9457) with a code of the catalogue.
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { CataloguedError, FAILURES, remedyOfRequest, type FailureCode } from '../../domain/failures.ts';
import type { Problem } from '../contract/fields.ts';

export interface FieldError {
  /** Dotted path in the body, or the name of a parameter. */
  readonly field: string;
  readonly reason: string;
  readonly code: string;
}

export interface ProblemDetail {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  readonly retryAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A catalogued error that says more about this one request. */
export class ProblemError extends CataloguedError {
  readonly problem: ProblemDetail;

  constructor(code: FailureCode, problem: ProblemDetail = {}) {
    super(code, {
      ...(problem.facts && { facts: problem.facts }),
      ...(problem.retryAfterMs !== undefined && { retryAfterMs: problem.retryAfterMs }),
    });
    this.problem = problem;
  }
}

/** The field of a request that a failure is about, named as in its body. */
export const fieldProblem = (code: FailureCode, field: string, detail: ProblemDetail = {}): ProblemError =>
  new ProblemError(code, { ...detail, errors: [{ field, reason: FAILURES[code].title, code }] });

export const notFound = (what: string): ProblemError =>
  new ProblemError('request.not_found', { detail: `No ${what} has this ID.` });

const invalid = (error: z.ZodError): ProblemError =>
  new ProblemError('request.invalid', {
    errors: error.issues.flatMap((issue) => fieldErrors(issue)).slice(0, 50),
  });

function fieldErrors(issue: z.core.$ZodIssue, parent: readonly PropertyKey[] = []): FieldError[] {
  const path = [...parent, ...issue.path];
  const field = path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: [...path.map(String), key].join('.'),
      reason: 'unknown field',
      code: issue.code,
    }));
  // Of a body that may be one thing or another: what keeps it from being the one that it is nearest to.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const [nearest = []] = issue.errors.toSorted((one, other) => one.length - other.length);
    return nearest.flatMap((each) => fieldErrors(each, path));
  }
  return [{ field, reason: issue.message, code: issue.code }];
}

/** PostgreSQL's classes of errors that say what is wrong with what the caller sent. */
function databaseCode(error: Error): FailureCode | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('22')) return 'request.invalid';
  if (code === '23505' || code === '23503' || code === '23514') return 'request.conflict';
  if (code === '40001' || code === '40P01' || code === '55P03') return 'server.unavailable';
  return undefined;
}

/** Errors of Express and its body parser carry a status. */
function requestCode(error: Error): FailureCode | undefined {
  const status = 'status' in error ? error.status : undefined;
  if (status === 413) return 'request.too_large';
  if (status === 415) return 'request.unsupported_media_type';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'request.invalid' : undefined;
}

function catalogued(error: unknown): CataloguedError {
  if (error instanceof CataloguedError) return error;
  if (error instanceof z.ZodError) return invalid(error);
  const code = error instanceof Error ? (databaseCode(error) ?? requestCode(error)) : undefined;
  return new CataloguedError(code ?? 'server.failed', { cause: error });
}

export function problemOf(
  error: unknown,
  requestId: string,
): { problem: Problem; headers: Record<string, string> } {
  const known = catalogued(error);
  const { title, status } = FAILURES[known.code];
  const more = known instanceof ProblemError ? known.problem : {};
  const retryAfterMs = known.retryAfterMs ?? (status === 503 ? 2_000 : undefined);
  const problem: Problem = {
    type: `urn:odette:problem:${known.code}`,
    title,
    status,
    ...(more.detail !== undefined && { detail: more.detail }),
    instance: `urn:odette:request:${requestId}`,
    code: known.code,
    remedy: remedyOfRequest(known.code, known.retryAfterMs),
    requestId,
    ...(more.errors && { errors: [...more.errors] }),
    ...(Object.keys(known.facts).length > 0 && { facts: { ...known.facts } }),
  };
  const headers = {
    ...(retryAfterMs !== undefined && { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) }),
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="odette"' }),
    ...more.headers,
  };
  return { problem, headers };
}

function sendProblem(response: Response, error: unknown): void {
  const { problem, headers } = problemOf(error, String(response.locals['requestId'] ?? ''));
  response.status(problem.status).set(headers).type('application/problem+json').send(JSON.stringify(problem));
}

export const nothingHere: RequestHandler = () => {
  throw new ProblemError('request.not_found');
};

/** The last middleware: whatever was thrown becomes a problem; what is Odette's own mistake is logged. */
export function problems(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const code = catalogued(error).code;
    if (code === 'server.failed')
      log.error({ err: error, requestId: response.locals['requestId'] as string }, 'request failed');
    else response.locals['failureCode'] = code;
    if (response.headersSent) request.socket.destroy();
    else sendProblem(response, error);
  };
}
