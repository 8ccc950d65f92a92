// The console's pages and cookies belong to its own host: a name that somebody else points here (DNS rebinding) gets nothing.
import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { ProblemError } from './problem.ts';

/**
 * An IP address, `localhost` and the host of ODETTE_CONSOLE_URL are its own. A trusted proxy has looked itself and may put another Host; a
 * program with a token is no browser that was led here.
 * @throws ProblemError `request.wrong_host` (421, RFC 9110 §15.5.20)
 */
export function ownHostOnly(
  consoleUrl: string,
  isTrustedProxy: (address: string | undefined) => boolean,
): RequestHandler {
  const own = new URL(consoleUrl).hostname;
  return (request, _response, next) => {
    const host = request.headers.host ?? '';
    const { hostname = '' } = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : {};
    const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
    const isOwn = isAddress || hostname === 'localhost' || hostname === own;
    if (!isOwn && !isTrustedProxy(request.socket.remoteAddress) && !request.headers.authorization)
      throw new ProblemError('request.wrong_host');
    next();
  };
}
