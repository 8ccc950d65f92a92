// Bodies that are being read before it is known who sends them: only so many of one address, so that slow uploads fill no memory.
import type { RequestHandler } from 'express';
import { CataloguedError } from '../../domain/failures.ts';
import { AtOnce } from './at-once.ts';

/** Of one address. A body of the API has some kB and is there within a moment. */
const MAX_OF_ADDRESS = 50;

/** Until the whole body is there, or the connection is gone. @throws CataloguedError `request.too_many` */
export function limitUploads(): RequestHandler {
  const uploads = new AtOnce(MAX_OF_ADDRESS);
  return (request, response, next) => {
    const hasBody =
      Number(request.headers['content-length'] ?? 0) > 0 ||
      request.headers['transfer-encoding'] !== undefined;
    if (!hasBody) return next();
    const leave = uploads.enter(request.ip ?? '');
    // Nobody reads the body: the connection closes behind the answer.
    if (!leave) {
      response.set('Connection', 'close');
      throw new CataloguedError('request.too_many', { retryAfterMs: 5000 });
    }
    request.once('end', leave);
    response.once('close', leave);
    next();
  };
}
