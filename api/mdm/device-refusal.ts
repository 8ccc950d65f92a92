// What a device, or the person who enrolls one, gets when something is refused or fails.
// Never 401, never 403 from the MDM address: devices take them for the end of their enrollment.
import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import type { DeviceMetrics } from './device-metrics.ts';
import { isDeadlock } from '../../adapters/store/base/deadlock.ts';
import { CataloguedError, FAILURES } from '../../domain/failures.ts';
import { SparingLog } from '../http/sparing-log.ts';

/** Seconds until a device should try again when a part of Odette is away. */
const RETRY_SECONDS = 15;

export function deviceRefusals(log: Logger, metrics: DeviceMetrics): ErrorRequestHandler {
  const sparing = new SparingLog();
  return (error: unknown, request, response, next) => {
    const { status, text } = refusalOf(error);
    metrics.refused(text);
    const told = sparing.next(text);
    const { path } = request;
    if (told && status >= 500) log.error({ err: error, path, status, ...told }, 'a device was not served');
    // No stack: it would say the same each time.
    else if (told)
      log.warn({ ...reasonOf(error), code: text, path, status, ...told }, 'a device was refused');
    if (response.headersSent) return next(error);
    if (status === 503) response.set('Retry-After', String(RETRY_SECONDS));
    response.status(status).type('text/plain').send(`${text}\n`);
  };
}

const reasonOf = (error: unknown): object => (error instanceof CataloguedError ? error.facts : {});

function refusalOf(error: unknown): { readonly status: number; readonly text: string } {
  if (error instanceof CataloguedError) {
    const { status } = FAILURES[error.code];
    if (status === 429) return { status: 503, text: error.code };
    return {
      status: status >= 500 ? 503 : status === 410 || status === 413 ? status : 400,
      text: error.code,
    };
  }
  // Two transactions waited for each other and this one gave way: the device's next try will do.
  if (isDeadlock(error)) return { status: 503, text: 'server.unavailable' };
  // The body parser's own errors carry a status: too large, aborted, unsupported encoding.
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status === 413) return { status, text: 'request.too_large' };
  if (status >= 400 && status < 500) return { status: 400, text: 'request.invalid' };
  return { status: 500, text: 'server.failed' };
}
