// Opens and closes the sandbox's listeners, and takes what `server.close` would wait for.
import type { Server } from 'node:net';
import type { Server as HttpServer } from 'node:http';

/** A client that keeps a connection open decides when it ends: a request on one that we close is lost. */
const KEEP_ALIVE_MS = 10 * 60_000;

/** Listens on loopback; port 0 takes any free one. Resolves with the port. */
export function listen(server: Server, port: number): Promise<number> {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** Ends the listener and every connection it has. */
export function shut(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
